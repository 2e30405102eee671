"""How uncertain a fit is: refits to resampled tables, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum
from bootlaw.fitting.solver import Solution, minimise
from bootlaw.fitting.trunk_noise import trunk_noise

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

SCHEMES = ("auto", "random-effects", "pairs", "trunks", "wild")
LEAST_TRUNKS = 3

WEBB = np.sqrt(np.array([1.5, 1.0, 0.5]))
"""Six-point weights +-sqrt(3/2), +-1, +-sqrt(1/2) for few clusters: Webb, Queen's Economics
Department working paper 1315 (2014)."""


@dataclass(frozen=True)
class Replicates:
    """Bootstrap refits.

    Attributes
    ----------
    u : (R, p) internal coordinates.
    share_converged : share of the refits whose gradient vanishes.
    """

    u: Floats
    share_converged: float


def choose_scheme(resample: str, trunks: Labels | None, n_spare: int = 1) -> str:
    """Return the scheme that "auto" stands for, or the one asked for.

    "random-effects" wherever a row is to spare: it alone has intervals that cover as they say
    with few trunks (`benchmarks/coverage.py`). Without one the noise is unknown: "pairs".

    Parameters
    ----------
    trunks : (n,) numbers of the rows' trunks, None where the table does not tell.
    n_spare : rows less fitted parameters.

    Raises
    ------
    InputError
        For an unknown scheme, or one that needs trunks or rows the table does not have.
    """
    if resample not in SCHEMES:
        raise InputError(f"resample is one of {', '.join(SCHEMES)}, not {resample!r}")
    if resample == "auto":
        return "random-effects" if n_spare > 0 else "pairs"
    if resample == "random-effects" and n_spare < 1:
        raise InputError(
            "resample 'random-effects' needs more rows than the law has parameters, to tell the "
            "noise; use resample 'pairs'"
        )
    n_trunks = 0 if trunks is None else int(trunks.max()) + 1
    if resample in ("trunks", "wild") and n_trunks < LEAST_TRUNKS:
        raise InputError(
            f"resample {resample!r} needs at least {LEAST_TRUNKS} trunks and the rows used have "
            f"{n_trunks or 'no trunk column'}; use resample 'random-effects'"
        )
    return resample


def resampled(
    objective: Objective,
    u: Floats,
    scheme: str,
    trunks: Labels | None,
    n: int,
    seed: int,
    free: NDArray[np.bool_] | None = None,
) -> Objective:
    """Return the objective of `n` resampled tables.

    ``random-effects`` adds new trunk and row noise to the fitted curve, its two scales drawn
    anew for each table from what the residuals leave possible (`trunk_noise`): targets (n, rows).
    The percentiles of refits to them are Student's t intervals for a law linear in its
    parameters and independent rows; nonlinear laws and few trunks keep their skewness and tails.
    `free` (p,) tells it which parameters were fitted, all if None.
    ``pairs`` draws rows and ``trunks`` draws trunks, both with replacement: weights (n, rows).
    ``wild`` keeps the design and flips and scales the residuals of each trunk together (wild
    cluster bootstrap: Cameron, Gelbach & Miller, Rev. Econ. Stat. 90 (2008) 414), inflated by
    sqrt(rows / (rows - p)) and sqrt(G / (G - 1)): targets (n, rows). With few trunks its
    intervals are somewhat short.
    """
    rng = np.random.default_rng(seed)
    if scheme == "random-effects":
        fitted = objective.targets + objective.residuals(u)
        noise = trunk_noise(objective, u, trunks, free)
        return replace(objective, targets=fitted + noise.draw(rng, n))
    rows = objective.design.n_rows
    if scheme == "pairs" or trunks is None:
        trunks = np.arange(rows)
    groups = int(trunks.max()) + 1
    if scheme != "wild":
        counts = rng.multinomial(groups, np.full(groups, 1.0 / groups), size=n)
        return replace(objective, weights=objective.weights * counts[:, trunks])
    residuals = objective.residuals(u)
    to_spare = max(rows - u.size, 1)
    inflation = np.sqrt(rows / to_spare * groups / (groups - 1))
    draws = rng.choice(np.concatenate([WEBB, -WEBB]), size=(n, groups))[:, trunks]
    fitted = objective.targets + residuals
    return replace(objective, targets=fitted - inflation * residuals * draws)


FEW_ROWS = 10
"""Rows per parameter up to which a refit may have several local optima: with fewer, it is started
a second time through a larger delta, at which they merge."""

SMOOTHER = 0.01
"""That larger delta."""


WARM = 1e-4
"""Damping of the first step from the table's own optimum, which is close."""


MOST_ITERATIONS = 100
"""Of one pass of a refit; one that needs more is on its way to an optimum at infinity."""


def refit(objective: Objective, optimum: Optimum, n: int, threads: int | None = None) -> Replicates:
    """Return the refits of the `n` problems in `objective`, started from the table's optimum.

    Refits that stop short, and all of them where the rows are few, go once more through a larger
    delta. The best point of each is kept.
    """
    start = np.repeat(optimum.u[None, :], n, axis=0)
    best = minimise(objective, start, damping=WARM, max_iterations=MOST_ITERATIONS, threads=threads)
    few = objective.design.n_rows <= FEW_ROWS * optimum.u.size
    again = np.arange(n) if few else np.flatnonzero(~best.stationary)
    if again.size:
        tables = objective.take(again)
        deltas = [SMOOTHER] if objective.delta < SMOOTHER and objective.loss == "huber" else []
        second = minimise(
            tables,
            start[again],
            deltas=deltas,
            max_iterations=MOST_ITERATIONS,
            threads=threads,
        )
        best = _merge(best, again, second)
    return Replicates(best.u, float(best.stationary.mean()))


def _merge(old: Solution, where: NDArray[np.intp], new: Solution) -> Solution:
    """Return `old` with the problems `where` replaced by `new` where that is better."""
    kept = old.objective[where]
    better = new.objective < kept * (1 - 1e-12)
    better |= (new.objective <= kept * (1 + 1e-12)) & new.stationary & ~old.stationary[where]
    at = where[better]
    u, value, steepness = old.u.copy(), old.objective.copy(), old.scaled_gradient.copy()
    u[at], value[at] = new.u[better], new.objective[better]
    steepness[at] = new.scaled_gradient[better]
    return Solution(u, value, steepness)
