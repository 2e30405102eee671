#include "linear.h"

#include <math.h>

int solve(const Free *set, const double *a, const double *b, int drop, double *x) {
    double scale[MAX_PARAMETERS], l[MAX_PARAMETERS][MAX_PARAMETERS];
    int n = set->n;
    for (int i = 0; i < n; i++) {
        double d = a[PAIR(set->index[i], set->index[i])];
        if (!(d > 0.0)) return 0;
        scale[i] = 1.0 / sqrt(d);
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = a[PAIR(set->index[i], set->index[j])] * scale[i] * scale[j];
            for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
            if (i != j) {
                l[i][j] = l[j][j] > 0.0 ? sum / l[j][j] : 0.0;
            } else if (sum > SINGULAR) {
                l[i][i] = sqrt(sum);
            } else if (drop) {
                l[i][i] = 0.0;
            } else {
                return 0;
            }
        }
    }
    for (int i = 0; i < n; i++) {
        double sum = b[i] * scale[i];
        for (int k = 0; k < i; k++) sum -= l[i][k] * x[k];
        x[i] = l[i][i] > 0.0 ? sum / l[i][i] : 0.0;
    }
    for (int i = n - 1; i >= 0; i--) {
        double sum = x[i];
        for (int k = i + 1; k < n; k++) sum -= l[k][i] * x[k];
        x[i] = l[i][i] > 0.0 ? sum / l[i][i] : 0.0;
    }
    for (int i = 0; i < n; i++) x[i] *= scale[i];
    return 1;
}
