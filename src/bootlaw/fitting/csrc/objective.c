#include "objective.h"

#include <math.h>
#include <string.h>

#include "elementary.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

#define FOR_ROWS for (int i = 0; i < n; i++)

INLINE double dot_of(const double *x, const double *y, int n) {
    /* Eight running sums: a fixed order of additions that compilers keep in vector registers. */
    double lane[LANES] = {0};
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) lane[l] += x[i + l] * y[i + l];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

WIDE double dot(const double *x, const double *y, int n) { return dot_of(x, y, n); }

WIDE void influences(const Measure *m, const double *r, const double *w, double *psi, double *bend,
                     int n) {
    double d = m->delta;
    if (m->loss == HUBER) {
        FOR_ROWS {
            double low = r[i] < -d ? -d : r[i];
            double cut = low > d ? d : low;
            psi[i] = w[i] * cut;
            bend[i] = cut == r[i] ? w[i] : 0.0;
        }
    } else if (m->loss == SQUARED) {
        FOR_ROWS { psi[i] = w[i] * r[i]; bend[i] = w[i]; }
    } else {
        double nu = m->freedom, over = 1.0 / (d * d);
        FOR_ROWS {
            double q = r[i] * r[i] * over;
            psi[i] = w[i] * (nu + 1.0) * r[i] / (nu + q);
            bend[i] = w[i] * (nu + 1.0) * (nu - q) / ((nu + q) * (nu + q));
        }
    }
}

WIDE double total_loss(const Measure *m, const double *r, const double *w, int n) {
    double lane[LANES] = {0}, d = m->delta;
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double x = r[i + l], rho;
            if (m->loss == HUBER) {
                double low = x < -d ? -d : x, cut = low > d ? d : low;
                rho = cut * (x - 0.5 * cut);
            } else if (m->loss == SQUARED) {
                rho = 0.5 * x * x;
            } else {
                rho = 0.5 * (m->freedom + 1.0) * d * d * log_of(1.0 + x * x / (d * d * m->freedom));
            }
            lane[l] += w[i + l] * rho;
        }
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

WIDE void add_products(const Expansion *at, const double *factor, const int *index, int n_index,
                       double *scratch, double *out) {
    int n = at->n_rows;
    for (int a = 0; a < n_index; a++) {
        const double *x = at->slope[index[a]];
        FOR_ROWS scratch[i] = factor[i] * x[i];
        for (int b = 0; b <= a; b++)
            out[PAIR(index[a], index[b])] += dot_of(scratch, at->slope[index[b]], n);
    }
}

/* Residuals of one block; returns 0 outside the domain. */
INLINE int residuals(const Measure *m, const double *f, const double *y, double *r, int n) {
    double worst = 0.0;
    if (m->scale == LOG_SCALE) {
        FOR_ROWS worst += f[i] > 0.0 && f[i] < 1e300 ? 0.0 : 1.0;
        if (worst > 0.0) return 0;
        FOR_ROWS r[i] = log_of(f[i]) - y[i];
    } else {
        FOR_ROWS worst += f[i] > -1e300 && f[i] < 1e300 ? 0.0 : 1.0;
        if (worst > 0.0) return 0;
        FOR_ROWS r[i] = f[i] - y[i];
    }
    return 1;
}

INLINE void gather(const Group *group, const double *target, const double *weight, int start,
                          int n, double *y, double *w) {
    FOR_ROWS {
        int real = start + i < group->n_rows;
        int row = group->row[real ? start + i : group->n_rows - 1];
        y[i] = target[row];
        w[i] = real ? weight[row] : 0.0;
    }
}

