/* Python's door to the kernel: buffers in, buffers filled. bootlaw/fitting/kernel.py checks the
   arguments' meaning; this file checks their sizes, so that no call can read beyond a buffer. */
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "newton.h"

typedef struct {
    Py_buffer view;
    int open;
} Buffer;

enum { CODE, ROWS, COLUMNS, TARGETS, WEIGHTS, POINTS, LOWER, UPPER, MEAN, PRIOR, REACH, N_COMMON };
enum { STAGES = N_COMMON, VALUES, GRADIENTS, N_MINIMISE };
enum { OUT_VALUES = N_COMMON, OUT_GRADIENT, OUT_HESSIAN, OUT_PULL, N_EVALUATE };

typedef struct {
    int n_parameters, n_groups, n_rows, n_problems, loss, scale;
    double delta, freedom, damping;
    Program *program;
    Workspace workspace;
    Measure measure;
    size_t target_stride, weight_stride;
} Call;

static void release(Buffer *buffers, int n) {
    for (int i = 0; i < n; i++)
        if (buffers[i].open) PyBuffer_Release(&buffers[i].view);
}

static int open_buffers(PyObject *list, Buffer *buffers, int n, int first_output) {
    if (!PyTuple_Check(list) || PyTuple_Size(list) != n) {
        PyErr_SetString(PyExc_ValueError, "wrong number of buffers");
        return 0;
    }
    for (int i = 0; i < n; i++) {
        int flags = PyBUF_C_CONTIGUOUS | (i >= first_output || i == POINTS ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(PyTuple_GetItem(list, i), &buffers[i].view, flags)) return 0;
        buffers[i].open = 1;
    }
    return 1;
}

static size_t doubles(const Buffer *buffer) { return (size_t)buffer->view.len / sizeof(double); }
static double *data(const Buffer *buffer) { return buffer->view.buf; }

static int rows_fit(const Call *call, const Buffer *buffers, int n_all) {
    const int32_t *row = buffers[ROWS].view.buf;
    for (int i = 0; i < n_all; i++)
        if (row[i] < 0 || row[i] >= call->n_rows) return 0;
    return 1;
}

/* Checks the sizes of the common buffers and builds the program; returns 0 with an error set. */
static int prepare(Call *call, const Buffer *b) {
    size_t n = (size_t)call->n_rows, p = (size_t)call->n_parameters, r = (size_t)call->n_problems;
    int n_code = (int)((size_t)b[CODE].view.len / sizeof(int32_t)), at = 0;
    const int32_t *code = b[CODE].view.buf;
    size_t rows = 0, columns = 0;
    int ok = call->n_rows > 0 && call->n_problems >= 0 && call->n_groups > 0;
    for (int g = 0; ok && g < call->n_groups; g++) {
        ok = at + 5 <= n_code && code[at] > 0 && code[at + 1] >= code[at] && code[at + 1] % LANES == 0
             && code[at + 2] > 0 && code[at + 3] >= 0 && code[at + 4] >= 0;
        if (!ok) break;
        rows += (size_t)code[at], columns += (size_t)code[at + 1] * (size_t)code[at + 4];
        at += 5 + 3 * code[at + 2] + 2 * code[at + 3];
    }
    call->target_stride = doubles(&b[TARGETS]) == n ? 0 : n;
    call->weight_stride = doubles(&b[WEIGHTS]) == n ? 0 : n;
    ok = ok && (size_t)b[ROWS].view.len / sizeof(int32_t) == rows && rows_fit(call, b, (int)rows)
         && doubles(&b[COLUMNS]) == columns && doubles(&b[POINTS]) == r * p
         && (call->target_stride == 0 || doubles(&b[TARGETS]) == r * n)
         && (call->weight_stride == 0 || doubles(&b[WEIGHTS]) == r * n)
         && doubles(&b[LOWER]) == p && doubles(&b[UPPER]) == p && doubles(&b[MEAN]) == p
         && doubles(&b[PRIOR]) == p && doubles(&b[REACH]) == p * p;
    if (!ok) {
        PyErr_SetString(PyExc_ValueError, "buffers of the wrong size");
        return 0;
    }
    call->program = program_new(call->n_parameters, call->n_groups, code, n_code,
                                b[ROWS].view.buf, data(&b[COLUMNS]));
    if (!call->program || !workspace_new(call->program, &call->workspace)) {
        PyErr_SetString(PyExc_ValueError, "not a valid program, or not enough memory");
        return 0;
    }
    Measure measure = {call->loss, call->scale, call->delta, call->freedom, data(&b[MEAN]), data(&b[PRIOR]),
                       data(&b[REACH]), 0};
    call->measure = measure;
    return 1;
}

static const double *target_of(const Call *call, const Buffer *b, int problem) {
    return data(&b[TARGETS]) + call->target_stride * (size_t)problem;
}

static const double *weight_of(const Call *call, const Buffer *b, int problem) {
    return data(&b[WEIGHTS]) + call->weight_stride * (size_t)problem;
}

