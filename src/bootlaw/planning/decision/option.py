"""One thing that can be done with a budget, and the loss it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.bases import by_base
from bootlaw.planning.decision.setting import Setting
from bootlaw.planning.paired import Part
from bootlaw.planning.source import POINT, Source

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Kind = Literal["leave", "reuse", "scratch", "other"]


@dataclass(frozen=True)
class Option:
    """A thing to do: train with a law that says what comes out, or take a model as it is.

    Attributes
    ----------
    name : as a reader calls it.
    kind : ``leave`` the base, ``reuse`` it, start from ``scratch``, take an ``other`` model.
    source, part : the law behind it; `source` is None for a model of which the loss is known.
    params : N of the model that comes out; None where no size is known.
    per_token : training FLOPs per token; 0 for a model taken as it is.
    paid : FLOPs that come off the budget before the first token: a paid base.
    loss : known loss of a model taken as it is, nats per token.
    at : values of the law's other variables.
    tokens_fixed : tokens of a model that a law of scratch runs speaks for, instead of a budget.
    note : what a reader must know of it.
    """

    name: str
    kind: Kind
    source: Source | None = None
    part: Part = "scratch"
    params: float | None = None
    per_token: float = 0.0
    paid: float = 0.0
    loss: float | None = None
    at: Mapping[str, float] = field(default_factory=dict)
    tokens_fixed: float | None = None
    note: str = ""

    @property
    def trains(self) -> bool:
        """Whether it spends the budget."""
        return self.per_token > 0

    def tokens(self, budget: Floats) -> Floats:
        """Return the tokens (n,) that budgets (n,) buy; below 1 where they buy none."""
        if not self.trains:
            return np.full(budget.shape, self.tokens_fixed or 0.0)
        return np.asarray((budget - self.paid) / self.per_token)

    def losses(self, budget: Floats, tokens_stage1: float) -> Floats:
        """Return losses (1 + r, n) at budgets (n,), nats; infinite where nothing can be bought."""
        every = POINT if self.source is None else np.arange(len(self.source.params))
        return self._losses(self.source, every, budget, tokens_stage1)

    def expected(self, budget: Floats, tokens_stage1: Floats) -> Floats:
        """Return losses (n,) of the point estimate at budgets (n,) and bases (n,), nats.

        Of several laws averaged, by those that answer about each base.
        """
        if self.source is None:
            return np.asarray(self._losses(None, POINT, budget, tokens_stage1)[0])
        found = np.empty(budget.shape)
        for at, laws in by_base(self.source, tokens_stage1, self.about):
            found[at] = self._losses(laws, POINT, budget[at], tokens_stage1[at])[0]
        return found

    def _losses(
        self,
        source: Source | None,
        which: Indices,
        budget: Floats,
        tokens_stage1: float | Floats,
    ) -> Floats:
        if source is None:
            return np.full((1, budget.size), np.nan if self.loss is None else self.loss)
        tokens = self.tokens(budget)
        affordable = tokens >= (1.0 if self.trains else 0.0)
        stage1 = tokens_stage1 if self.part == "reuse" else 0.0
        bought = np.where(affordable, tokens, 1.0)[np.newaxis, :]
        columns = {
            name: np.full_like(bought, value)
            for name, value in {**self.columns, D1: stage1}.items()
        }
        with np.errstate(over="ignore", invalid="ignore"):
            losses = source.paired_loss(which, {**columns, D2: bought}, self.part)
        return np.asarray(np.where(affordable, losses, np.inf))

    @property
    def about(self) -> dict[str, float]:
        """What the law must have an answer about beside the base: its variables that it reads."""
        variables = () if self.source is None else self.source.law.variables
        return {name: value for name, value in self.columns.items() if name in variables}

    @property
    def columns(self) -> dict[str, float]:
        """The law's variables other than tokens."""
        return {**self.at, **({} if self.params is None else {N: self.params})}


def aligned(losses: list[Floats]) -> Floats:
    """Return losses (1 + r, k, n) of k options: replicates are paired, known losses repeated.

    Where one law has no replicates no comparison has any: r is then 0.
    """
    counts = [len(one) - 1 for one in losses]
    spread = [count for count in counts if count > 0]
    r = min(spread, default=0)
    rows = [one[: 1 + r] if len(one) > r else np.repeat(one[:1], 1 + r, axis=0) for one in losses]
    return np.stack(rows, axis=1)


def point_only(options: list[Option]) -> bool:
    """Return whether some law behind the options has no replicates to compare by."""
    return any(option.source is not None and option.source.n_replicates == 0 for option in options)


def setting_note(setting: Setting) -> str:
    """Return how the budget is counted, in words."""
    if not setting.counts_flops:
        return "the budget is in tokens of the final model: no size was given to count FLOPs from"
    from bootlaw.planning.cost import flops_basis

    return flops_basis(setting.shape if setting.shape is not None else setting.params or 1.0)
