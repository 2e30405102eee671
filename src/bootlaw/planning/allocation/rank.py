"""Which route is best, and whether anything separates it from the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.allocation.optimum import Optima
from bootlaw.planning.allocation.plan import Plan
from bootlaw.planning.ties import shares_best, ties

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """A plan with what it is compared by.

    Attributes
    ----------
    optima : None where the route has no answer.
    slope : d loss / d ln budget at the plan.
    """

    plan: Plan
    optima: Optima | None
    slope: float = 0.0

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


def ranked(answers: Sequence[Ranked], error: float) -> tuple[tuple[Plan, ...], bool]:
    """Return the plans, best first, and whether another one ties with the first.

    A plan with reasons against it comes last.

    Parameters
    ----------
    error : log error of the laws, see `bootlaw.planning.ties`.
    """
    able = [answer for answer in answers if not answer.plan.reasons]
    doubtful = [answer.plan for answer in answers if answer.plan.reasons]
    rest = tuple(sorted(doubtful, key=lambda plan: np.inf if plan.loss is None else plan.loss))
    if not able:
        return rest, False
    slope = float(np.mean([answer.slope for answer in able]))
    scores = _table([answer.scores(slope) for answer in able])
    shares = shares_best(scores) if len(able) > 1 else None
    order = np.argsort(scores[0], kind="stable").tolist()
    plans = tuple(
        replace(able[i].plan, share_best=None if shares is None else float(shares[i]))
        for i in order
    )
    # Scores are told apart as losses: by how far they are behind, relative to the best loss.
    shift = (plans[0].loss or 0.0) - scores[0].min()
    return (*plans, *rest), int(ties(scores + shift, error).sum()) > 1


def _table(scores: Sequence[Floats]) -> Floats:
    """Return scores (1 + r, n): r is that of the route with the fewest replicates."""
    r = min(score.size for score in scores)
    return np.stack([score[:r] for score in scores], axis=1)
