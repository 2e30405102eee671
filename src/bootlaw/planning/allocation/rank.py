"""Which route is best, and whether anything separates it from the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.allocation.optimum import Optima
from bootlaw.planning.allocation.plan import Plan
from bootlaw.planning.verdict import LARGEST_DISAGREEMENT

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """A plan with what it is compared by.

    Attributes
    ----------
    optima : None where the route has no answer.
    slope : d loss / d ln budget at the plan.
    error : log error of the law, which separates plans where there are no replicates.
    """

    plan: Plan
    optima: Optima | None
    slope: float = 0.0
    error: float = 0.0

    def scores(self, slope: float) -> Floats:
        """Return (1 + r,) what is the lower the better, nats.

        Where a loss was asked for, budgets differ and not losses: their difference counts as the
        nats that it is worth at `slope`, d loss / d ln budget.
        """
        if self.optima is None:
            return np.full(1, np.inf)
        known = self.optima.found
        worth = abs(slope) * np.where(known, self.optima.ln_budget, 0.0)
        return np.where(known, self.optima.loss + worth, np.inf)


def ranked(answers: Sequence[Ranked]) -> tuple[tuple[Plan, ...], bool]:
    """Return the plans, best first, and whether nothing separates the first from the second.

    With replicates: the second is the better one in more than a fifth of them. Without: their
    gap is below the laws' own error. A plan with reasons against it comes last.
    """
    able = [answer for answer in answers if not answer.plan.reasons]
    doubtful = [answer.plan for answer in answers if answer.plan.reasons]
    rest = tuple(sorted(doubtful, key=lambda plan: np.inf if plan.loss is None else plan.loss))
    if not able:
        return rest, False
    slope = float(np.mean([answer.slope for answer in able]))
    scores = [answer.scores(slope) for answer in able]
    shares = _shares(scores)
    order = sorted(range(len(able)), key=lambda i: float(scores[i][0]))
    plans = tuple(replace(able[i].plan, share_best=shares[i]) for i in order)
    error = max(answer.error for answer in able) * (plans[0].loss or 0.0)
    tie = len(order) > 1 and _tie(scores[order[0]], scores[order[1]], error)
    return (*plans, *rest), tie


def _shares(scores: Sequence[Floats]) -> list[float | None]:
    """Return the share of the replicates in which each is the best; None where nobody knows."""
    r = min(score.size for score in scores) - 1
    if r == 0 or len(scores) < 2:
        return [None] * len(scores)
    best = np.argmin(np.stack([score[1 : 1 + r] for score in scores]), axis=0)
    return [float(np.mean(best == i)) for i in range(len(scores))]


def _tie(first: Floats, second: Floats, error: float) -> bool:
    """Return whether scores (1 + r,) cannot be told apart; `error` in nats."""
    r = min(first.size, second.size) - 1
    if r == 0:
        return float(second[0] - first[0]) < error
    known = np.isfinite(first[1 : 1 + r])
    behind = second[1 : 1 + r][known] <= first[1 : 1 + r][known]
    return behind.size == 0 or float(np.mean(behind)) > LARGEST_DISAGREEMENT
