/* The objective of a fit and its expansion around one point. */
#ifndef BOOTLAW_OBJECTIVE_H
#define BOOTLAW_OBJECTIVE_H

#include "program.h"

enum { HUBER, SQUARED, STUDENT };
enum { LOG_SCALE, LEVEL_SCALE };

#define MAX_PAIRS (MAX_PARAMETERS * (MAX_PARAMETERS + 1) / 2)

/* Pairs (j, k) with k <= j are at j (j + 1) / 2 + k. */
#define PAIR(j, k) ((j) * ((j) + 1) / 2 + (k))

typedef struct {
    int loss, scale;
    double delta;   /* Huber: where it turns linear; Student: its scale */
    double freedom; /* Student: degrees of freedom */
    const double *prior_mean, *prior_weight; /* adds weight (u - mean)^2 / 2 */
    const double *reach; /* n_parameters^2: what damping holds besides the metric */
    int gauss; /* Gauss-Newton: takes residuals for linear functions of the parameters */
} Measure;

/* Every row's residual with its slopes, rows in the order of the program's groups and padded with
   rows of weight 0; and what the curvature of the residuals adds to the Hessian. */
typedef struct {
    int n_rows, n_parameters;
    double value; /* of the objective; infinite outside the domain, the rest is then rubbish */
    double *residual, *weight;
    double *slope[MAX_PARAMETERS];
    double curvature[MAX_PAIRS]; /* sum of weight psi r'', plus the prior's weights */
    double prior[MAX_PARAMETERS]; /* gradient of the prior */
} Expansion;

/* Takes room for an expansion from the program's memory; returns 0 when there is none. */
int expansion_new(Program *program, Expansion *expansion);

void expand(const Program *program, const Measure *measure, const double *u, const double *target,
            const double *weight, Expansion *out);

double objective_value(const Program *program, const Measure *measure, const double *u,
                       const double *target, const double *weight);

/* psi = rho' and bend = rho'', each times the weights, of n residuals. */
void influences(const Measure *measure, const double *residual, const double *weight, double *psi,
                double *bend, int n);

/* The sum of weight times rho. */
double total_loss(const Measure *measure, const double *residual, const double *weight, int n);

/* x . y in a fixed order of additions; n is a multiple of LANES. */
double dot(const double *x, const double *y, int n);

/* Adds the sum over rows of factor J J^T for the parameters in `index`. */
void add_products(const Expansion *at, const double *factor, const int *index, int n_index,
                  double *scratch, double *out);

#endif
