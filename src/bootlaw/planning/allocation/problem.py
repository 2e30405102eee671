"""Where a budget may go: the designs that it pays for, and the loss of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.allocation.repeats import effective_tokens, too_often
from bootlaw.planning.allocation.route import Route
from bootlaw.planning.cost.shape import INFERENCE, TRAINING

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SPLIT_EDGE = math.log(1e5)
"""Shares of the stages are searched from 1 : 100,000 to 100,000 : 1."""


@dataclass(frozen=True, eq=False)
class Design:
    """Sizes and tokens, arrays of one shape; tokens are NaN where the budget does not reach."""

    params: Floats
    tokens_stage1: Floats
    tokens_stage2: Floats

    def ln(self) -> dict[str, Floats]:
        """Return ln of its numbers by name."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return {name: np.log(values) for name, values in self.by_name().items()}

    def by_name(self) -> dict[str, Floats]:
        """Return its numbers by the names of the run table."""
        return {N: self.params, D1: self.tokens_stage1, D2: self.tokens_stage2}


@dataclass(frozen=True, eq=False)
class Problem:
    """A route, what is fixed in it, and what a token is counted at.

    Attributes
    ----------
    in_tokens : the budget counts tokens, a token of either stage alike, and not FLOPs.
    params : the law's N; NaN where it is to be chosen. Of a law that does not read the size it
        is the one size, NaN if unknown and not needed.
    tokens_stage1 : D1 of the base; NaN where it is to be chosen, 0 from scratch.
    stage1_paid : whether stage 1 is paid from the budget.
    sizes : the smallest and the largest N to choose from.
    bases : the fewest and the most stage-1 tokens to choose from.
    inference_tokens : served over the model's life, paid from the budget.
    most_training : FLOPs that fit before a deadline; inf without one.
    unique : unique tokens for each stage; None where they do not run out.
    given : the law's other variables.
    """

    route: Route
    in_tokens: bool
    params: float
    tokens_stage1: float
    stage1_paid: bool
    sizes: tuple[float, float]
    bases: tuple[float, float] = (0.0, math.inf)
    inference_tokens: float = 0.0
    most_training: float = math.inf
    unique: tuple[float | None, float | None] = (None, None)
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def chooses_size(self) -> bool:
        """Whether the model's size is open."""
        return self.route.reads_size and math.isnan(self.params)

    @property
    def chooses_split(self) -> bool:
        """Whether the tokens of stage 1 are open."""
        return self.route.splits and math.isnan(self.tokens_stage1)

    @property
    def lower(self) -> Floats:
        """The lowest coordinates (d,): ln N, then ln of stage 1's cost over stage 2's."""
        return np.array(
            [math.log(self.sizes[0])] * self.chooses_size + [-SPLIT_EDGE] * self.chooses_split
        )

    @property
    def upper(self) -> Floats:
        """The highest coordinates (d,)."""
        return np.array(
            [math.log(self.sizes[1])] * self.chooses_size + [SPLIT_EDGE] * self.chooses_split
        )

    def design(self, points: Floats, ln_budget: Floats) -> Design:
        """Return what the budget buys at coordinates (k, n, d), for ln budgets (k, 1)."""
        fixed = np.full(points.shape[:-1], self.params)
        size = np.exp(points[..., 0]) if self.chooses_size else fixed
        first, second = self.rates(size)
        budget = self.training_budget(second, ln_budget)
        if self.chooses_split:
            share = 1.0 / (1.0 + np.exp(-points[..., -1]))
            wanted = share * budget / first
            within = np.clip(wanted, *self.bases)
            # Where nothing is clipped, what is left keeps its digits beside a large stage 1.
            rest = np.where(within == wanted, (1.0 - share) * budget, budget - within * first)
            return _design(size, within, rest / second)
        base = 0.0 if math.isnan(self.tokens_stage1) else self.tokens_stage1
        paid = first * base if self.stage1_paid else 0.0
        return _design(size, np.full(budget.shape, base), (budget - paid) / second)

    def rates(self, size: Floats) -> tuple[Floats, Floats]:
        """Return what a token of either stage takes from the budget."""
        if self.in_tokens:
            return np.ones_like(size), np.ones_like(size)
        return self.route.rates(size)

    def training_budget(self, second: Floats, ln_budget: Floats) -> Floats:
        """Return what is left for training after serving, and before the deadline."""
        left = np.exp(ln_budget) - second * (INFERENCE / TRAINING) * self.inference_tokens
        return np.minimum(left, self.most_training)

    def loss(self, which: Indices, points: Floats, ln_budget: Floats) -> Floats:
        """Return losses (k, n) at coordinates (k, n, d); inf where no such run makes sense."""
        return self.loss_of(which, self.design(points, ln_budget))

    def loss_of(self, which: Indices, design: Design) -> Floats:
        """Return losses (k, n) of designs (k, n) or (1, n); inf where no such run makes sense."""
        worth = self.read(design)
        known = np.isfinite(design.tokens_stage2) & ~self.repeats_too_often(design)
        columns = {name: np.where(known, values, 1.0) for name, values in worth.items()} | {
            name: np.full((1, 1), value) for name, value in self.given.items()
        }
        variables = self.route.source.law.variables
        read = {name: values for name, values in columns.items() if name in variables}
        losses = self.route.source.paired_loss(which, read, self.route.part)
        sensible = known & np.isfinite(losses) & self._falls(which, columns)
        return np.where(sensible, losses, np.inf)

    def read(self, design: Design) -> dict[str, Floats]:
        """Return what the law reads of a design: repeated tokens at their worth."""
        return {
            N: design.params,
            D1: effective_tokens(design.tokens_stage1, self.unique[0]),
            D2: effective_tokens(design.tokens_stage2, self.unique[1]),
        }

    def repeats_too_often(self, design: Design) -> NDArray[np.bool_]:
        """Return which designs repeat a text more often than anything is known of."""
        first = too_often(design.tokens_stage1, self.unique[0] if self.route.splits else None)
        return np.asarray(first | too_often(design.tokens_stage2, self.unique[1]))

    def _falls(self, which: Indices, columns: Mapping[str, Floats]) -> NDArray[np.bool_]:
        """Return where the loss falls with stage 2: a product law is no law beyond exp(a2/a3)."""
        if self.route.part != "reuse" or D1 not in columns:
            return np.ones((1, 1), dtype=np.bool_)
        return self.route.source.falls(which, columns[D1], columns.get(N))


def _design(size: Floats, first: Floats, second: Floats) -> Design:
    """Return the design, without tokens where the budget does not pay for a stage 2."""
    paid = (second > 0) & (first >= 0)
    shape = np.broadcast_shapes(size.shape, first.shape, second.shape)
    return Design(
        np.broadcast_to(size, shape),
        np.where(paid, first, np.nan),
        np.where(paid, second, np.nan),
    )
