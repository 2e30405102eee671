/* Small symmetric systems for the parameters that are free to move. */
#ifndef BOOTLAW_LINEAR_H
#define BOOTLAW_LINEAR_H

#include "objective.h"

#define SINGULAR 1e-14 /* pivot of a matrix with unit diagonal that counts as zero */

typedef struct {
    int n, index[MAX_PARAMETERS]; /* in rising order */
} Free;

/* The Cholesky factor of a symmetric matrix of the free parameters, scaled to unit diagonal. */
typedef struct {
    Free set;
    double scale[MAX_PARAMETERS];
    double l[MAX_PARAMETERS][MAX_PARAMETERS]; /* below the diagonal */
    double over[MAX_PARAMETERS];              /* one over the diagonal, 0 where A holds nothing */
} Factor;

/* Factorises A, packed over all parameters. Without `drop`, a direction that A does not hold makes
   it return 0; with, only a diagonal that is not positive does. */
int factorise(const Free *set, const double *a, int drop, Factor *factor);

/* Solves A x = b, both of the free parameters; x = 0 along directions that A does not hold. */
void solve(const Factor *factor, const double *b, double *x);

int same_set(const Free *one, const Free *other);

#endif
