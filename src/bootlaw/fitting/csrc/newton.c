#include "newton.h"

#include <math.h>
#include <string.h>

#include "linear.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

#define PULL_FLOOR 1e-7
#define RESIDUAL_ROUNDING 1e-14
#define LOWEST_DAMPING 1e-14
#define HIGHEST_DAMPING 1e12
#define RIDGE 1e-10       /* lets damping hold directions that no row sees */
#define MOST_STEPS 40     /* of one robust regression */
#define MOST_TRIALS 20    /* of one search along a line */
#define FLAT_ENOUGH 0.1   /* slope at which a search along a line stops, of that at its start */
#define LARGEST_STEP 64.0 /* Newton steps that a search along a line may take at once */
#define INNER 0.03        /* scaled gradient at which a regression ends, of that at its start */
#define WORTH_A_STEP 1e-3 /* share of what a regression has won that its next step has to add */

/* Shares of the metric that hold a Hessian that is not positive. */
static const double HOLDS[] = {0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1,
                               1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
#define N_HOLDS 22

/* The problem near one point: residuals linear in the step d, plus d' held d / 2 + prior . d. */
typedef struct {
    const Expansion *at;
    const Measure *measure;
    const double *u, *lower, *upper;
    double metric[MAX_PAIRS];
    double held[MAX_PAIRS]; /* curvature of the residuals, and damping */
    Factor factor;          /* of the metric, for the parameters that were free last */
    int factored;           /* 1 where there is one, -1 where there can be none, 0 if not tried */
    int hold;               /* number of what held the last Hessian, in HOLDS */
} Model;

static double entry(const double *a, int i, int j) { return i >= j ? a[PAIR(i, j)] : a[PAIR(j, i)]; }

int workspace_new(Program *program, Workspace *w) {
    if (!expansion_new(program, &w->here) || !expansion_new(program, &w->there)) return 0;
    size_t n = (size_t)w->here.n_rows;
    double *room = program_room(program, 5 * n);
    if (!room) return 0;
    w->residual = room, w->psi = room + n, w->bend = room + 2 * n;
    w->along = room + 3 * n, w->scratch = room + 4 * n;
    return 1;
}

static const int EVERY[MAX_PARAMETERS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Sum over rows with a weight of J J^T. */
static void find_metric(Model *model, Workspace *w) {
    const Expansion *at = model->at;
    memset(model->metric, 0, sizeof(model->metric));
    model->factored = 0;
    for (int i = 0; i < at->n_rows; i++) w->bend[i] = at->weight[i] > 0.0 ? 1.0 : 0.0;
    add_products(at, w->bend, EVERY, at->n_parameters, w->scratch, model->metric);
}

/* Gradient of the model at step d, from the influences in the workspace. */
static void model_gradient(const Model *model, const Workspace *w, const double *d, double *gradient) {
    const Expansion *at = model->at;
    for (int j = 0; j < at->n_parameters; j++) {
        double sum = dot(w->psi, at->slope[j], at->n_rows) + at->prior[j];
        for (int k = 0; k < at->n_parameters; k++) sum += entry(model->held, j, k) * d[k];
        gradient[j] = sum;
    }
}

/* Free: not fixed, and not at a bound with the gradient pushing outwards. */
static Free free_parameters(const Model *model, const double *d, const double *gradient) {
    Free set = {0};
    for (int j = 0; j < model->at->n_parameters; j++) {
        double here = model->u[j] + d[j], g = gradient[j];
        int stopped = (here <= model->lower[j] && g > 0) || (here >= model->upper[j] && g < 0);
        int fixed = model->lower[j] == model->upper[j] || model->metric[PAIR(j, j)] <= 0.0;
        if (!stopped && !fixed) set.index[set.n++] = j;
    }
    return set;
}

/* The cosine between the rows' pull and the directions in which the parameters can move them. */
static double scaled_gradient(Model *model, const Free *set, const Workspace *w,
                              const double *gradient, double floor) {
    double g[MAX_PARAMETERS] = {0}, x[MAX_PARAMETERS], sum = 0.0;
    for (int i = 0; i < set->n; i++) g[i] = gradient[set->index[i]];
    if (!model->factored || !same_set(set, &model->factor.set))
        model->factored = factorise(set, model->metric, 1, &model->factor) ? 1 : -1;
    if (model->factored < 0) return INFINITY;
    solve(&model->factor, g, x);
    for (int i = 0; i < set->n; i++) sum += g[i] * x[i];
    double pull = sqrt(dot(w->psi, w->psi, model->at->n_rows));
    return sqrt(fmax(sum, 0.0)) / fmax(pull, floor);
}

/* Factorises a + hold metric, for the free parameters. */
static int hold_and_factorise(const Model *model, const Free *set, const double *a, double hold,
                              Factor *factor) {
    double b[MAX_PAIRS];
    for (int i = 0; i < set->n; i++)
        for (int j = 0; j <= i; j++) {
            int at = PAIR(set->index[i], set->index[j]);
            b[at] = a[at] + hold * model->metric[at] * (i == j ? 1.0 + RIDGE : 1.0);
        }
    return factorise(set, b, 0, factor);
}

/* Factorises the Hessian a of the model; where it is not positive, as with few rows inside delta,
   with the least of the powers of ten of the metric that hold it. More of it holds it all the more,
   so the search starts from what the step before needed. */
static int hold_hessian(Model *model, const Free *set, const double *a, Factor *factor) {
    Factor less;
    int h = model->hold;
    while (!hold_and_factorise(model, set, a, HOLDS[h], factor))
        if (++h == N_HOLDS) return 0;
    if (h == model->hold)
        while (h > 0 && hold_and_factorise(model, set, a, HOLDS[h - 1], &less)) {
            *factor = less;
            h--;
        }
    model->hold = h;
    return 1;
}

/* Fills `step` (all parameters) with the Newton step of the model. */
static int model_step(Model *model, const Free *set, Workspace *w, const double *gradient,
                      double *step) {
    double a[MAX_PAIRS] = {0}, g[MAX_PARAMETERS], x[MAX_PARAMETERS];
    Factor factor;
    add_products(model->at, w->bend, set->index, set->n, w->scratch, a);
    for (int i = 0; i < set->n; i++) {
        g[i] = -gradient[set->index[i]];
        for (int j = 0; j <= i; j++) {
            int at = PAIR(set->index[i], set->index[j]);
            a[at] += model->held[at];
        }
    }
    if (!hold_hessian(model, set, a, &factor)) return 0;
    solve(&factor, g, x);
    memset(step, 0, sizeof(double) * MAX_PARAMETERS);
    for (int i = 0; i < set->n; i++) step[set->index[i]] = x[i];
    return 1;
}

/* Takes out the parameters on a bound that the step pushes against; returns whether there were any.
   The gradient alone would let them go, the step of all parameters together does not. */
static int drop_blocked(const Model *model, Free *set, const double *d, const double *step) {
    int kept = 0;
    for (int i = 0; i < set->n; i++) {
        int j = set->index[i];
        double here = model->u[j] + d[j];
        int blocked = (here <= model->lower[j] && step[j] < 0) || (here >= model->upper[j] && step[j] > 0);
        if (!blocked) set->index[kept++] = j;
    }
    int dropped = set->n - kept;
    set->n = kept;
    return dropped;
}

/* along = J step */
WIDE static void find_along(const Expansion *at, const double *step, double *along) {
    memset(along, 0, sizeof(double) * (size_t)at->n_rows);
    for (int j = 0; j < at->n_parameters; j++) {
        if (step[j] == 0.0) continue;
        const double *x = at->slope[j];
        double by = step[j];
        for (int i = 0; i < at->n_rows; i++) along[i] += by * x[i];
    }
}

/* Slope of the rows' loss at residual + a along; `bend` is its derivative. */
WIDE static double slope_along(const Measure *m, const Workspace *w, const double *weight, double a,
                               int n, double *bend) {
    double first[LANES] = {0}, second[LANES] = {0}, d = m->delta;
    if (m->loss != HUBER) {
        for (int i = 0; i < n; i++) w->scratch[i] = w->residual[i] + a * w->along[i];
        influences(m, w->scratch, weight, w->psi, w->bend, n);
        for (int i = 0; i < n; i++) w->bend[i] *= w->along[i];
        *bend = dot(w->bend, w->along, n);
        return dot(w->psi, w->along, n);
    }
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double s = w->along[i + l], r = w->residual[i + l] + a * s;
            double low = r < -d ? -d : r, cut = low > d ? d : low, ws = weight[i + l] * s;
            first[l] += ws * cut;
            second[l] += cut == r ? ws * s : 0.0;
        }
    for (int l = 1; l < LANES; l++) first[0] += first[l], second[0] += second[l];
    *bend = second[0];
    return first[0];
}

/* The step length that makes the model least along `step`, at most `longest`. */
static double search_line(const Model *model, const Workspace *w, const double *step,
                          const double *d, const double *gradient, double longest) {
    int n = model->at->n_rows, p = model->at->n_parameters;
    double start = 0.0, constant = 0.0, linear = 0.0, bend;
    for (int j = 0; j < p; j++) {
        start += gradient[j] * step[j];
        constant += model->at->prior[j] * step[j];
        for (int k = 0; k < p; k++) {
            constant += entry(model->held, j, k) * d[k] * step[j];
            linear += entry(model->held, j, k) * step[k] * step[j];
        }
    }
    double low = 0.0, high = INFINITY, a = fmin(1.0, longest);
    for (int trial = 0; trial < MOST_TRIALS; trial++) {
        double slope = slope_along(model->measure, w, model->at->weight, a, n, &bend) + constant + a * linear;
        bend += linear;
        if (fabs(slope) <= FLAT_ENOUGH * fabs(start)) return a;
        if (slope < 0.0) low = a;
        else high = a;
        if (low >= longest) return longest;
        double next = bend > 0.0 ? a - slope / bend : INFINITY;
        double most = fmin(isfinite(high) ? high : fmin(4.0 * a, LARGEST_STEP), longest);
        if (!isfinite(high) && low >= LARGEST_STEP) return low;
        if (!(next > low && next < most)) next = isfinite(high) ? 0.5 * (low + high) : most;
        a = next;
    }
    return low > 0.0 ? low : a;
}

static double longest_step(const Model *model, const double *d, const double *step) {
    double longest = LARGEST_STEP;
    for (int j = 0; j < model->at->n_parameters; j++) {
        double here = model->u[j] + d[j];
        if (step[j] > 0.0) longest = fmin(longest, (model->upper[j] - here) / step[j]);
        if (step[j] < 0.0) longest = fmin(longest, (model->lower[j] - here) / step[j]);
    }
    return fmax(longest, 0.0);
}

/* Moves the step d from 0 to where the model is least; its residuals are left in the workspace. */
static void regress(Model *model, Workspace *w, double tolerance, double floor, double *d) {
    const Expansion *at = model->at;
    size_t size = sizeof(double) * (size_t)at->n_rows;
    memcpy(w->residual, at->residual, size);
    memset(d, 0, sizeof(double) * MAX_PARAMETERS);
    double won = 0.0;
    for (int k = 0; k < MOST_STEPS; k++) {
        double gradient[MAX_PARAMETERS], step[MAX_PARAMETERS];
        influences(model->measure, w->residual, at->weight, w->psi, w->bend, at->n_rows);
        model_gradient(model, w, d, gradient);
        Free set = free_parameters(model, d, gradient);
        if (scaled_gradient(model, &set, w, gradient, floor) <= tolerance) return;
        do {
            if (!model_step(model, &set, w, gradient, step)) return;
        } while (drop_blocked(model, &set, d, step));
        double longest = longest_step(model, d, step);
        find_along(at, step, w->along);
        double a = search_line(model, w, step, d, gradient, longest);
        for (int j = 0; j < at->n_parameters; j++) {
            d[j] += a * step[j];
            /* A step that ends on a bound ends on it exactly. */
            d[j] = fmin(fmax(d[j], model->lower[j] - model->u[j]), model->upper[j] - model->u[j]);
        }
        for (int i = 0; i < at->n_rows; i++) w->residual[i] += a * w->along[i];
        double gain = 0.0;
        for (int j = 0; j < at->n_parameters; j++) gain -= 0.5 * a * gradient[j] * step[j];
        won += gain;
        if (gain <= WORTH_A_STEP * won) return;
    }
}

/* What the model without damping says the objective falls by. */
static double predicted_decrease(const Model *model, const Workspace *w, const double *d, double prior) {
    const Expansion *at = model->at;
    double ahead = total_loss(model->measure, w->residual, at->weight, at->n_rows) + prior;
    for (int j = 0; j < at->n_parameters; j++) {
        ahead += at->prior[j] * d[j];
        for (int k = 0; k < at->n_parameters; k++) ahead += 0.5 * entry(at->curvature, j, k) * d[j] * d[k];
    }
    return at->value - ahead;
}

/* The decrease over the predicted one. Near the optimum the decrease of a good step drowns in the
   rounding of the objective while the gradient still has digits to gain: there a step counts as
   good if it costs nothing. */
static double gain_of(double decrease, double predicted, double rounding) {
    if (predicted < 10.0 * rounding && decrease >= -rounding) return 1.0;
    return predicted > 0.0 ? decrease / predicted : -1.0;
}

static void set_damping(Model *model, double damping) {
    for (int j = 0; j < model->at->n_parameters; j++)
        for (int k = 0; k <= j; k++) {
            int at = PAIR(j, k);
            double held = j == k ? RIDGE * model->metric[at] : 0.0;
            held += model->metric[at] + model->measure->reach[j * model->at->n_parameters + k];
            model->held[at] = model->at->curvature[at] + damping * held;
        }
}

static double outer_gradient(Model *model, Workspace *w, double floor) {
    double gradient[MAX_PARAMETERS], none[MAX_PARAMETERS] = {0};
    influences(model->measure, model->at->residual, model->at->weight, w->psi, w->bend, model->at->n_rows);
    model_gradient(model, w, none, gradient);
    Free set = free_parameters(model, none, gradient);
    return scaled_gradient(model, &set, w, gradient, floor);
}

Outcome newton(const Program *program, const Measure *measure, const Options *options,
               const double *lower, const double *upper, const double *target,
               const double *weight, Workspace *w, double *u) {
    int n = program->n_parameters;
    double width = sqrt((double)options->n_rows), damping = options->damping, growth = 4.0;
    double floor = PULL_FLOOR * width, trial[MAX_PARAMETERS], d[MAX_PARAMETERS];
    Outcome end = {INFINITY, INFINITY, 0};
    for (int j = 0; j < n; j++) u[j] = fmin(fmax(u[j], lower[j]), upper[j]);
    expand(program, measure, u, target, weight, &w->here);
    end.value = w->here.value;
    if (!isfinite(end.value)) return end;
    double heaviest = 0.0;
    for (int i = 0; i < w->here.n_rows; i++) heaviest = fmax(heaviest, w->here.weight[i]);
    floor *= heaviest; /* weights of another unit change nothing */
    Model model = {.at = &w->here, .measure = measure, .u = u, .lower = lower, .upper = upper};
    find_metric(&model, w);
    end.scaled_gradient = outer_gradient(&model, w, floor);
    while (end.scaled_gradient > options->tolerance && end.iterations < options->max_iterations) {
        end.iterations++;
        double rounding = RESIDUAL_ROUNDING * width * sqrt(dot(w->psi, w->psi, w->here.n_rows));
        double prior = w->here.value - total_loss(measure, w->here.residual, w->here.weight, w->here.n_rows);
        set_damping(&model, damping);
        regress(&model, w, fmax(0.1 * options->tolerance, INNER * end.scaled_gradient), floor, d);
        double predicted = predicted_decrease(&model, w, d, prior);
        for (int j = 0; j < n; j++) trial[j] = fmin(fmax(u[j] + d[j], lower[j]), upper[j]);
        expand(program, measure, trial, target, weight, &w->there);
        double decrease = w->here.value - w->there.value;
        double gain = isfinite(w->there.value) ? gain_of(decrease, predicted, rounding) : -1.0;
        if (gain > 1e-4) {
            double bent = 2.0 * fmin(gain, 2.0) - 1.0;
            damping = fmax(damping * fmin(fmax(1.0 - bent * bent * bent, 0.05), 4.0), LOWEST_DAMPING);
            growth = 4.0;
            memcpy(u, trial, sizeof(double) * (size_t)n);
            Expansion spare = w->here;
            w->here = w->there, w->there = spare;
            find_metric(&model, w);
        } else {
            damping *= growth, growth *= 2.0;
        }
        end.scaled_gradient = outer_gradient(&model, w, floor);
        if (damping > HIGHEST_DAMPING) break;
    }
    end.value = w->here.value;
    return end;
}

double derivatives(const Measure *measure, const Expansion *at, Workspace *w, double *gradient,
                   double *hessian) {
    influences(measure, at->residual, at->weight, w->psi, w->bend, at->n_rows);
    memcpy(hessian, at->curvature, sizeof(double) * MAX_PAIRS);
    add_products(at, w->bend, EVERY, at->n_parameters, w->scratch, hessian);
    for (int j = 0; j < at->n_parameters; j++)
        gradient[j] = dot(w->psi, at->slope[j], at->n_rows) + at->prior[j];
    return sqrt(dot(w->psi, w->psi, at->n_rows));
}
