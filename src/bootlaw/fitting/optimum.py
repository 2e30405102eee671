"""The global optimum of one fit: many starts, a graduated delta, and steps away from the best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.around import around, revived
from bootlaw.fitting.best import Best
from bootlaw.fitting.graduated import DELTAS, follow, larger_deltas
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.promising import MANY_ROWS, promising_starts, thinned
from bootlaw.fitting.solver import TOLERANCE, Solution, minimise

Floats = NDArray[np.float64]

MOST_NEARBY = 100
"""Iterations from a start that is close to the optimum."""

N_FACE = 8
"""Starts that are followed with E = 0."""

ROUNDS = 4
"""Most times that the search around the best point starts again from a better one."""

MOST_AROUND = 25
"""Iterations from a point around the best one."""

MOST_POLISHING = 10
"""Most times that the best point is taken on by as many iterations as a solution may take."""

CREEPING = 1e-3
"""Relative gain of a round below which a search that does not converge is given up."""


@dataclass(frozen=True)
class Optimum:
    """The best point found.

    Attributes
    ----------
    u : (p,) internal coordinates.
    objective : the objective there.
    scaled_gradient : measured afresh at the optimum.
    at_bound : (p,) True for parameters on a bound that does not fix them.
    at_zero : whether E lies on its bound 0.
    face_objective, face_u : the best objective with E = 0, and where; the optimum itself for a
        law without E.
    n_agreeing, n_starts : starts that ended there, and starts followed.
    drift : (p,) where the optimum lies at infinity, how far the last iterations still moved each
        coordinate on the way there: by its own size for exponents. None at an optimum.
    """

    u: Floats
    objective: float
    scaled_gradient: float
    at_bound: NDArray[np.bool_]
    at_zero: bool
    face_objective: float
    face_u: Floats
    n_agreeing: int
    n_starts: int
    drift: Floats | None = None

    @property
    def verified(self) -> bool:
        """Whether the gradient vanishes and more than one start ended here."""
        return self.scaled_gradient <= TOLERANCE and self.n_agreeing >= 2


def find_optimum(
    objective: Objective, start: Floats | None = None, *, nearby: bool = False
) -> Optimum:
    """Return the best optimum within the bounds of the one problem in `objective`.

    Parameters
    ----------
    start : (s, p) starts to follow besides those derived from the data.
    nearby : whether to look around `start` only: for rows whose optimum must be close to it.
    """
    if nearby and start is not None:
        starts = np.concatenate([around(objective, u, np.random.default_rng(2), 1) for u in start])
    else:
        own = promising_starts(objective)
        starts = own if start is None else np.concatenate([start, own])
    best = _search_nearby(objective, starts) if nearby else _search(objective, starts)
    # Close by, whether E lies on its bound is settled by one start.
    face = _face(objective, starts, best, 1 if nearby else N_FACE)
    if face is not None and face.objective.min() < best.value:
        best.add(face)
    if not nearby or best.n_agreeing < 2 or best.scaled_gradient > TOLERANCE:
        best = _search_around(objective, best, 1 if nearby else ROUNDS)
    drift = _polish(objective, best)
    lower, upper = objective.bounds
    on_bound = ((best.u <= lower) | (best.u >= upper)) & (lower < upper)
    constant = objective.design.irreducible
    at = int(np.argmin(face.objective)) if face is not None else -1
    return Optimum(
        u=best.u,
        objective=best.value,
        scaled_gradient=best.scaled_gradient,
        at_bound=on_bound,
        at_zero=constant is not None and bool(best.u[constant] <= 0),
        face_objective=best.value if face is None else float(face.objective[at]),
        face_u=best.u if face is None else face.u[at],
        n_agreeing=best.n_agreeing,
        n_starts=best.n_starts,
        drift=drift,
    )


def free_parameters(objective: Objective, optimum: Optimum | None = None) -> NDArray[np.bool_]:
    """Return (p,) True for the parameters that a fit moves: not fixed, and at no bound there."""
    lower, upper = objective.bounds
    free = lower < upper
    return free if optimum is None else free & ~optimum.at_bound


def _search(objective: Objective, starts: Floats) -> Best:
    """Follow the starts through the graduated deltas; on a sample first where rows are many."""
    if objective.design.n_rows <= MANY_ROWS:
        return Best(follow(objective, starts))
    sampled = follow(thinned(objective), starts)
    order = np.argsort(sampled.objective, kind="stable")[:3]
    return Best(minimise(objective, sampled.u[order], deltas=larger_deltas(objective)[-1:]))


def _search_nearby(objective: Objective, starts: Floats) -> Best:
    """Follow starts that are close to the optimum: through the smallest larger delta only."""
    deltas = larger_deltas(objective)[-1:]
    return Best(minimise(objective, starts, deltas=deltas, max_iterations=MOST_NEARBY))


def _search_around(objective: Objective, best: Best, rounds: int) -> Best:
    """Start again from points around the best one, until none leads to a better one."""
    many = objective.design.n_rows > MANY_ROWS
    rng = np.random.default_rng(0)
    for number in range(1 if many else rounds):
        starts = around(objective, best.u, rng, 1 if many else 4)
        if not many:
            starts = np.concatenate([starts, revived(objective, best.u)])
        before = best.value
        improved = best.add(minimise(objective, starts, max_iterations=MOST_AROUND))
        # Towards an optimum at infinity every round goes a little farther.
        crept = best.scaled_gradient > TOLERANCE and best.value > before * (1 - CREEPING)
        if (not improved and best.n_agreeing > 1) or (number and crept):
            break
    return best


def _polish(objective: Objective, best: Best) -> Floats | None:
    """Take the best point on until it is stationary; return the drift where it never is."""
    if best.scaled_gradient <= TOLERANCE:
        return None
    for _ in range(MOST_POLISHING):
        u, value = best.u, best.value
        best.add(minimise(objective, best.foremost(3), damping=1e-3))
        if best.scaled_gradient <= TOLERANCE or best.value > value * (1 - CREEPING):
            break
    if best.scaled_gradient <= TOLERANCE:
        # Whether others come here was asked before this point was known.
        best.add(minimise(objective, around(objective, best.u, np.random.default_rng(1), 2)))
        return None
    if not best.value < value:
        return None
    size = np.where(objective.design.law.logged, 1.0, np.maximum(np.abs(u), 1e-12))
    return np.asarray(np.abs(best.u - u) / size)


def _face(objective: Objective, starts: Floats, best: Best, n: int) -> Solution | None:
    """Return solutions with E = 0, None for a law without E or with E fixed."""
    constant = objective.design.irreducible
    if constant is None or not objective.bounds[0][constant] <= 0 < objective.bounds[1][constant]:
        return None
    moved = np.concatenate([best.u[None, :], starts])
    moved[:, constant] = 0.0
    order = np.argsort(objective.with_delta(DELTAS[0]).value(moved), kind="stable")
    on_face = objective.with_fixed(constant, 0.0)
    return follow(on_face, moved[order[: 2 if objective.design.n_rows > MANY_ROWS else n]])
