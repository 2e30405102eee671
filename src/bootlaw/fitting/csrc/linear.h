/* Small symmetric systems for the parameters that are free to move. */
#ifndef BOOTLAW_LINEAR_H
#define BOOTLAW_LINEAR_H

#include "objective.h"

#define SINGULAR 1e-14 /* pivot of a matrix with unit diagonal that counts as zero */

typedef struct {
    int n, index[MAX_PARAMETERS]; /* in rising order */
} Free;

/* Solves A x = b (both of the free parameters, A packed over all) by Cholesky after scaling to unit
   diagonal. With `drop`, directions that A does not hold get x = 0; without, they make it
   return 0. */
int solve(const Free *free, const double *a, const double *b, int drop, double *x);

#endif
