"""What it costs to be wrong: about the law's parameters, and about the design."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, N
from bootlaw.planning.allocation.optimum import Optima
from bootlaw.planning.allocation.problem import Problem
from bootlaw.planning.source import POINT

Floats = NDArray[np.float64]

_HIGH = 0.95
_STEP = 1e-4


@dataclass(frozen=True)
class Regret:
    """What acting on the point estimate costs if a replicate is the truth.

    Attributes
    ----------
    mean, high : nats above the best design of the same budget; the mean over the replicates and
        their 95th percentile.
    budget_share : share of the budget that the mean is worth: what a budget used in the best way
        could be smaller by.
    """

    mean: float
    high: float
    budget_share: float


def regret(problem: Problem, optima: Optima) -> Regret | None:
    """Return the price of the point estimate's errors; None without replicates to judge by.

    Replicates whose law has no loss for the design that was chosen cannot judge it.
    """
    judges = np.flatnonzero(optima.found[1:]) + 1
    if judges.size == 0 or optima.points.shape[1] == 0:
        return None
    budgets = optima.ln_budget[judges, np.newaxis]
    acted = problem.loss(judges, optima.points[np.newaxis, :1], budgets)[:, 0]
    judging = np.isfinite(acted)
    if not judging.any():
        return None
    above = np.maximum(acted[judging] - optima.loss[judges[judging]], 0.0)
    mean = float(above.mean())
    share = -math.expm1(-mean / max(-slope(problem, optima), 1e-300))
    return Regret(mean, float(np.quantile(above, _HIGH)), share)


def slope(problem: Problem, optima: Optima) -> float:
    """Return d loss / d ln budget of the point estimate at its optimum, nats; negative.

    At an optimum the design's own change contributes nothing (the envelope theorem), so the
    coordinates stay where they are. Where a step of the budget leads to no sensible run, as at
    the last pass over a text that anything is known of, the other side is taken alone.
    """
    steps = np.array([[-_STEP, 0.0, _STEP]])
    points = np.repeat(optima.points[np.newaxis, :1], 3, axis=1)
    losses = problem.loss(POINT, points, optima.ln_budget[:1, np.newaxis] + steps)[0]
    known = np.flatnonzero(np.isfinite(losses))
    if known.size < 2:
        return 0.0
    first, last = known[0], known[-1]
    return float((losses[last] - losses[first]) / (steps[0, last] - steps[0, first]))


def off_by(problem: Problem, optima: Optima, factor: float = 2.0) -> dict[str, tuple[float, float]]:
    """Return, by variable, the nats lost where it is smaller or larger by `factor`.

    The budget stays the same: D1 takes from D2, a larger model from the tokens of both stages
    alike. Infinite where the budget does not pay for it.
    """
    lost: dict[str, tuple[float, float]] = {}
    for name, known in ((N, problem.chooses_size), (D1, problem.chooses_split)):
        if known:
            ends = (_loss_at(problem, optima, name, f) for f in (1 / factor, factor))
            less, more = (end - float(optima.loss[0]) for end in ends)
            lost[name] = (less, more)
    return lost


def _loss_at(problem: Problem, optima: Optima, name: str, factor: float) -> float:
    ln_budget = optima.ln_budget[:1, np.newaxis]
    point = optima.points[np.newaxis, :1]
    if name == N:
        moved = point + math.log(factor) * np.eye(point.shape[-1])[0]
        return float(problem.loss(POINT, moved, ln_budget)[0, 0])
    fixed = replace(
        problem,
        params=float(optima.design.params[0]),
        tokens_stage1=factor * float(optima.design.tokens_stage1[0]),
        stage1_paid=True,
    )
    return float(fixed.loss(POINT, np.zeros((1, 1, 0)), ln_budget)[0, 0])
