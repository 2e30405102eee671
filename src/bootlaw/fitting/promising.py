"""Which of the many points that the data suggest a search starts from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.around import row_weights
from bootlaw.fitting.graduated import first_delta
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.projection import project, scattered
from bootlaw.fitting.solver import Solution, minimise
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

MANY_ROWS = 5_000
"""Rows from which starts are followed on a sample, and only the best on all rows."""


def promising_starts(objective: Objective) -> Floats:
    """Return starts: the best of the grid over all and for each E, after a few coarse steps."""
    measured = thinned(objective) if objective.design.n_rows > MANY_ROWS else objective
    smooth = measured.with_delta(first_delta(objective))
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
    sizes = np.where(objective.weights > 0, row_weights(objective, losses), 0.0)
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


def thinned(objective: Objective) -> Objective:
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
