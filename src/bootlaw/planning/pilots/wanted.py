"""What is wanted of a set of candidates, and how chosen ones are told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bootlaw.planning.pilots.answer import RankedRun
from bootlaw.planning.pilots.candidates import Candidates
from bootlaw.planning.pilots.costs import Ledger
from bootlaw.planning.pilots.search import Batch


@dataclass(frozen=True, eq=False)
class Wanted:
    """Candidates, their costs, and how many for how much.

    Attributes
    ----------
    budget : in `unit`, None without a limit.
    most : runs at most.
    level : of intervals.
    """

    offered: Candidates
    ledger: Ledger
    unit: str
    budget: float | None
    most: int
    level: float

    @property
    def limit(self) -> float:
        """The budget, infinite where there is none."""
        return np.inf if self.budget is None else self.budget

    def in_order(self, chosen: Batch, now: float) -> tuple[RankedRun, ...]:
        """Return the runs of a batch, the uncertainty before which was `now`."""
        before = (now, *chosen.uncertainty)
        return tuple(
            ranked_run(self.offered, run, cost, before[number], before[number + 1])
            for number, (run, cost) in enumerate(zip(chosen.runs, chosen.costs, strict=True))
        )


def ranked_run(
    offered: Candidates, run: int, cost: float, before: float, after: float
) -> RankedRun:
    """Return one candidate as a part of an answer."""
    return RankedRun(
        run=offered.describe(run),
        candidate=run,
        columns={name: float(values[run]) for name, values in offered.columns.items()},
        trunk=offered.trunk_names[offered.trunk[run]],
        extends=bool(offered.trunk[run] < offered.n_existing),
        cost=cost,
        before=before,
        after=after,
    )
