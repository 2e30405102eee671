"""What would flip a decision: another budget, another base, a loss that comes out otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning import words
from bootlaw.planning.decision.option import Option

Floats = NDArray[np.float64]

REACH = 2.0
"""Decades of budget, and of D1, looked at on either side."""

POINTS = 401
"""Factors looked at: every 2.3 % over four decades."""


@dataclass(frozen=True)
class Flip:
    """A change that makes another option the best.

    Attributes
    ----------
    what : ``budget``, ``tokens_stage1`` or ``loss``.
    factor : by which what was asked must be multiplied; for a loss, that of the runner-up.
    value : the value there: the budget in FLOPs or tokens, D1, or the loss in nats.
    winner : the option that is then the best.
    """

    what: str
    factor: float
    value: float
    winner: str

    def to_json(self) -> dict[str, Any]:
        """Return the flip as plain data."""
        return {
            "what": self.what,
            "factor": self.factor,
            "value": self.value,
            "winner": self.winner,
        }

    def sentence(self, budget_unit: str) -> str:
        """Return the flip in words; `budget_unit` is ``flops`` or ``tokens``."""
        if self.what == "loss":
            return f"{self.winner}, if its loss comes out {1 - self.factor:.2%} below expectation"
        if self.what == "tokens_stage1":
            said = f"with a base of D1 = {words.tokens(self.value)}"
        elif budget_unit == "flops":
            said = f"with {self.value:.3g} FLOPs"
        else:
            said = f"with {words.tokens(self.value)} tokens"
        return f"{self.winner}, {said} ({self.factor:.3g} times as much)"


def find_flips(
    options: Sequence[Option], budget: float, tokens_stage1: float, best: int
) -> tuple[Flip, ...]:
    """Return the nearest changes that make another option the best, for the point estimates.

    A compute-optimal size stays as it was chosen for the budget asked about.
    """
    factors = np.logspace(-REACH, REACH, POINTS)

    def by_budget(factor: Floats) -> Floats:
        return _points(options, budget * factor, np.full(factor.shape, tokens_stage1))

    def by_stage1(factor: Floats) -> Floats:
        return _points(options, np.full(factor.shape, budget), tokens_stage1 * factor)

    found = []
    for what, curve, value in (
        ("budget", by_budget, budget),
        ("tokens_stage1", by_stage1, tokens_stage1),
    ):
        for factor, winner in _nearest(curve, factors, best):
            found.append(Flip(what, factor, value * factor, options[winner].name))
    return (*found, *_by_loss(options, budget, tokens_stage1, best))


def _points(options: Sequence[Option], budgets: Floats, tokens_stage1: Floats) -> Floats:
    return np.stack([option.expected(budgets, tokens_stage1) for option in options])


def _nearest(
    curve: Callable[[Floats], Floats], factors: Floats, best: int
) -> list[tuple[float, int]]:
    """Return the factors nearest to 1 on either side at which another option takes the lead."""
    losses = curve(factors)
    with np.errstate(invalid="ignore"):
        winners = np.argmin(np.where(np.isnan(losses), np.inf, losses), axis=0)
    centre = factors.size // 2
    found = []
    for side in (np.arange(centre, factors.size), np.arange(centre, -1, -1)):
        other = np.flatnonzero(winners[side] != best)
        if other.size and other[0] > 0:
            inner, outer = side[other[0] - 1], side[other[0]]
            winner = int(winners[outer])
            found.append((_refined(curve, factors[inner], factors[outer], best), winner))
    return found


def _refined(curve: Callable[[Floats], Floats], inner: float, outer: float, best: int) -> float:
    """Return where `best` loses the lead between two factors, to a part in a million."""
    low, high = np.log(inner), np.log(outer)
    for _ in range(20):
        middle = (low + high) / 2
        losses = curve(np.exp(np.array([middle])))[:, 0]
        leads = bool(losses[best] <= np.nanmin(losses))
        low, high = (middle, high) if leads else (low, middle)
    return float(np.exp((low + high) / 2))


def _by_loss(
    options: Sequence[Option], budget: float, tokens_stage1: float, best: int
) -> tuple[Flip, ...]:
    """Return how much lower the loss of the runner-up would have to come out."""
    losses = _points(options, np.array([budget]), np.array([tokens_stage1]))[:, 0]
    rivals = [i for i in np.argsort(losses) if i != best and np.isfinite(losses[i])]
    if not rivals:
        return ()
    second = int(rivals[0])
    factor = float(losses[best] / losses[second])
    return (Flip("loss", factor, float(losses[best]), options[second].name),)
