"""What becomes of one option at the budget, and how it compares with the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootlaw.planning import words
from bootlaw.planning.cost import Cost
from bootlaw.planning.source import Shares, shares_document


@dataclass(frozen=True)
class Outcome:
    """One row of a decision.

    Attributes
    ----------
    params : N of the model that comes out.
    tokens : tokens it trains on; 0 for a model taken as it is.
    loss : expected loss, nats per token.
    lower, upper : interval in which a run falls at the decision's level; None where unknown.
    times_best : resamples in which it has the lowest loss; None without replicates.
    behind : loss less that of the best option, nats.
    tie : whether the data cannot tell it from the best.
    equivalent_tokens : tokens from scratch at the same size that reach the same loss; None where
        no number of them does, or there is no law of runs from scratch.
    compute_multiplier : their FLOPs over the budget.
    cost : of the training.
    extrapolation : decades beyond the fitted range per variable.
    laws : key and weight of each law that it rests on; none for a known loss.
    """

    name: str
    kind: str
    params: float | None
    tokens: float
    loss: float
    lower: float | None
    upper: float | None
    times_best: int | None
    behind: float
    tie: bool
    equivalent_tokens: float | None
    compute_multiplier: float | None
    cost: Cost | None
    extrapolation: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    laws: Shares = ()

    def to_json(self) -> dict[str, Any]:
        """Return this row of the document of ``plan decide``."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        cost = None if self.cost is None else self.cost.to_json()
        laws = shares_document(self.laws)
        return {**plain, "cost": cost, "extrapolation": dict(self.extrapolation), "laws": laws}

    def cells(self, n_replicates: int) -> list[str]:
        """Return the row as text cells, in the order of `heading`."""
        interval = (
            "" if self.lower is None or self.upper is None else f"{self.lower:.3f}-{self.upper:.3f}"
        )
        best = "" if self.times_best is None else f"{self.times_best} of {n_replicates}"
        equal = self.equivalent_tokens
        multiplier = self.compute_multiplier
        return [
            self.name,
            "" if self.params is None else words.tokens(self.params),
            words.tokens(self.tokens) if self.tokens else "-",
            f"{self.loss:.4f}" + (" tie" if self.tie and self.behind else ""),
            interval,
            best,
            "-" if equal is None else words.tokens(equal),
            "-" if multiplier is None else f"{multiplier:.2f}x",
            *_money(self.cost),
        ]


_PLAIN = (
    "name",
    "kind",
    "params",
    "tokens",
    "loss",
    "lower",
    "upper",
    "times_best",
    "behind",
    "tie",
    "equivalent_tokens",
    "compute_multiplier",
    "note",
)


def heading(level: float) -> list[str]:
    """Return the heads of the columns of `Outcome.cells`."""
    return [
        "option",
        "N",
        "tokens",
        "loss",
        f"{words.per_cent(level)} of runs",
        "best in",
        "= scratch tokens",
        "compute",
        "days",
        "money",
    ]


def _money(cost: Cost | None) -> tuple[str, str]:
    days = None if cost is None or cost.days is None else float(cost.days)
    money = None if cost is None or cost.money is None else float(cost.money)
    return (
        "" if days is None else f"{days:.3g}",
        "" if money is None or cost is None else f"{words.count(money)} {cost.currency}",
    )
