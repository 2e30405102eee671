"""The global optimum of one fit: many starts, a graduated delta, and steps away from the best."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.directions import orthonormal_steps
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.projection import neighbours, project, scattered
from bootlaw.fitting.solver import TOLERANCE, Solution, minimise
from bootlaw.fitting.starts import starting_points
from bootlaw.laws import Design

Floats = NDArray[np.float64]

N_GUESSES = 80
"""Points of the grid that take a few coarse steps."""

N_SCATTERED = 200
"""Scattered points whose amounts are projected."""

MOST_ALIKE = 3
"""Starts followed of those whose objectives differ by less than a thousandth."""

N_STARTS = 24
"""Starts that are followed to the end, of those that the grid offers."""

DELTAS = (0.1, 0.03, 0.01, 3e-3)
"""Deltas before the exact one. The objective is smooth for a large delta and has many kinks for
a small one, so a start goes through all that are larger than the delta asked for."""

AGREEMENT = 1e-9
"""Relative difference of objectives below which two starts reached the same optimum."""

PERTURBATIONS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""Sizes, as changes of log losses, of the steps from the best point that look for a better one."""

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

MANY_ROWS = 5_000
"""Rows from which starts are followed on a sample, and only the best on all rows."""


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
        starts = np.concatenate([_around(objective, u, np.random.default_rng(2), 1) for u in start])
    else:
        own = _promising_starts(objective)
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


class _Best:
    """The best of the solutions so far, and how many agree with it."""

    def __init__(self, solution: Solution) -> None:
        self._parts = [solution]

    def add(self, solution: Solution) -> bool:
        """Take in more solutions; return whether one is better than all before."""
        before = self.value
        self._parts.append(solution)
        return self.value < before * (1 - AGREEMENT) - 1e-18

    @property
    def _all(self) -> Solution:
        return Solution(
            np.concatenate([part.u for part in self._parts]),
            np.concatenate([part.objective for part in self._parts]),
            np.concatenate([part.scaled_gradient for part in self._parts]),
        )

    @property
    def _at(self) -> int:
        """The best point; of those that are as good, the stationary one with least numbers.

        Along a direction that the rows do not see all points are as good, and far out some of
        their numbers no longer fit into a float.
        """
        every = self._all
        good = every.objective <= every.objective.min() * (1 + 1e-10) + 1e-22
        still = good & (every.scaled_gradient <= TOLERANCE)
        if not still.any():
            return int(np.argmin(np.where(good, every.scaled_gradient, np.inf)))
        return int(np.argmin(np.where(still, np.abs(every.u).sum(axis=1), np.inf)))

    @property
    def u(self) -> Floats:
        return np.asarray(self._all.u[self._at])

    @property
    def value(self) -> float:
        return float(self._all.objective.min())

    @property
    def scaled_gradient(self) -> float:
        return float(self._all.scaled_gradient[self._at])

    def foremost(self, n: int) -> Floats:
        """Return the points (n, p) of the least objectives."""
        every = self._all
        return np.asarray(every.u[np.argsort(every.objective, kind="stable")[:n]])

    @property
    def n_agreeing(self) -> int:
        values = self._all.objective
        return int((values <= self.value * (1 + AGREEMENT) + 1e-18).sum())

    @property
    def n_starts(self) -> int:
        return int(self._all.objective.size)


def _search(objective: Objective, starts: Floats) -> _Best:
    """Follow the starts through the graduated deltas; on a sample first where rows are many."""
    if objective.design.n_rows <= MANY_ROWS:
        return _Best(follow(objective, starts))
    sampled = follow(_sample(objective), starts)
    order = np.argsort(sampled.objective, kind="stable")[:3]
    return _Best(minimise(objective, sampled.u[order], deltas=_larger(objective)[-1:]))


def _search_nearby(objective: Objective, starts: Floats) -> _Best:
    """Follow starts that are close to the optimum: through the smallest larger delta only."""
    deltas = _larger(objective)[-1:]
    return _Best(minimise(objective, starts, deltas=deltas, max_iterations=MOST_NEARBY))


