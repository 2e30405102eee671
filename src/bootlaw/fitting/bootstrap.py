"""How uncertain a fit is: refits to resampled tables, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, follow, free_parameters
from bootlaw.fitting.solver import Solution, minimise, preconditioner

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

SCHEMES = ("auto", "pairs", "trunks", "wild")
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


def choose_scheme(resample: str, trunks: Labels | None) -> str:
    """Return the scheme that "auto" stands for, or the one asked for.

    Rows of one trunk are not independent, so where there are at least three trunks with more
    rows than trunks, whole trunks are resampled ("wild"); rows one by one ("pairs") otherwise.

    Raises
    ------
    InputError
        For an unknown scheme, or one that needs trunks the table does not have.
    """
    if resample not in SCHEMES:
        raise InputError(f"resample is one of {', '.join(SCHEMES)}, not {resample!r}")
    n_trunks = 0 if trunks is None else int(trunks.max()) + 1
    if resample == "auto":
        grouped = trunks is not None and LEAST_TRUNKS <= n_trunks < trunks.size
        return "wild" if grouped else "pairs"
    if resample != "pairs" and n_trunks < LEAST_TRUNKS:
        raise InputError(
            f"resample {resample!r} needs at least {LEAST_TRUNKS} trunks and the rows used have "
            f"{n_trunks or 'no trunk column'}; use resample 'pairs'"
        )
    return resample


def resampled(
    objective: Objective, u: Floats, scheme: str, trunks: Labels | None, n: int, seed: int
) -> Objective:
    """Return the objective of `n` resampled tables.

    ``pairs`` draws rows and ``trunks`` draws trunks, both with replacement: weights (n, rows).
    ``wild`` keeps the design and flips and scales the residuals of each trunk together (wild
    cluster bootstrap: Cameron, Gelbach & Miller, Rev. Econ. Stat. 90 (2008) 414), inflated by
    sqrt(rows / (rows - p)) and sqrt(G / (G - 1)): targets (n, rows). With few trunks its
    intervals are somewhat short.
    """
    rng = np.random.default_rng(seed)
    rows = objective.design.n_rows
    if scheme == "pairs" or trunks is None:
        trunks = np.arange(rows)
    groups = int(trunks.max()) + 1
    if scheme != "wild":
        counts = rng.multinomial(groups, np.full(groups, 1.0 / groups), size=n)
        return replace(objective, weights=counts[:, trunks].astype(np.float64))
    residuals = objective.residuals(u)
    to_spare = max(rows - u.size, 1)
    inflation = np.sqrt(rows / to_spare * groups / (groups - 1))
    draws = rng.choice(np.concatenate([WEBB, -WEBB]), size=(n, groups))[:, trunks]
    fitted = objective.targets + residuals
    return replace(objective, targets=fitted - inflation * residuals * draws)


def refit(objective: Objective, optimum: Optimum, n: int) -> Replicates:
    """Return the refits of the `n` problems in `objective`, started from the table's optimum.

    Refits that leave E >= 0 or stop short are repeated with E = 0; those that still stop short
    go once more through the graduated deltas. The best point of each is kept.
    """
    start = np.repeat(optimum.u[None, :], n, axis=0)
    free = free_parameters(objective, with_constant=True)
    best = minimise(objective, start, preconditioner(objective, optimum.u, free))
    doubtful = np.flatnonzero(~_settled(objective, best))
    if doubtful.size:
        without = free_parameters(objective, with_constant=False)
        on_face = np.repeat(optimum.face_u[None, :], doubtful.size, axis=0)
        transform = preconditioner(objective, optimum.face_u, without)
        best = _merge(
            objective, best, doubtful, minimise(objective.take(doubtful), on_face, transform)
        )
    doubtful = np.flatnonzero(~_settled(objective, best))
    if doubtful.size:
        again = follow(objective.take(doubtful), start[doubtful], free)
        best = _merge(objective, best, doubtful, again)
    return Replicates(best.u, float(best.stationary.mean()))


def _settled(objective: Objective, solution: Solution) -> NDArray[np.bool_]:
    """Return (R,) True where a refit is stationary and inside its bound."""
    return solution.stationary & (solution.u[:, objective.design.irreducible] >= 0)


def _merge(objective: Objective, old: Solution, where: NDArray[np.intp], new: Solution) -> Solution:
    """Return `old` with the problems `where` replaced by `new` where that is better, E >= 0."""
    constant = objective.design.irreducible
    kept = np.where(old.u[where, constant] >= 0, old.objective[where], np.inf)
    found = np.where(new.u[:, constant] >= 0, new.objective, np.inf)
    better = (found < kept) | ((found <= kept * (1 + 1e-12)) & new.stationary)
    at = where[better]
    u, value, steepness = old.u.copy(), old.objective.copy(), old.scaled_gradient.copy()
    u[at], value[at] = new.u[better], new.objective[better]
    steepness[at] = new.scaled_gradient[better]
    return Solution(u, value, steepness)
