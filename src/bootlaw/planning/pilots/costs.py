"""What a run costs, given what has been trained already.

A second stage is a trunk with branches: the trunk keeps its learning rate, and every length of
interest is a branch that cools down over the last share of its tokens. So a run on a trunk that
is long enough costs its cooldown only, and one that is longer costs the tokens in between too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.planning import validity

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bases = Literal["separate", "shared", "free"]


@dataclass(frozen=True)
class CostRules:
    """How runs share work.

    Attributes
    ----------
    cooldown : share of a run's second-stage tokens that it does not share with its trunk.
    bases : a base that is not there yet costs its own training from the first token on
        (``separate``), the tokens beyond the longest base as all are checkpoints of one run
        (``shared``), or nothing (``free``). Bases of the pilot runs are there.
    base_cost : FLOPs per token of the base over those of the final model.
    there : tokens of bases that exist beside those of the pilots.
    """

    cooldown: float = 0.2
    bases: Bases = "separate"
    base_cost: float = 1.0
    there: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < validity.number("cooldown", self.cooldown) <= 1:
            raise InputError(f"cooldown is a share above 0 and up to 1, not {self.cooldown:g}")
        if self.bases not in ("separate", "shared", "free"):
            raise InputError(f"bases is one of separate, shared, free, not {self.bases!r}")
        validity.set_numbers(self, "base_cost")
        for base in self.there:
            validity.check_tokens("the tokens of a base that exists", base)


@dataclass(frozen=True, eq=False)
class Ledger:
    """The candidates' costs as work proceeds.

    Attributes
    ----------
    tokens : (n,) second-stage tokens of each candidate.
    rate : (n,) cost of one of its tokens.
    trunk : (n,) number of its trunk.
    base : (n,) number of its base, -1 for runs from scratch.
    base_tokens : (n_bases,) tokens of each base.
    reach : (n_trunks,) tokens that each trunk has been trained to.
    there : (n_bases,) True for bases that exist.
    used : (n,) True for candidates that were chosen.
    own : (n,) costs that were given, instead of the rules; None without.
    """

    tokens: Floats
    rate: Floats
    trunk: Indices
    base: Indices
    base_tokens: Floats
    reach: Floats
    there: NDArray[np.bool_]
    used: NDArray[np.bool_]
    rules: CostRules
    own: Floats | None = None

    def costs(self) -> Floats:
        """Return (n,) what each candidate costs now; infinite for those done."""
        if self.own is not None:
            return np.where(self.used, np.inf, self.own)
        cooldown = self.rules.cooldown * self.tokens
        extension = np.maximum(self.tokens - cooldown - self.reach[self.trunk], 0.0)
        total = (cooldown + extension + self._base_tokens_due()) * self.rate
        return np.where(self.used, np.inf, total)

    def after(self, run: int) -> Ledger:
        """Return the ledger once the candidate `run` has been done."""
        used, reach, there = self.used.copy(), self.reach.copy(), self.there.copy()
        used[run] = True
        stem = (1.0 - self.rules.cooldown) * self.tokens[run]
        reach[self.trunk[run]] = max(reach[self.trunk[run]], stem)
        if self.base[run] >= 0:
            there[self.base[run]] = True
        return replace(self, used=used, reach=reach, there=there)

    def _base_tokens_due(self) -> Floats:
        if self.base_tokens.size == 0 or self.rules.bases == "free":
            return np.zeros(self.tokens.size)
        due = np.where(self.there, 0.0, self.base_tokens)
        if self.rules.bases == "shared":
            longest = self.base_tokens[self.there].max(initial=0.0)
            due = np.maximum(due - longest, 0.0)
        return np.where(self.base >= 0, due[self.base] * self.rules.base_cost, 0.0)
