#include "linear.h"

#include <math.h>

int factorise(const Free *set, const double *a, int drop, Factor *f) {
    int n = set->n;
    f->set = *set;
    for (int i = 0; i < n; i++) {
        double d = a[PAIR(set->index[i], set->index[i])];
        if (!(d > 0.0)) return 0;
        f->scale[i] = 1.0 / sqrt(d);
    }
    for (int i = 0; i < n; i++) {
        double *row = f->l[i];
        for (int j = 0; j <= i; j++) {
            const double *other = f->l[j];
            double sum = a[PAIR(set->index[i], set->index[j])] * f->scale[i] * f->scale[j];
            for (int k = 0; k < j; k++) sum -= row[k] * other[k];
            if (i != j) {
                row[j] = sum * f->over[j];
            } else if (sum > SINGULAR) {
                f->over[i] = 1.0 / sqrt(sum);
            } else if (drop) {
                f->over[i] = 0.0;
            } else {
                return 0;
            }
        }
    }
    return 1;
}

void solve(const Factor *f, const double *b, double *x) {
    int n = f->set.n;
    for (int i = 0; i < n; i++) {
        double sum = b[i] * f->scale[i];
        for (int k = 0; k < i; k++) sum -= f->l[i][k] * x[k];
        x[i] = sum * f->over[i];
    }
    for (int i = n - 1; i >= 0; i--) {
        double sum = x[i];
        for (int k = i + 1; k < n; k++) sum -= f->l[k][i] * x[k];
        x[i] = sum * f->over[i];
    }
    for (int i = 0; i < n; i++) x[i] *= f->scale[i];
}

int same_set(const Free *one, const Free *other) {
    if (one->n != other->n) return 0;
    for (int i = 0; i < one->n; i++)
        if (one->index[i] != other->index[i]) return 0;
    return 1;
}
