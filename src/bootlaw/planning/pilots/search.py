"""A batch of runs within a budget: greedy by what a run tells per unit of cost, from many starts.

Greedy by ratio alone can fill a budget with cheap runs and miss the one that decides; trying each
of the strongest first runs, and greedy by the fall alone, and keeping the best of all, is the
usual remedy for a knapsack (Khuller, Moss & Naor, Inf. Process. Lett. 70 (1999) 39). Runs that tell
only together are what greedy choice cannot see; those that tell most of all parameters, D-optimal
ones, are tried for them. So a batch is never expected to do worse than any single run that the
budget allows, nor than the D-optimal batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.pilots.belief import Belief
from bootlaw.planning.pilots.costs import Ledger
from bootlaw.planning.pilots.goals import Goal, Information

Floats = NDArray[np.float64]

STARTS = 3
"""Strongest affordable first runs that a batch is tried from."""

NEGLIGIBLE = 1e-9
"""Fall of the uncertainty, relative to what it was, below which a run tells nothing."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Runs in the order in which they were chosen.

    Attributes
    ----------
    runs : numbers of the candidates.
    costs : of each, given those before it.
    uncertainty : expected after each.
    """

    runs: tuple[int, ...]
    costs: tuple[float, ...]
    uncertainty: tuple[float, ...]
    belief: Belief
    ledger: Ledger

    @property
    def cost(self) -> float:
        """The cost of all."""
        return float(sum(self.costs))

    @property
    def final(self) -> float:
        """The expected uncertainty after all; infinite for an empty batch."""
        return self.uncertainty[-1] if self.uncertainty else np.inf


def single(goal: Goal, belief: Belief, ledger: Ledger) -> tuple[Floats, Floats]:
    """Return (n,) the expected uncertainty after each candidate alone, and its cost."""
    return goal.after_each(belief), ledger.costs()


def choose(goal: Goal, belief: Belief, ledger: Ledger, budget: float, most: int) -> Batch:
    """Return the batch of at most `most` runs that leaves the least expected uncertainty.

    Without a budget (infinite) runs are taken by the fall per unit of cost alone.
    """
    if not np.isfinite(budget):
        return fill(goal, belief, ledger, budget, most, by_cost=True)
    after, costs = single(goal, belief, ledger)
    strongest = np.argsort(np.where(costs <= budget, after, np.inf), kind="stable")[:STARTS]
    firsts = [int(run) for run in strongest if costs[run] <= budget]
    tried = [fill(goal, belief, ledger, budget, most, by_cost=True)]
    tried += [fill(goal, belief, ledger, budget, most, (run,), by_cost=True) for run in firsts]
    tried.append(fill(goal, belief, ledger, budget, most, by_cost=False))
    tried.append(
        _judged(goal, belief, fill(Information(), belief, ledger, budget, most, by_cost=True))
    )
    return min(tried, key=lambda batch: batch.final)


def _judged(goal: Goal, belief: Belief, batch: Batch) -> Batch:
    """Return a batch that was chosen for another goal, with what it leaves of this one."""
    left = []
    for run in batch.runs:
        belief = belief.after(run)
        left.append(goal.now(belief))
    return replace(batch, uncertainty=tuple(left))


def fill(
    goal: Goal,
    belief: Belief,
    ledger: Ledger,
    budget: float,
    most: int,
    first: tuple[int, ...] = (),
    *,
    by_cost: bool,
) -> Batch:
    """Return the batch that starts with `first` and goes on with what tells most.

    Parameters
    ----------
    by_cost : whether by the fall of the uncertainty per unit of cost, or by the fall alone.
    """
    runs: list[int] = []
    paid: list[float] = []
    falls: list[float] = []
    now, left = goal.now(belief), budget
    while len(runs) < most:
        after, costs = single(goal, belief, ledger)
        fall = now - after
        possible = np.isfinite(costs) & (costs <= left * (1 + 1e-12))
        worth = np.where(possible, fall / (costs if by_cost else 1.0), -np.inf)
        run = first[len(runs)] if len(runs) < len(first) else int(np.argmax(worth))
        if not (possible[run] and fall[run] > NEGLIGIBLE * abs(now)):
            break
        belief, ledger = belief.after(run), ledger.after(run)
        now = goal.now(belief)
        left -= costs[run]
        runs.append(run)
        paid.append(float(costs[run]))
        falls.append(now)
    return Batch(tuple(runs), tuple(paid), tuple(falls), belief, ledger)