/* Adds one block of rows, which starts at `at` in the expansion; returns 0 outside the domain. */
WIDE static int expand_block(const Group *group, const Measure *m, const double *target,
                             const double *weight, int start, int n, int at, Expansion *out) {
    const Node *top = &group->node[group->n_nodes - 1];
    double y[BLOCK], over[BLOCK], psi[BLOCK], bend[BLOCK];
    double *r = out->residual + at, *w = out->weight + at;
    gather(group, target, weight, start, n, y, w);
    if (!residuals(m, top->value, y, r, n)) return 0;
    if (m->scale == LOG_SCALE) FOR_ROWS over[i] = 1.0 / top->value[i];
    else FOR_ROWS over[i] = 1.0;
    for (int s = 0; s < top->n_slopes; s++) {
        double *slope = out->slope[top->parameter[s]] + at;
        const double *x = top->slope[s];
        FOR_ROWS slope[i] = x[i] * over[i];
    }
    if (m->gauss) return 1;
    influences(m, r, w, psi, bend, n);
    if (m->scale == LOG_SCALE) {
        for (int s = 0; s < top->n_slopes; s++) {
            const double *x = out->slope[top->parameter[s]] + at;
            FOR_ROWS bend[i] = psi[i] * x[i];
            for (int t = 0; t <= s; t++)
                out->curvature[PAIR(top->parameter[s], top->parameter[t])] -=
                    dot_of(bend, out->slope[top->parameter[t]] + at, n);
        }
    }
    FOR_ROWS psi[i] *= over[i];
    for (int c = 0; c < top->n_curves; c++) {
        int j = top->parameter[top->pair[c][0]], k = top->parameter[top->pair[c][1]];
        out->curvature[j > k ? PAIR(j, k) : PAIR(k, j)] += dot_of(psi, top->curve[c], n);
    }
    return 1;
}

int expansion_new(Program *program, Expansion *expansion) {
    memset(expansion, 0, sizeof(*expansion));
    for (int g = 0; g < program->n_groups; g++) expansion->n_rows += program->group[g].n_padded;
    expansion->n_parameters = program->n_parameters;
    int n = expansion->n_rows;
    double *room = program_room(program, (size_t)n * (size_t)(2 + program->n_parameters));
    if (!room) return 0;
    expansion->residual = room, expansion->weight = room + n;
    for (int j = 0; j < program->n_parameters; j++) expansion->slope[j] = room + (size_t)n * (size_t)(2 + j);
    return 1;
}

static double prior_value(const Measure *m, const double *u, int n) {
    double sum = 0.0;
    for (int j = 0; j < n; j++) {
        double off = u[j] - m->prior_mean[j];
        sum += 0.5 * m->prior_weight[j] * off * off;
    }
    return sum;
}

void expand(const Program *program, const Measure *m, const double *u, const double *target,
            const double *weight, Expansion *out) {
    int at = 0;
    memset(out->curvature, 0, sizeof(out->curvature));
    for (int g = 0; g < program->n_groups; g++) {
        const Group *group = &program->group[g];
        for (int start = 0; start < group->n_padded; start += BLOCK) {
            int left = group->n_padded - start, n = left < BLOCK ? left : BLOCK;
            program_block(group, u, start, n, m->gauss ? 1 : 2);
            if (!expand_block(group, m, target, weight, start, n, at, out)) {
                out->value = INFINITY;
                return;
            }
            at += n;
        }
    }
    out->value = total_loss(m, out->residual, out->weight, out->n_rows);
    out->value += prior_value(m, u, program->n_parameters);
    for (int j = 0; j < program->n_parameters; j++) {
        out->prior[j] = m->prior_weight[j] * (u[j] - m->prior_mean[j]);
        out->curvature[PAIR(j, j)] += m->prior_weight[j];
    }
}

double objective_value(const Program *program, const Measure *m, const double *u,
                       const double *target, const double *weight) {
    double sum = 0.0, y[BLOCK], w[BLOCK], r[BLOCK];
    for (int g = 0; g < program->n_groups; g++) {
        const Group *group = &program->group[g];
        for (int start = 0; start < group->n_padded; start += BLOCK) {
            int left = group->n_padded - start, n = left < BLOCK ? left : BLOCK;
            program_block(group, u, start, n, 0);
            gather(group, target, weight, start, n, y, w);
            if (!residuals(m, group->node[group->n_nodes - 1].value, y, r, n)) return INFINITY;
            sum += total_loss(m, r, w, n);
        }
    }
    return sum + prior_value(m, u, program->n_parameters);
}
