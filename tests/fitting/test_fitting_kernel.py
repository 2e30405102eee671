"""The compiled kernel and NumPy do the same work, to rounding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.fitting import kernel
from bootlaw.fitting.objective import Objective, Prior
from bootlaw.fitting.solver import minimise

FORMULAS = (
    "A*D1^-a1*D2^(-a2+a3*log(D1)) + E",
    "A*D1^-a1 + B*D2^-a2 + E",
    "B*(D2 + K*D1^c)^-b + E",
    "A*(D1+D2)^-a + B*(1 - (1 + F*D2/1e6)^-b) + E",
    "E + x/(1 + exp(y*log(D2) - z)) + A*max(D1^-b, D2^-c)",
    "E + A*arctan(x*log(D1))^2 + B*cos(y*log(D2))^2*D2^-b",
    "reuse: A*D1^-a1*D2^-a2 + E; scratch: A_s*D2^-a_s + E",
)

needs_kernel = pytest.mark.skipif(not kernel.available(), reason="the kernel was not built")


@contextmanager
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BOOTLAW_KERNEL", "off")
    kernel._module.cache_clear()
    try:
        yield
    finally:
        monkeypatch.delenv("BOOTLAW_KERNEL")
        kernel._module.cache_clear()


def problem(formula: str, n: int = 150) -> Objective:
    rng = np.random.default_rng(3)
    law = laws.from_formula(formula)
    columns = {
        "tokens_stage1": np.exp(rng.uniform(np.log(1e5), np.log(1e8), n)),
        "tokens_stage2": np.exp(rng.uniform(np.log(1e5), np.log(1e8), n)),
    }
    if "scratch" in formula:
        columns["tokens_stage1"][: n // 3] = 0.0
    losses = 2.0 + 20.0 * columns["tokens_stage2"] ** -0.2
    losses = losses * np.exp(0.01 * rng.standard_t(3, n))
    return Objective.of(law, columns, losses, 1e-2)


def points(objective: Objective, n: int) -> np.ndarray:
    return np.random.default_rng(4).uniform(0.1, 0.6, (n, objective.n_parameters))


@needs_kernel
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("loss", ["huber", "squared", "student-t"])
@pytest.mark.parametrize("scale", ["log", "level"])
def test_values_and_derivatives_agree(
    formula: str, loss: str, scale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = replace(problem(formula), loss=loss, scale=scale, delta=0.05)
    if scale == "level":
        objective = replace(objective, targets=np.exp(objective.targets))
    size = objective.n_parameters
    objective = replace(objective, prior=Prior(np.full(size, 0.3), np.linspace(0, 2, size)))
    u = points(objective, 5)
    value, (gradient, hessian, pull) = objective.value(u), objective.derivatives(u)
    with without_kernel(monkeypatch):
        slow_value, slow = objective.value(u), objective.derivatives(u)
    np.testing.assert_allclose(value, slow_value, rtol=1e-12)
    np.testing.assert_allclose(pull, slow[2], rtol=1e-11)
    for fast, reference in ((gradient, slow[0]), (hessian, slow[1])):
        np.testing.assert_allclose(fast, reference, rtol=1e-8, atol=1e-11 * abs(reference).max())


@needs_kernel
@pytest.mark.parametrize("formula", [*FORMULAS[:3], FORMULAS[-1]])
def test_both_solvers_end_at_the_same_points(formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = problem(formula)
    starts = points(objective, 6)
    fast = minimise(objective, starts, deltas=(0.1,))
    with without_kernel(monkeypatch):
        slow = minimise(objective, starts, deltas=(0.1,))
    assert fast.objective.min() == pytest.approx(slow.objective.min(), rel=1e-7)


@needs_kernel
def test_weights_of_zero_and_whole_weights_are_left_out_and_repeated_rows() -> None:
    objective = problem(FORMULAS[0])
    counts = np.random.default_rng(0).integers(0, 3, objective.targets.size)
    rows = np.repeat(np.arange(counts.size), counts)
    repeated = Objective.of(
        objective.design.law,
        {name: values[rows] for name, values in objective.design.columns.items()},
        np.exp(objective.targets[rows]),
        objective.delta,
    )
    u = points(objective, 3)
    weighted = replace(objective, weights=counts.astype(float))
    np.testing.assert_allclose(weighted.value(u), repeated.value(u), rtol=1e-12)


@needs_kernel
def test_threads_do_not_change_results() -> None:
    objective = problem(FORMULAS[0])
    starts = points(objective, 9)
    one, three = (minimise(objective, starts, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(one.u, three.u)
    np.testing.assert_array_equal(one.objective, three.objective)


@needs_kernel
def test_buffers_of_the_wrong_size_are_refused() -> None:
    objective = problem(FORMULAS[0])
    broken = replace(objective, targets=objective.targets[:-1])
    with pytest.raises(ValueError, match="wrong size"):
        kernel.evaluate(broken, points(objective, 2))


@needs_kernel
@pytest.mark.parametrize(
    "exponent", [-680.0, -300.0, -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 300.0, 680.0]
)
def test_the_kernels_exponential_and_logarithm_are_exact(exponent: float) -> None:
    """One row whose prediction is exp(x): residual x - target must be exact to rounding."""
    law = laws.from_formula("exp(x*log(D2))")
    objective = Objective.of(law, {"tokens_stage2": [np.e]}, [1.0], 1e-3, loss="squared")
    value = objective.value(np.array([[exponent]]))[0]
    assert value == pytest.approx(0.5 * exponent**2, rel=4e-15, abs=2e-32 + 5e-16 * abs(exponent))


def test_numpy_alone_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    from bootlaw.fitting.optimum import find_optimum

    objective = problem(FORMULAS[0], 40)
    fast = find_optimum(objective)
    with without_kernel(monkeypatch):
        assert not kernel.available()
        slow = find_optimum(objective)
    assert slow.verified
    assert slow.objective == pytest.approx(fast.objective, rel=1e-9)


def test_bounds_hold_and_bound_parameters_are_marked() -> None:
    from bootlaw.fitting.optimum import find_optimum

    objective = problem(FORMULAS[0], 40)
    free = find_optimum(objective)
    at = objective.design.law.index("a2")
    lower, upper = (bound.copy() for bound in objective.bounds)
    upper[at] = free.u[at] - 0.01
    held = find_optimum(objective.with_bounds(lower, upper))
    assert held.u[at] == upper[at]
    assert held.at_bound[at]
    assert held.objective >= free.objective
    gradient = objective.derivatives(held.u[None])[0][0]
    assert gradient[at] <= 0
