/* A law on given rows as a list of instructions, evaluated with exact first and second
   derivatives, block of rows by block of rows. See bootlaw/laws/program.py for the meaning. */
#ifndef BOOTLAW_PROGRAM_H
#define BOOTLAW_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#define MAX_PARAMETERS 16
#define BLOCK 64 /* rows at a time: a block of all nodes stays in the first-level cache */
#define LANES 8  /* blocks are padded to a multiple of this */

enum { COLUMN, LINEAR, EXP, LOG, ADD, MULTIPLY, INVERSE, SINE, COSINE, ARCTAN, LARGEST };

/* One instruction and the sparsity of its derivatives.
   `slot_*` say where the operand keeps a derivative, -1 where it has none. */
typedef struct {
    int op, a, b;
    int n_slopes, n_curves;
    int parameter[MAX_PARAMETERS];
    int slope_a[MAX_PARAMETERS], slope_b[MAX_PARAMETERS];
    unsigned char (*pair)[2]; /* positions of the two parameters among the slopes */
    short *curve_a, *curve_b;
    double *value, *room;     /* room: n_slopes + n_curves blocks */
    const double **slope, **curve;
} Node;

typedef struct {
    int n_rows, n_padded, n_nodes;
    const int32_t *row;     /* number of each row in targets and weights */
    const int32_t *linear;  /* pairs (parameter or -1, column) */
    const double *column;   /* columns of n_padded doubles */
    Node *node;
} Group;

typedef struct {
    int n_parameters, n_groups;
    Group *group;
    void *memory; /* everything that was allocated, as a chain */
} Program;

/* Returns NULL when memory runs out or the code is not valid. `code` holds for every group:
   n_rows, n_padded, n_nodes, n_linear, n_columns, then n_nodes triples, then n_linear pairs. */
Program *program_new(int n_parameters, int n_groups, const int32_t *code, int n_code,
                     const int32_t *rows, const double *columns);
void program_free(Program *program);

/* Returns `n` doubles that live as long as the program, NULL when memory runs out. */
double *program_room(Program *program, size_t n);

/* Evaluates `size` rows from `start` up to the derivatives of `order`, 0 to 2. Results are in the
   group's last node. */
void program_block(const Group *group, const double *u, int start, int size, int order);

#endif
