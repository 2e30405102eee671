"""How far one may stray from the optimum at no real cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.allocation.optimum import Optima
from bootlaw.planning.allocation.problem import Problem
from bootlaw.planning.allocation.search import mesh
from bootlaw.planning.source import POINT

Floats = NDArray[np.float64]
Ranges = dict[str, tuple[float, float]]

TOLERANCE = 0.01
"""Share of the reducible loss, the loss less the law's irreducible part, that counts as nothing."""
_POINTS = {1: 4001, 2: 161}
_ZOOMS = 4


def flat_region(problem: Problem, optima: Optima, tolerance: float = TOLERANCE) -> Ranges:
    """Return, by variable, the range of the designs that are as good as the best one.

    As good: at the same budget the point estimate's loss is above the lowest by at most
    `tolerance` of the reducible loss. Each range is over all such designs, whatever the other
    variables are there, to within one cell of a grid over the region: 0.03 % of its width on one
    variable, 0.6 % on two. Empty where nothing is to be chosen.
    """
    best = optima.points[:1]
    lowest = float(optima.loss[0])
    limit = lowest + tolerance * problem.route.source.reducible(lowest)
    d = best.shape[1]
    if d == 0:
        return {}
    lower, upper = problem.lower, problem.upper
    for _ in range(_ZOOMS):
        points = np.concatenate([mesh(lower, upper, _POINTS[d]), best])
        losses = problem.loss(POINT, points[np.newaxis], optima.ln_budget[:1, np.newaxis])[0]
        good = points[(losses <= limit) | (np.arange(len(points)) == len(points) - 1)]
        cell = (upper - lower) / (_POINTS[d] - 1)
        lower = np.maximum(good.min(axis=0) - cell, problem.lower)
        upper = np.minimum(good.max(axis=0) + cell, problem.upper)
    return _ranges(problem, good, optima.ln_budget[:1, np.newaxis])


def _ranges(problem: Problem, points: Floats, ln_budget: Floats) -> Ranges:
    design = problem.design(points[np.newaxis], ln_budget)
    open_ones = {N: problem.chooses_size, D1: problem.chooses_split, D2: True}
    return {
        name: (float(values.min()), float(values.max()))
        for name, values in design.by_name().items()
        if open_ones[name]
    }
