"""How uncertain a fit is: refits to resampled tables, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, free_parameters
from bootlaw.fitting.solver import minimise, preconditioner

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
    """Return the refits of the `n` problems in `objective`, started from the table's optimum."""
    constant = objective.design.irreducible
    start = np.repeat(optimum.u[None, :], n, axis=0)
    free = free_parameters(objective, with_constant=True)
    inside = minimise(objective, start, preconditioner(objective, optimum.u, free))
    u, converged = inside.u, inside.stationary.copy()
    below = np.flatnonzero((u[:, constant] < 0) | ~converged)
    if below.size:
        face_u, on_face, value = _refit_without_constant(objective.take(below), optimum, below.size)
        own = np.where(u[below, constant] < 0, np.inf, inside.objective[below])
        better = value <= own
        u[below[better]], converged[below[better]] = face_u[better], on_face[better]
    return Replicates(u, float(converged.mean()))


def _refit_without_constant(
    objective: Objective, optimum: Optimum, n: int
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return refits with E = 0: points, whether they converged, and their objectives."""
    free = free_parameters(objective, with_constant=False)
    transform = preconditioner(objective, optimum.face_u, free)
    solution = minimise(objective, np.repeat(optimum.face_u[None, :], n, axis=0), transform)
    return solution.u, solution.stationary, solution.objective
