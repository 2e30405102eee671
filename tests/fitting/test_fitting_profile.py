"""Profile intervals: against an independent optimiser, the refits, and each other."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import least_squares

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting import fit
from bootlaw.fitting.bootstrap import Replicates, refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum
from bootlaw.fitting.profile import profile
from bootlaw.fitting.quantities import Forecast, Quantity, breakeven, combination, parameter
from bootlaw.laws.names import D1, D2

LAW = laws.get("bootstrapped+scratch")
TRUE = {"A": 20.0, "a1": 0.12, "a2": 0.3, "a3": 0.012, "A_s": 27.71, "a_s": 0.3, "E": 1.1}
TRUNKS = np.repeat(np.arange(8), 5)
Problem = tuple[Objective, Optimum, Objective, Replicates]


@cache
def problem(delta: float = 1.0, floor: float = 1.1) -> Problem:
    """Return a table of six trunks of reuse and two from scratch, and its simulated tables."""
    bases = np.concatenate([np.repeat(np.geomspace(2e5, 2e7, 3), 2), np.zeros(2)])
    columns = {D1: np.repeat(bases, 5), D2: np.tile(np.geomspace(1e5, 1e7, 5), 8)}
    rng = np.random.default_rng(3)
    noise = 0.003 * rng.standard_normal(8)[TRUNKS] + 0.002 * rng.standard_normal(40)
    params = [(TRUE | {"E": floor})[name] for name in LAW.names]
    objective = Objective.of(LAW, columns, LAW.loss(params, columns) * np.exp(noise), delta)
    optimum = find_optimum(objective)
    tables = resampled(objective, optimum.u, "random-effects", TRUNKS, 400, 0)
    return objective, optimum, tables, refit(tables, optimum, 400)


def test_the_profile_is_the_least_objective_with_the_parameter_held() -> None:
    objective, optimum, tables, refits = problem()
    found = profile(objective, optimum, parameter(LAW, "a3"), tables, refits)
    at = LAW.index("a3")
    others = np.arange(len(LAW.names)) != at
    for i in range(0, found.values.size, 8):

        def residuals(free: np.ndarray, held: float = float(found.values[i])) -> np.ndarray:
            return objective.residuals(np.insert(free, at, held)[None, :])[0]

        rival = least_squares(residuals, optimum.u[others], x_scale="jac", xtol=1e-15, ftol=1e-15)
        assert optimum.objective + found.rise[i] <= rival.cost * (1 + 1e-7)


QUANTITIES: dict[str, Quantity] = {
    **{name: parameter(LAW, name) for name in LAW.names},
    "a1 - a3 ln D2": combination(
        [0.0, 1.0, 0.0, -np.log(1e6), 0.0, 0.0, 0.0][: len(LAW.names)], law=LAW
    ),
    "ln D*": breakeven(LAW, 2e6),
    "inside": Forecast(LAW, {D1: 2e6, D2: 1e6}),
    "beyond": Forecast(LAW, {D1: 6e7, D2: 3e7}),
    "scratch": Forecast(LAW, {D1: 0.0, D2: 3e7}),
}


@pytest.mark.parametrize("name", QUANTITIES)
def test_least_squares_profiles_agree_with_the_percentiles_of_the_refits(name: str) -> None:
    """Both are Student's t intervals where the law is nearly linear over the noise."""
    objective, optimum, tables, refits = problem()
    quantity = QUANTITIES[name]
    low, high = profile(objective, optimum, quantity, tables, refits).interval()
    bottom, top = np.quantile(quantity.of(refits.u), [0.025, 0.975])
    assert low == pytest.approx(bottom, abs=0.12 * (top - bottom))
    assert high == pytest.approx(top, abs=0.12 * (top - bottom))


@pytest.mark.parametrize("delta", [1e-3, 1.0])
def test_a_forecast_for_endless_training_is_the_irreducible_loss(delta: float) -> None:
    """The two kinds of constraint agree: a held row where only E is left, and E held."""
    objective, optimum, tables, refits = problem(delta)
    limit = Forecast(LAW, {D1: 2e6, D2: 1e250})
    of_row = profile(objective, optimum, limit, tables, refits).interval()
    of_parameter = profile(objective, optimum, parameter(LAW, "E"), tables, refits).interval()
    np.testing.assert_allclose(np.exp(of_row), of_parameter, rtol=2e-4)


def test_a_floor_that_the_rows_do_not_show_reaches_down_to_its_bound() -> None:
    objective, optimum, tables, refits = problem(1.0, 0.0)
    found = profile(objective, optimum, parameter(LAW, "E"), tables, refits)
    assert found.interval()[0] == 0.0
    assert (found.values >= 0).all()


def test_the_rise_is_never_negative_and_zero_at_the_estimate() -> None:
    objective, optimum, tables, refits = problem(1e-3)
    found = profile(objective, optimum, parameter(LAW, "a2"), tables, refits)
    assert found.rise.min() > -1e-9 * optimum.objective
    assert found.rise[found.values == found.estimate] == pytest.approx(0.0, abs=1e-12)


def test_a_breakeven_is_where_the_two_curves_meet() -> None:
    u = LAW.to_internal([TRUE[name] for name in LAW.names])
    position = float(breakeven(LAW, 2e6).of(u[None, :])[0])
    columns = {D1: np.array([2e6, 0.0]), D2: np.full(2, np.exp(position))}
    reuse, scratch = LAW.loss(LAW.from_internal(u), columns)
    assert reuse == pytest.approx(scratch, rel=1e-12)


def test_laws_without_a_single_crossing_are_refused() -> None:
    with pytest.raises(InputError, match="joint law"):
        breakeven(laws.get("bootstrapped"), 2e6)
    with pytest.raises(InputError, match="one power law each"):
        breakeven(laws.get("additive+scratch"), 2e6)
    objective, optimum, tables, refits = problem()
    never = breakeven(LAW, 2e6)
    lost = type(never)(lambda u: np.full(len(u), np.inf), never.constraint)
    with pytest.raises(InputError, match="no crossing"):
        profile(objective, optimum, lost, tables, refits)


def test_a_fit_profiles_the_loss_at_a_point_that_was_asked_for() -> None:
    objective, optimum, _, _ = problem()
    columns = {**objective.design.columns, "loss": np.exp(objective.targets), "params": [1e7] * 40}
    asked = ["D1=2M,D2=1e6", "E"]
    found = fit(columns, LAW, delta=1.0, profile=asked)
    low, high = found.profiles["D1=2M,D2=1e6"]
    loss = float(LAW.loss(LAW.from_internal(optimum.u), {D1: [2e6], D2: [1e6]})[0])
    assert low < loss < high < 1.02 * loss
    assert found.profiles["E"][0] < found.value("E") < found.profiles["E"][1]
    for point, said in (("D1=2M", "lacks tokens_stage2"), ("D1=2M,D2=x", "no value"),
                        ("D1=1,D2=1,N=2", "has params")):  # fmt: skip
        with pytest.raises(InputError, match=said):
            fit(columns, LAW, delta=1.0, profile=[point])
