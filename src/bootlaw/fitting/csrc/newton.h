/* Sequential robust regression for one problem; see bootlaw/fitting/solver.py. */
#ifndef BOOTLAW_NEWTON_H
#define BOOTLAW_NEWTON_H

#include "objective.h"

typedef struct {
    double tolerance; /* scaled gradient at which a problem is done */
    double damping;   /* of the first step */
    int max_iterations;
    int n_rows; /* of the whole table, for the rounding of sums */
} Options;

typedef struct {
    double value, scaled_gradient;
    int iterations;
} Outcome;

/* Room for one problem at a time. */
typedef struct {
    Expansion here, there;
    double *residual, *psi, *bend, *along, *scratch; /* n_rows each */
} Workspace;

int workspace_new(Program *program, Workspace *workspace);

/* Moves u to a local minimum within lower <= u <= upper. */
Outcome newton(const Program *program, const Measure *measure, const Options *options,
               const double *lower, const double *upper, const double *target,
               const double *weight, Workspace *workspace, double *u);

/* Gradient, Hessian (packed) and norm of the weighted influences of an expansion. */
double derivatives(const Measure *measure, const Expansion *at, Workspace *workspace,
                   double *gradient, double *hessian);

#endif