/* Takes every problem through the stages, rows of (delta, tolerance, most iterations, Gauss-Newton). */
static void run_minimise(Call *call, const Buffer *b) {
    size_t n_stages = doubles(&b[STAGES]) / 4;
    for (int r = 0; r < call->n_problems; r++) {
        double *u = data(&b[POINTS]) + (size_t)r * (size_t)call->n_parameters;
        Outcome outcome = {0};
        for (size_t s = 0; s < n_stages; s++) {
            const double *stage = data(&b[STAGES]) + 4 * s;
            Options options = {stage[1], call->damping, (int)stage[2], call->n_rows};
            call->measure.delta = stage[0];
            call->measure.gauss = stage[3] != 0.0;
            outcome = newton(call->program, &call->measure, &options, data(&b[LOWER]),
                             data(&b[UPPER]), target_of(call, b, r), weight_of(call, b, r),
                             &call->workspace, u);
        }
        data(&b[VALUES])[r] = outcome.value;
        data(&b[GRADIENTS])[r] = outcome.scaled_gradient;
    }
}

static PyObject *minimise(PyObject *self, PyObject *args) {
    (void)self;
    Call call = {0};
    Buffer b[N_MINIMISE] = {0};
    PyObject *list, *result = NULL;
    if (!PyArg_ParseTuple(args, "iiiiiiddO", &call.n_parameters, &call.n_groups, &call.n_rows,
                          &call.n_problems, &call.loss, &call.scale, &call.freedom, &call.damping, &list))
        return NULL;
    if (open_buffers(list, b, N_MINIMISE, VALUES) && prepare(&call, b)) {
        size_t r = (size_t)call.n_problems;
        if (doubles(&b[VALUES]) != r || doubles(&b[GRADIENTS]) != r || doubles(&b[STAGES]) % 4) {
            PyErr_SetString(PyExc_ValueError, "buffers of the wrong size");
        } else {
            Py_BEGIN_ALLOW_THREADS
            run_minimise(&call, b);
            Py_END_ALLOW_THREADS
            Py_INCREF(Py_None);
            result = Py_None;
        }
    }
    program_free(call.program);
    release(b, N_MINIMISE);
    return result;
}

static void run_evaluate(Call *call, const Buffer *b, int with_derivatives) {
    size_t p = (size_t)call->n_parameters;
    for (int r = 0; r < call->n_problems; r++) {
        const double *u = data(&b[POINTS]) + (size_t)r * p;
        const double *target = target_of(call, b, r), *weight = weight_of(call, b, r);
        if (!with_derivatives) {
            data(&b[OUT_VALUES])[r] = objective_value(call->program, &call->measure, u, target, weight);
            continue;
        }
        Expansion *at = &call->workspace.here;
        double hessian[MAX_PAIRS];
        expand(call->program, &call->measure, u, target, weight, at);
        data(&b[OUT_VALUES])[r] = at->value;
        data(&b[OUT_PULL])[r] = derivatives(&call->measure, at, &call->workspace,
                                            data(&b[OUT_GRADIENT]) + (size_t)r * p, hessian);
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                data(&b[OUT_HESSIAN])[((size_t)r * p + j) * p + k] =
                    hessian[j > k ? PAIR(j, k) : PAIR(k, j)];
    }
}

static PyObject *evaluate(PyObject *self, PyObject *args) {
    (void)self;
    Call call = {0};
    Buffer b[N_EVALUATE] = {0};
    PyObject *list, *result = NULL;
    int with_derivatives;
    if (!PyArg_ParseTuple(args, "iiiiiiddiO", &call.n_parameters, &call.n_groups, &call.n_rows,
                          &call.n_problems, &call.loss, &call.scale, &call.freedom, &call.delta,
                          &with_derivatives, &list))
        return NULL;
    if (open_buffers(list, b, N_EVALUATE, OUT_VALUES) && prepare(&call, b)) {
        size_t r = (size_t)call.n_problems, p = (size_t)call.n_parameters;
        int ok = doubles(&b[OUT_VALUES]) == r;
        if (with_derivatives)
            ok = ok && doubles(&b[OUT_GRADIENT]) == r * p && doubles(&b[OUT_HESSIAN]) == r * p * p
                 && doubles(&b[OUT_PULL]) == r;
        if (!ok) {
            PyErr_SetString(PyExc_ValueError, "buffers of the wrong size");
        } else {
            Py_BEGIN_ALLOW_THREADS
            run_evaluate(&call, b, with_derivatives);
            Py_END_ALLOW_THREADS
            Py_INCREF(Py_None);
            result = Py_None;
        }
    }
    program_free(call.program);
    release(b, N_EVALUATE);
    return result;
}

static PyMethodDef methods[] = {
    {"minimise", minimise, METH_VARARGS, "Move every point to a local minimum, in place."},
    {"evaluate", evaluate, METH_VARARGS, "Fill in objectives and their derivatives."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "The inner loop of the solver.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModule_Create(&definition); }
