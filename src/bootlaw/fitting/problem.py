"""From rows and options to the objective of a fit: weights, bounds, priors and delta."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erf, exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.objective import Objective, Prior
from bootlaw.fitting.optimum import Optimum, find_optimum
from bootlaw.fitting.options import DELTA, Options
from bootlaw.laws import Constrained, Law
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]

EFFICIENT = 1.345
"""Delta in robust standard deviations at which Huber's estimate keeps 95 % of the efficiency of
least squares for normal noise (Holland & Welsch, Commun. Stat. A6 (1977) 813)."""

LEAST_DELTA = 1e-7
"""Smallest automatic delta: noise below the rounding of losses written with seven digits."""

DELTA_ROUNDS = 4
"""Times that an automatic delta is taken from the residuals of the fit with the one before."""


@dataclass(frozen=True)
class Solved:
    """A fitted objective.

    Attributes
    ----------
    scale : robust standard deviation of one row's residual, NaN where none is to spare.
    """

    objective: Objective
    optimum: Optimum
    scale: float


def solve(table: RunTable, constrained: Constrained, target: str, options: Options) -> Solved:
    """Return the optimum of the fit that `options` ask for.

    Delta ``auto``, priors and known errors need the size of the noise, which a first fit gives.
    """
    first = _objective(table, constrained.law, target, options)
    start = _start(constrained, options)
    solved = _solved(first, start, nearby=options.search == "nearby")
    if options.delta == "auto":
        solved = _with_own_delta(solved, options)
    if options.errors is not None:
        solved = _with_errors(solved, table, options.errors, target)
    if options.priors:
        solved = _with_priors(solved, constrained, options)
    return solved


def residual_scale(residuals: Floats, n_params: int) -> float:
    """Return a robust standard deviation of the residuals (n,), NaN where none is to spare.

    The median absolute residual after leaving out the `n_params` smallest, which a robust fit
    forces to about 0, over 0.6745, that of a standard normal (Street, Carroll & Ruppert, Am.
    Stat. 42 (1988) 152).
    """
    if residuals.size <= n_params:
        return float("nan")
    return float(np.median(np.sort(np.abs(residuals))[n_params:]) / 0.6745)


def _solved(objective: Objective, start: Floats | None, *, nearby: bool = False) -> Solved:
    optimum = find_optimum(objective, start, nearby=nearby)
    if not np.isfinite(optimum.objective):
        law = objective.design.law
        raise InputError(
            f"law {law.key} has no finite value above 0 on these rows at any start, so it has no "
            "logarithm there; check the formula, give a --start, or fit values with --scale level"
        )
    scale = residual_scale(objective.residuals(optimum.u), optimum.u.size)
    return Solved(objective, optimum, scale)


def _objective(table: RunTable, law: Law, target: str, options: Options) -> Objective:
    columns = {name: table.numbers(name) for name in law.variables}
    if options.scale == "log":
        _require_positive(table, target)
    objective = Objective.of(
        law,
        columns,
        table.numbers(target),
        DELTA if options.delta == "auto" else options.delta,
        # A first fit with Huber's loss finds the scale that Student's t needs.
        loss="huber" if options.delta == "auto" and options.loss != "squared" else options.loss,
        scale=options.scale,
        weights=None if options.weights is None else _weights(table, options.weights),
    )
    lower, upper = _bounds(objective, law, options)
    aimed = objective.with_bounds(lower, upper)
    return aimed if options.delta != "auto" else replace(aimed, delta=_first_delta(aimed))


def _require_positive(table: RunTable, target: str) -> None:
    """Refuse targets without a logarithm, by row."""
    wrong = ~(table.numbers(target) > 0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{table.place(at)}: found {table.numbers(target)[at]:g} to predict, which has no "
            "logarithm; fit the values themselves with --scale level"
        )


def _first_delta(objective: Objective) -> float:
    """Return a delta for the first fit of an automatic one: on levels there is no usual size."""
    if objective.scale == "log":
        return DELTA
    return max(1e-3 * float(np.abs(objective.targets).mean()), 1e-300)


def _non_negative(table: RunTable, column: str, what: str) -> Floats:
    """Return a column of finite numbers of at least 0; refuse any other by row."""
    values = table.numbers(column)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{table.place(at)}, column '{column}': found {values[at]:g}; {what} is a finite "
            "number of at least 0"
        )
    return values


def _weights(table: RunTable, column: str) -> Floats:
    values = _non_negative(table, column, "a weight")
    if not (values > 0).any():
        raise InputError(f"{table.source}: every weight in column '{column}' is 0; no row counts")
    # Weights of an unusual unit would bring the objective to the size of its own rounding.
    largest = float(values.max())
    return values if 1e-3 <= largest <= 1e3 else values / largest


def _bounds(objective: Objective, law: Law, options: Options) -> tuple[Floats, Floats]:
    lower, upper = (bound.copy() for bound in objective.bounds)
    for name, (low, high) in options.bounds.items():
        at = law.index(name)
        logged = bool(law.logged[at])
        if logged and high is not None and high <= 0:
            raise InputError(f"{name} is above 0; its upper bound {high:g} leaves nothing")
        if low is not None and not (logged and low <= 0):
            lower[at] = np.log(low) if logged else low
        if low is None and not logged:
            lower[at] = -np.inf
        if high is not None:
            upper[at] = np.log(high) if logged else high
    return lower, upper


def _start(constrained: Constrained, options: Options) -> Floats | None:
    if not options.start:
        return None
    law = constrained.law
    missing = [name for name in law.names if name not in options.start]
    if missing:
        raise InputError(f"the start lacks {', '.join(missing)}; give every free parameter")
    values = [options.start[name] for name in law.names]
    with np.errstate(all="ignore"):
        internal = law.to_internal(values)
    if not np.isfinite(internal).all():
        bad = law.names[int(np.flatnonzero(~np.isfinite(internal))[0])]
        raise InputError(f"the start {bad} = {options.start[bad]:g} is no value for {bad}")
    return np.asarray(internal)[None, :]


def _with_own_delta(solved: Solved, options: Options) -> Solved:
    """Fit again with delta 1.345 robust standard deviations, until it settles.

    Student's t takes the robust standard deviation itself as its scale.
    """
    loss, nearby = options.loss, options.search == "nearby"
    factor = EFFICIENT if loss == "huber" else 1.0
    for _ in range(DELTA_ROUNDS):
        if not np.isfinite(solved.scale):
            return solved
        delta = max(factor * solved.scale, LEAST_DELTA)
        settled = abs(delta / solved.objective.delta - 1) < 1e-3
        smoother = replace(solved.objective, loss=loss, delta=delta)
        solved = _solved(smoother, solved.optimum.u[None, :], nearby=nearby)
        if settled:
            break
    return solved


def _with_errors(solved: Solved, table: RunTable, column: str, target: str) -> Solved:
    """Weight rows by their total variance: the known one plus one that is common to all rows.

    Known sampling errors understate how far runs scatter, so the common part is what the
    residuals have beyond the median known variance, at least a tenth of their own.
    """
    errors = _non_negative(table, column, "a standard error")
    if not np.isfinite(solved.scale):
        return solved
    known = errors / table.numbers(target) if solved.objective.scale == "log" else errors
    total = solved.scale**2
    common = max(total - float(np.median(known**2)), 0.1 * total)
    weights = 1.0 / (1.0 + known**2 / common)
    weighted = replace(
        solved.objective, weights=solved.objective.weights * weights / weights.mean()
    )
    return _solved(weighted, solved.optimum.u[None, :])


def _with_priors(solved: Solved, constrained: Constrained, options: Options) -> Solved:
    """Add normal priors, in the unit of the objective that one unit of likelihood has."""
    law = constrained.law
    if not np.isfinite(solved.scale):
        raise InputError("a prior needs the noise of the rows, and no row is to spare; add rows")
    mean, weight = np.zeros(len(law.names)), np.zeros(len(law.names))
    unit = likelihood_unit(solved.objective, solved.scale)
    for name, (centre, deviation) in options.priors.items():
        at = law.index(name)
        if law.logged[at]:
            if centre <= 0:
                raise InputError(f"{name} is above 0; its prior mean {centre:g} is not")
            centre, deviation = float(np.log(centre)), deviation / centre
        mean[at], weight[at] = centre, unit / deviation**2
    return _solved(replace(solved.objective, prior=Prior(mean, weight)), None)


def likelihood_unit(objective: Objective, sigma: float) -> float:
    """Return how much of the objective one unit of log likelihood is, for normal noise `sigma`.

    E psi^2 / E psi', the factor between the curvature of a robust objective and the inverse
    covariance of its estimate (Huber, Robust Statistics (1981), 7.6).
    """
    if objective.loss == "squared":
        return sigma**2
    if objective.loss == "student-t":
        return objective.delta**2
    k = objective.delta / max(sigma, 1e-12)
    inside = erf(k / sqrt(2.0))
    density = exp(-0.5 * k * k) / sqrt(2.0 * pi)
    squares = sigma**2 * (inside - 2.0 * k * density) + objective.delta**2 * (1.0 - inside)
    return squares / max(inside, 1e-300)
