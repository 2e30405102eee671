"""The global optimum of one fit: many starts, a graduated delta, and the face E = 0."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.objective import Objective
from bootlaw.fitting.solver import TOLERANCE, Solution, minimise, preconditioner
from bootlaw.fitting.starts import starting_points

Floats = NDArray[np.float64]

N_STARTS = 24
"""Starts that are followed to the end, of those that the grid offers."""

DELTAS = (0.1, 0.03, 0.01, 3e-3)
"""Deltas before the exact one. The objective is smooth for a large delta and has many kinks for
a small one, so a start goes through all that are larger than the delta asked for."""

AGREEMENT = 1e-9
"""Relative difference of objectives below which two starts reached the same optimum."""

PERTURBATION = 0.03
"""Size, as a change of log losses, of the steps from an optimum that is to be confirmed."""


@dataclass(frozen=True)
class Optimum:
    """The best point found.

    Attributes
    ----------
    u : (p,) internal coordinates.
    objective : the sum of Huber losses there.
    scaled_gradient : measured afresh at the optimum over the free parameters.
    at_zero : whether E lies on its bound 0.
    face_objective, face_u : the best objective with E = 0, and where.
    n_agreeing, n_starts : starts that ended there, and starts followed.
    """

    u: Floats
    objective: float
    scaled_gradient: float
    at_zero: bool
    face_objective: float
    face_u: Floats
    n_agreeing: int
    n_starts: int

    @property
    def verified(self) -> bool:
        """Whether the gradient vanishes and more than one start ended here."""
        return self.scaled_gradient <= TOLERANCE and self.n_agreeing >= 2


def find_optimum(objective: Objective) -> Optimum:
    """Return the best optimum with E >= 0 of the one problem in `objective`."""
    starts = _promising_starts(objective)
    inside = follow(objective, starts, free_parameters(objective, with_constant=True))
    on_face = _with_zero_constant(objective, np.concatenate([starts, inside.u]))
    face = follow(objective, on_face, free_parameters(objective, with_constant=False))
    constant = objective.design.irreducible
    allowed = np.where(inside.u[:, constant] >= 0, inside.objective, np.inf)
    at_zero = bool(face.objective.min() <= allowed.min())
    values, points = (face.objective, face.u) if at_zero else (allowed, inside.u)
    best = int(np.argmin(values))
    optimum = Optimum(
        u=points[best],
        objective=float(values[best]),
        scaled_gradient=np.inf,
        at_zero=at_zero,
        face_objective=float(face.objective.min()),
        face_u=face.u[int(np.argmin(face.objective))],
        n_agreeing=int((values <= values[best] * (1 + AGREEMENT) + 1e-18).sum()),
        n_starts=values.size,
    )
    polished = polish(objective, optimum)
    return polished if polished.n_agreeing > 1 else _confirm(objective, polished)


def _confirm(objective: Objective, optimum: Optimum) -> Optimum:
    """Return the optimum after new starts around it, for one that a single start has reached."""
    free = free_parameters(objective, with_constant=not optimum.at_zero)
    transform = preconditioner(objective, optimum.u, free)
    draws = np.random.default_rng(0).normal(size=(N_STARTS // 2, transform.shape[1]))
    starts = optimum.u + PERTURBATION * draws @ transform.T
    # Along a direction that the rows hardly see, a step may leave the range of floats.
    around = follow(objective, starts[np.isfinite(objective.value(starts))], free)
    values = np.where(around.u[:, objective.design.irreducible] >= 0, around.objective, np.inf)
    best = int(np.argmin(values)) if values.size else -1
    if values.size and values[best] < optimum.objective * (1 - AGREEMENT):
        optimum = replace(optimum, u=around.u[best], objective=float(values[best]), n_agreeing=0)
    agreeing = values <= optimum.objective * (1 + AGREEMENT) + 1e-18
    counted = replace(
        optimum,
        n_agreeing=optimum.n_agreeing + int(agreeing.sum()),
        n_starts=optimum.n_starts + values.size,
    )
    return polish(objective, counted)


def polish(objective: Objective, optimum: Optimum) -> Optimum:
    """Return the optimum after more Newton steps with scales taken there, and its gradient."""
    free = free_parameters(objective, with_constant=not optimum.at_zero)
    u = optimum.u[None, :]
    for _ in range(3):
        solution = minimise(objective, u, preconditioner(objective, u, free), damping=1e-6)
        u = solution.u
        if solution.u[0, objective.design.irreducible] < 0:
            return optimum
    return replace(
        optimum,
        u=u[0],
        objective=float(solution.objective[0]),
        scaled_gradient=float(solution.scaled_gradient[0]),
    )


def free_parameters(objective: Objective, *, with_constant: bool) -> NDArray[np.bool_]:
    """Return (p,) True for the parameters that a fit moves: all of them, or all but E."""
    free = np.ones(len(objective.design.law.parameters), dtype=bool)
    free[objective.design.irreducible] = with_constant
    return free


def _with_zero_constant(objective: Objective, points: Floats) -> Floats:
    """Return points with E = 0 from which the best of the others can be told."""
    moved = points.copy()
    moved[:, objective.design.irreducible] = 0.0
    values = objective.with_delta(DELTAS[0]).value(moved)
    best = np.argsort(values, kind="stable")[: N_STARTS // 2]
    return moved[best]


def _promising_starts(objective: Objective) -> Floats:
    """Return the best starts over all, and the best one for each E on the grid."""
    points = starting_points(objective.design, np.exp(objective.targets))
    values = objective.with_delta(DELTAS[0]).value(points)
    order = np.argsort(values, kind="stable")
    chosen = list(order[: N_STARTS // 2])
    constants = points[order, objective.design.irreducible]
    _, first = np.unique(constants, return_index=True)
    chosen += [order[i] for i in first if order[i] not in chosen]
    return np.asarray(points[chosen])


def follow(objective: Objective, starts: Floats, free: NDArray[np.bool_]) -> Solution:
    """Return where the starts end, through the graduated deltas to the exact one."""
    u = starts
    for delta in [d for d in DELTAS if d > objective.delta]:
        smooth = objective.with_delta(delta)
        transform = preconditioner(smooth, u, free)
        u = minimise(smooth, u, transform, tolerance=1e-3, max_iterations=30).u
    return minimise(objective, u, preconditioner(objective, u, free))
