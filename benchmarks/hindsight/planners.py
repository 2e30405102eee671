"""Who decides: bootlaw by one law, by a law that compare chose, and habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bootlaw import fit
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit, LawAverage, average_laws, compare
from bootlaw.fitting.average import HOLDOUTS
from bootlaw.planning import decide
from bootlaw.planning.many import forecasts
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]

CONTEST = (
    "bootstrapped", "multiplicative", "additive", "hybrid", "effective-data", "total-tokens"
)  # fmt: skip
REPLICATES = 100


@dataclass(frozen=True)
class Expert:
    """What a table of pilots says, by several ways of reading it.

    Attributes
    ----------
    holdout : by which `compare` chooses a law.
    averaged_by : by which errors the laws are averaged.
    """

    pilots: RunTable
    holdout: str = "largest-d1"
    averaged_by: tuple[str, ...] = HOLDOUTS
    fits: dict[str, Fit] = field(default_factory=dict)

    def law(self, key: str, bootstrap: int = 0) -> Fit:
        """Return a law fitted to the pilots, with its part for scratch."""
        if key not in self.fits or (bootstrap and not len(self.fits[key].replicates)):
            self.fits[key] = fit(self.pilots, f"{key}+scratch", bootstrap=bootstrap)
        return self.fits[key]

    @cached_property
    def contest(self) -> list[tuple[str, float]]:
        """The laws with their hold-out errors, best first."""
        rows = compare(self.pilots, laws=list(CONTEST), holdout=self.holdout).rows
        return [
            (row.law, row.rms_log_out) for row in rows
            if row.rms_log_out is not None and np.isfinite(row.rms_log_out)
            and self.law(row.law).status == "converged"
        ]  # fmt: skip

    @cached_property
    def average(self) -> LawAverage:
        """The laws averaged as ``bootlaw compare --out`` does."""
        return average_laws(self.pilots, holdout=self.averaged_by, bootstrap=REPLICATES)

    def predictions(self, how: str, stage1: Floats, stage2: Floats) -> Floats | None:
        """Return the losses (n,) expected by ``main``, ``compare`` or ``average``; None if none."""
        columns = {"tokens_stage1": stage1, "tokens_stage2": stage2}
        try:
            if how == "main":
                return forecasts(self.law("bootstrapped"), columns).loss
            if how == "compare":
                return forecasts(self.law(self.contest[0][0]), columns).loss
            return forecasts(self.average, columns).loss
        except (InputError, UndeterminedError, IndexError):
            return None

    def decision(self, how: str, stage1: float, stage2: float) -> tuple[str, str]:
        """Return `decide`'s choice by ``main`` or ``average``, reuse or scratch, and its status."""
        try:
            rests_on = self.average if how == "average" else self.law("bootstrapped", REPLICATES)
            found = decide(rests_on, tokens_stage1=stage1, tokens_stage2=stage2)
        except (InputError, UndeterminedError):
            return "reuse", "undetermined"
        kinds = {one.name: one.kind for one in found.outcomes}
        if found.status == "undetermined" or found.best is None:
            return "reuse", "undetermined"
        return ("scratch" if kinds[found.best.name] == "scratch" else "reuse"), found.status


def choose(losses: Floats | None, fall_back: int) -> tuple[int, str]:
    """Return the action of the lowest expected loss, `fall_back` where nothing is known."""
    if losses is None or not np.isfinite(losses).any():
        return fall_back, "undetermined"
    return int(np.nanargmin(losses)), "ok"


Habit = Callable[[Floats, Floats], int]