def _sample(objective: Objective) -> Objective:
    """Return the objective on every k-th row in the order of the losses."""
    order = np.argsort(objective.targets, kind="stable")
    kept = np.sort(order[:: -(-order.size // (MANY_ROWS // 2))])
    columns = {name: values[kept] for name, values in objective.design.columns.items()}
    return replace(
        objective,
        design=Design(objective.design.law, columns),
        targets=objective.targets[kept],
        weights=objective.weights[kept],
    )


def _search_around(objective: Objective, best: _Best, rounds: int) -> _Best:
    """Start again from points around the best one, until none leads to a better one."""
    many = objective.design.n_rows > MANY_ROWS
    rng = np.random.default_rng(0)
    for number in range(1 if many else rounds):
        starts = _around(objective, best.u, rng, 1 if many else 4)
        if not many:
            starts = np.concatenate([starts, _revived(objective, best.u)])
        before = best.value
        improved = best.add(minimise(objective, starts, max_iterations=MOST_AROUND))
        # Towards an optimum at infinity every round goes a little farther.
        crept = best.scaled_gradient > TOLERANCE and best.value > before * (1 - CREEPING)
        if (not improved and best.n_agreeing > 1) or (number and crept):
            break
    return best


def _polish(objective: Objective, best: _Best) -> Floats | None:
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
        best.add(minimise(objective, _around(objective, best.u, np.random.default_rng(1), 2)))
        return None
    if not best.value < value:
        return None
    size = np.where(objective.design.law.logged, 1.0, np.maximum(np.abs(u), 1e-12))
    return np.asarray(np.abs(best.u - u) / size)


def _around(objective: Objective, u: Floats, rng: np.random.Generator, n_each: int) -> Floats:
    """Return points that differ from u by given changes of log losses, in random directions."""
    # Along a direction that the rows hardly see, a step may leave the range of floats.
    steps = orthonormal_steps(objective, u, floor=1e-4)
    width = np.sqrt(objective.design.n_rows)
    draws = rng.normal(size=(len(PERTURBATIONS) * n_each, steps.shape[1]))
    sizes = np.repeat(PERTURBATIONS, n_each)[:, None] * width / np.sqrt(max(steps.shape[1], 1))
    points = u + sizes * draws @ steps.T
    inside = np.isfinite(objective.value(points))
    return np.concatenate([u[None, :], points[inside]])


def _revived(objective: Objective, u: Floats) -> Floats:
    """Return points with another exponent each and the amounts that then fit the rows best.

    A term that vanished on the way through the larger deltas does not come back by small steps.
    """
    design = objective.design
    size = np.abs(np.nan_to_num(objective.residual_jacobian(u))).max(axis=0)
    points = neighbours(design, u, size < 1e-9)
    losses = np.exp(objective.targets) if objective.scale == "log" else objective.targets
    weights = np.sqrt(objective.weights) * _row_weights(objective, losses)
    residuals = np.abs(objective.residuals(u))
    # Reweighted least squares: what Huber's loss is near this point.
    weights = weights * np.sqrt(objective.delta / np.maximum(residuals, objective.delta))
    return np.clip(project(design, losses, weights, points), *objective.bounds)


def _row_weights(objective: Objective, losses: Floats) -> Floats:
    """Residuals are of logarithms, so a loss counts by its inverse."""
    return 1.0 / np.abs(losses) if objective.scale == "log" else np.ones(losses.shape)


def _face(objective: Objective, starts: Floats, best: _Best, n: int) -> Solution | None:
    """Return solutions with E = 0, None for a law without E or with E fixed."""
    constant = objective.design.irreducible
    if constant is None or not objective.bounds[0][constant] <= 0 < objective.bounds[1][constant]:
        return None
    moved = np.concatenate([best.u[None, :], starts])
    moved[:, constant] = 0.0
    order = np.argsort(objective.with_delta(DELTAS[0]).value(moved), kind="stable")
    on_face = objective.with_fixed(constant, 0.0)
    return follow(on_face, moved[order[: 2 if objective.design.n_rows > MANY_ROWS else n]])


def _promising_starts(objective: Objective) -> Floats:
    """Return starts: the best of the grid over all and for each E, after a few coarse steps."""
    measured = _sample(objective) if objective.design.n_rows > MANY_ROWS else objective
    smooth = measured.with_delta(_first_delta(objective))
    points, projected = (np.clip(p, *objective.bounds) for p in _candidates(smooth))
    first = np.concatenate([_best_of(smooth, points, N_GUESSES), _best_of(smooth, projected, 40)])
    if len(first) <= N_STARTS:
        return first
    moved = minimise(smooth, first, tolerance=1e-3, max_iterations=6)
    return moved.u[_diverse(objective.design, moved, N_STARTS)]


def _candidates(objective: Objective) -> tuple[Floats, Floats]:
    """Return points of the grid, and scattered ones with the best amounts."""
    design = objective.design
    losses = np.exp(objective.targets) if objective.scale == "log" else objective.targets
    points = starting_points(design, losses)
    sizes = np.where(objective.weights > 0, _row_weights(objective, losses), 0.0)
    return points, project(design, losses, sizes, scattered(design, points, N_SCATTERED))


def _best_of(objective: Objective, points: Floats, n: int) -> Floats:
    """Return the best `n` of the points, and the best one for each E that several have."""
    values = objective.value(points)
    order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum()) or None]
    chosen = list(order[:n])
    constant = objective.design.irreducible
    if constant is not None:
        grid = points[order, constant]
        _, first, counts = np.unique(grid, return_index=True, return_counts=True)
        chosen += [order[i] for i in first[counts > 1] if i >= n]
    return np.asarray(points[chosen])


def _diverse(design: Design, ends: Solution, n: int) -> NDArray[np.intp]:
    """Return the positions of `n` points: of each pattern of signs of the exponents the best one,
    then the best of all, but few with objectives within a thousandth of each other."""
    order = np.argsort(ends.objective, kind="stable")
    patterns = np.where(design.law.logged, 0.0, np.sign(ends.u[order]))
    _, first = np.unique(patterns, axis=0, return_index=True)
    chosen = list(order[np.sort(first)[: n // 3]])
    with np.errstate(divide="ignore"):
        levels = np.round(1e3 * np.log(ends.objective))
    counts: Counter[float] = Counter()
    last: list[np.intp] = []
    for at in order:
        counts[levels[at]] += 1
        (chosen if counts[levels[at]] <= MOST_ALIKE else last).append(at)
    return np.array(list(dict.fromkeys(chosen + last))[:n], dtype=np.intp)


def _first_delta(objective: Objective) -> float:
    return max(DELTAS[0], objective.delta) if objective.scale == "log" else objective.delta


def _larger(objective: Objective) -> list[float]:
    """Return the graduated deltas; residuals on the level scale have no natural size."""
    if objective.loss == "squared":
        return []
    if objective.scale == "level":
        return [objective.delta * factor for factor in (100.0, 10.0)]
    return [delta for delta in DELTAS if delta > objective.delta]


def follow(objective: Objective, starts: Floats, threads: int | None = None) -> Solution:
    """Return where the starts end, through the graduated deltas to the exact one."""
    return minimise(objective, starts, deltas=_larger(objective), threads=threads)
