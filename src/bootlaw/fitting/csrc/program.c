#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elementary.h"

/* Builds the loops for wider vector units as well and picks at load time, where GCC can. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

#define FOR_ROWS for (int i = 0; i < size; i++)

typedef struct Chunk { struct Chunk *next; } Chunk;

static void *allocate(Program *program, size_t size) {
    /* Header of one cache line keeps every array aligned. */
    char *memory = NULL;
    if (posix_memalign((void **)&memory, 64, size + 64)) return NULL;
    memset(memory, 0, size + 64);
    ((Chunk *)memory)->next = program->memory;
    program->memory = memory;
    return memory + 64;
}

double *program_room(Program *program, size_t n) { return allocate(program, sizeof(double) * n); }

void program_free(Program *program) {
    if (!program) return;
    for (Chunk *chunk = program->memory; chunk;) {
        Chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(program);
}

static int find_slope(const Node *node, int parameter) {
    for (int i = 0; i < node->n_slopes; i++)
        if (node->parameter[i] == parameter) return i;
    return -1;
}

static int find_curve(const Node *node, int one, int other) {
    for (int i = 0; i < node->n_curves; i++) {
        int j = node->parameter[node->pair[i][0]], k = node->parameter[node->pair[i][1]];
        if ((j == one && k == other) || (j == other && k == one)) return i;
    }
    return -1;
}

static int is_binary(int op) { return op == ADD || op == MULTIPLY || op == LARGEST; }

/* Lists the parameters and pairs of parameters on which a node's derivatives depend. */
static int find_pattern(Program *program, Group *group, Node *node, const int32_t *linear) {
    unsigned mask = 0;
    const Node *a = NULL, *b = NULL;
    if (node->op == LINEAR) {
        for (int i = 0; i < node->b; i++)
            if (linear[2 * (node->a + i)] >= 0) mask |= 1u << linear[2 * (node->a + i)];
    } else if (node->op != COLUMN) {
        a = &group->node[node->a];
        b = is_binary(node->op) ? &group->node[node->b] : NULL;
        for (int i = 0; i < a->n_slopes; i++) mask |= 1u << a->parameter[i];
        for (int i = 0; b && i < b->n_slopes; i++) mask |= 1u << b->parameter[i];
    }
    for (int p = 0; p < program->n_parameters; p++)
        if (mask >> p & 1) node->parameter[node->n_slopes++] = p;
    int most = node->n_slopes * (node->n_slopes + 1) / 2;
    node->pair = allocate(program, 2 * (size_t)most + 2);
    node->curve_a = allocate(program, sizeof(short) * (size_t)(most + 1));
    node->curve_b = allocate(program, sizeof(short) * (size_t)(most + 1));
    if (!node->pair || !node->curve_a || !node->curve_b) return 0;
    for (int i = 0; i < node->n_slopes; i++) {
        node->slope_a[i] = a ? find_slope(a, node->parameter[i]) : -1;
        node->slope_b[i] = b ? find_slope(b, node->parameter[i]) : -1;
    }
    if (!a) return 1;
    for (int i = 0; i < node->n_slopes; i++) {
        for (int j = i; j < node->n_slopes; j++) {
            int in_a = find_curve(a, node->parameter[i], node->parameter[j]);
            int in_b = b ? find_curve(b, node->parameter[i], node->parameter[j]) : -1;
            int crossed = node->op == MULTIPLY && ((node->slope_a[i] >= 0 && node->slope_b[j] >= 0)
                          || (node->slope_a[j] >= 0 && node->slope_b[i] >= 0));
            if (!b || in_a >= 0 || in_b >= 0 || crossed) {
                int at = node->n_curves++;
                node->pair[at][0] = (unsigned char)i;
                node->pair[at][1] = (unsigned char)j;
                node->curve_a[at] = (short)in_a;
                node->curve_b[at] = (short)in_b;
            }
        }
    }
    return 1;
}

static int add_node(Program *program, Group *group, int number, const int32_t *code, int n_linear,
                    int n_columns) {
    Node *node = &group->node[number];
    node->op = code[0], node->a = code[1], node->b = code[2];
    if (node->op < COLUMN || node->op > LARGEST || node->a < 0) return 0;
    if (node->op == COLUMN && node->a >= n_columns) return 0;
    if (node->op == LINEAR && (node->b < 0 || node->a + node->b > n_linear)) return 0;
    if (node->op > LINEAR && node->a >= number) return 0;
    if (is_binary(node->op) && (node->b < 0 || node->b >= number)) return 0;
    if (!find_pattern(program, group, node, group->linear)) return 0;
    size_t n = (size_t)(node->n_slopes + node->n_curves);
    node->value = allocate(program, sizeof(double) * BLOCK);
    node->room = allocate(program, sizeof(double) * BLOCK * (n + 1));
    node->slope = allocate(program, sizeof(double *) * (size_t)(node->n_slopes + 1));
    node->curve = allocate(program, sizeof(double *) * (size_t)(node->n_curves + 1));
    return node->value && node->room && node->slope && node->curve;
}

static int check_linear(const int32_t *linear, int n_linear, int n_parameters, int n_columns) {
    for (int i = 0; i < n_linear; i++) {
        int p = linear[2 * i], c = linear[2 * i + 1];
        if (p < -1 || p >= n_parameters || c < 0 || c >= n_columns) return 0;
    }
    return 1;
}

Program *program_new(int n_parameters, int n_groups, const int32_t *code, int n_code,
                     const int32_t *rows, const double *columns) {
    Program *program = calloc(1, sizeof(Program));
    if (!program) return NULL;
    program->n_parameters = n_parameters, program->n_groups = n_groups;
    program->group = allocate(program, sizeof(Group) * (size_t)(n_groups + 1));
    int at = 0, ok = program->group && n_parameters > 0 && n_parameters <= MAX_PARAMETERS;
    for (int g = 0; ok && g < n_groups; g++) {
        Group *group = &program->group[g];
        if (at + 5 > n_code) { ok = 0; break; }
        group->n_rows = code[at], group->n_padded = code[at + 1], group->n_nodes = code[at + 2];
        int n_linear = code[at + 3], n_columns = code[at + 4];
        at += 5;
        if (at + 3 * group->n_nodes + 2 * n_linear > n_code || group->n_nodes < 1) { ok = 0; break; }
        group->linear = code + at + 3 * group->n_nodes;
        group->row = rows, group->column = columns;
        rows += group->n_rows, columns += (size_t)n_columns * (size_t)group->n_padded;
        group->node = allocate(program, sizeof(Node) * (size_t)group->n_nodes);
        ok = group->node && check_linear(group->linear, n_linear, n_parameters, n_columns);
        for (int i = 0; ok && i < group->n_nodes; i++)
            ok = add_node(program, group, i, code + at + 3 * i, n_linear, n_columns);
        at += 3 * group->n_nodes + 2 * n_linear;
    }
    if (!ok) { program_free(program); return NULL; }
    return program;
}

INLINE void linear_block(const Group *group, Node *node, const double *u, int start, int size) {
    double *value = node->value;
    FOR_ROWS value[i] = 0.0;
    for (int t = 0; t < node->b; t++) {
        const int32_t *pair = group->linear + 2 * (node->a + t);
        const double *x = group->column + (size_t)pair[1] * (size_t)group->n_padded + start;
        double by = pair[0] < 0 ? 1.0 : u[pair[0]];
        FOR_ROWS value[i] += by * x[i];
        if (pair[0] >= 0) node->slope[find_slope(node, pair[0])] = x;
    }
}

/* value = f(a) with f' in `first` and f'' in `second`. */
INLINE void unary_derivatives(Node *node, const Node *a, const double *first,
                                     const double *second, int size, int order) {
    double *out = node->room;
    for (int s = 0; s < node->n_slopes; s++, out += BLOCK) {
        const double *da = a->slope[s];
        FOR_ROWS out[i] = first[i] * da[i];
        node->slope[s] = out;
    }
    for (int c = 0; order > 1 && c < node->n_curves; c++, out += BLOCK) {
        const double *j = a->slope[node->pair[c][0]], *k = a->slope[node->pair[c][1]];
        if (node->curve_a[c] >= 0) {
            const double *d2 = a->curve[node->curve_a[c]];
            FOR_ROWS out[i] = first[i] * d2[i] + second[i] * j[i] * k[i];
        } else {
            FOR_ROWS out[i] = second[i] * j[i] * k[i];
        }
        node->curve[c] = out;
    }
}

INLINE void unary_block(Node *node, const Node *a, int size, int order) {
    double first[BLOCK], second[BLOCK];
    double *v = node->value;
    const double *x = a->value;
    switch (node->op) {
    case EXP:
        FOR_ROWS v[i] = exp_of(x[i]);
        FOR_ROWS first[i] = second[i] = v[i];
        break;
    case LOG:
        FOR_ROWS v[i] = x[i] > 0.0 ? log_of(x[i]) : NAN;
        FOR_ROWS { first[i] = 1.0 / x[i]; second[i] = -first[i] * first[i]; }
        break;
    case INVERSE:
        FOR_ROWS v[i] = 1.0 / x[i];
        FOR_ROWS { first[i] = -v[i] * v[i]; second[i] = -2.0 * first[i] * v[i]; }
        break;
    case SINE:
        FOR_ROWS { v[i] = sin(x[i]); first[i] = cos(x[i]); second[i] = -v[i]; }
        break;
    case COSINE:
        FOR_ROWS { v[i] = cos(x[i]); first[i] = -sin(x[i]); second[i] = -v[i]; }
        break;
    default: /* ARCTAN */
        FOR_ROWS {
            v[i] = atan(x[i]);
            first[i] = 1.0 / (1.0 + x[i] * x[i]);
            second[i] = -2.0 * x[i] * first[i] * first[i];
        }
    }
    if (order) unary_derivatives(node, a, first, second, size, order);
}

INLINE void add_block(Node *node, const Node *a, const Node *b, int size, int order) {
    FOR_ROWS node->value[i] = a->value[i] + b->value[i];
    if (!order) return;
    double *out = node->room;
    for (int s = 0; s < node->n_slopes; s++) {
        int in_a = node->slope_a[s], in_b = node->slope_b[s];
        /* A derivative that only one operand has is that operand's own array. */
        if (in_a < 0 || in_b < 0) {
            node->slope[s] = in_a >= 0 ? a->slope[in_a] : b->slope[in_b];
            continue;
        }
        const double *x = a->slope[in_a], *y = b->slope[in_b];
        FOR_ROWS out[i] = x[i] + y[i];
        node->slope[s] = out, out += BLOCK;
    }
    for (int c = 0; order > 1 && c < node->n_curves; c++) {
        int in_a = node->curve_a[c], in_b = node->curve_b[c];
        if (in_a < 0 || in_b < 0) {
            node->curve[c] = in_a >= 0 ? a->curve[in_a] : b->curve[in_b];
            continue;
        }
        const double *x = a->curve[in_a], *y = b->curve[in_b];
        FOR_ROWS out[i] = x[i] + y[i];
        node->curve[c] = out, out += BLOCK;
    }
}

INLINE void accumulate(double *out, const double *x, const double *y, int size) {
    FOR_ROWS out[i] += x[i] * y[i];
}

INLINE void multiply_block(Node *node, const Node *a, const Node *b, int size,
                                  int order) {
    FOR_ROWS node->value[i] = a->value[i] * b->value[i];
    if (!order) return;
    double *out = node->room;
    for (int s = 0; s < node->n_slopes; s++, out += BLOCK) {
        FOR_ROWS out[i] = 0.0;
        if (node->slope_a[s] >= 0) accumulate(out, a->slope[node->slope_a[s]], b->value, size);
        if (node->slope_b[s] >= 0) accumulate(out, b->slope[node->slope_b[s]], a->value, size);
        node->slope[s] = out;
    }
    for (int c = 0; order > 1 && c < node->n_curves; c++, out += BLOCK) {
        int j = node->pair[c][0], k = node->pair[c][1];
        int aj = node->slope_a[j], ak = node->slope_a[k], bj = node->slope_b[j], bk = node->slope_b[k];
        FOR_ROWS out[i] = 0.0;
        if (node->curve_a[c] >= 0) accumulate(out, a->curve[node->curve_a[c]], b->value, size);
        if (node->curve_b[c] >= 0) accumulate(out, b->curve[node->curve_b[c]], a->value, size);
        if (aj >= 0 && bk >= 0) accumulate(out, a->slope[aj], b->slope[bk], size);
        if (ak >= 0 && bj >= 0) accumulate(out, a->slope[ak], b->slope[bj], size);
        node->curve[c] = out;
    }
}

/* out = a's derivative where a is larger, b's elsewhere; NULL stands for zero. */
INLINE void choose(double *out, const double *x, const double *y, const double *a,
                          const double *b, int size) {
    FOR_ROWS out[i] = a[i] >= b[i] ? (x ? x[i] : 0.0) : (y ? y[i] : 0.0);
}

INLINE void largest_block(Node *node, const Node *a, const Node *b, int size,
                                 int order) {
    FOR_ROWS node->value[i] = a->value[i] >= b->value[i] ? a->value[i] : b->value[i];
    if (!order) return;
    double *out = node->room;
    for (int s = 0; s < node->n_slopes; s++, out += BLOCK) {
        const double *x = node->slope_a[s] >= 0 ? a->slope[node->slope_a[s]] : NULL;
        const double *y = node->slope_b[s] >= 0 ? b->slope[node->slope_b[s]] : NULL;
        choose(out, x, y, a->value, b->value, size);
        node->slope[s] = out;
    }
    for (int c = 0; order > 1 && c < node->n_curves; c++, out += BLOCK) {
        const double *x = node->curve_a[c] >= 0 ? a->curve[node->curve_a[c]] : NULL;
        const double *y = node->curve_b[c] >= 0 ? b->curve[node->curve_b[c]] : NULL;
        choose(out, x, y, a->value, b->value, size);
        node->curve[c] = out;
    }
}

WIDE void program_block(const Group *group, const double *u, int start, int size,
                        int order) {
    for (int n = 0; n < group->n_nodes; n++) {
        Node *node = &group->node[n];
        const Node *a = node->op > LINEAR ? &group->node[node->a] : NULL;
        const Node *b = is_binary(node->op) ? &group->node[node->b] : NULL;
        switch (node->op) {
        case COLUMN: {
            const double *x = group->column + (size_t)node->a * (size_t)group->n_padded + start;
            FOR_ROWS node->value[i] = x[i];
            break;
        }
        case LINEAR: linear_block(group, node, u, start, size); break;
        case ADD: add_block(node, a, b, size, order); break;
        case MULTIPLY: multiply_block(node, a, b, size, order); break;
        case LARGEST: largest_block(node, a, b, size, order); break;
        default: unary_block(node, a, size, order);
        }
    }
}
