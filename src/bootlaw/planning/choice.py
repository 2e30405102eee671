"""What a choice between checkpoints answers: the ranking, what it rests on, and who is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bootlaw.planning import notes, words
from bootlaw.planning.cost import Cost
from bootlaw.planning.extrapolation import if_the_law_holds
from bootlaw.planning.source import Shares, shares_document


@dataclass(frozen=True)
class Candidate:
    """A checkpoint with the loss that the law expects after the second stage.

    Attributes
    ----------
    params, params_active : non-embedding parameters of the checkpoint, and those that one token
        uses: what serving it costs. Those of the grown model where a final size was asked for.
    tokens_stage1, tokens_stage2 : D1 of the checkpoint, and the D2 that the budget buys it.
    cost : of training the second stage.
    loss : nats per token.
    lower, upper : interval in which a new run falls; None where nothing is known of the errors.
    share_best : share of the replicates in which it has the lowest loss; None without any.
    tie : whether it cannot be told from the best one.
    extrapolation : variable -> decades beyond the runs behind the law; empty where unknown.
    flags : in what it differs from the runs behind the law, in words.
    """

    name: str
    hub_id: str
    params: float
    params_active: float
    tokens_stage1: float
    tokens_stage2: float
    cost: Cost
    loss: float
    lower: float | None
    upper: float | None
    share_best: float | None
    tie: bool
    extrapolation: Mapping[str, float]
    flags: tuple[str, ...]

    @property
    def tokens_per_param(self) -> float:
        """D1 over the checkpoint's non-embedding parameters."""
        return self.tokens_stage1 / self.params

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the document's ``candidates``."""
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "tokens_per_param": self.tokens_per_param,
            "cost": self.cost.to_json(),
            "extrapolation": dict(self.extrapolation),
            "flags": list(self.flags),
        }


@dataclass(frozen=True)
class SetAside:
    """A checkpoint that the law cannot be asked about, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """Checkpoints ranked by the loss that they reach after a second stage, the best first.

    Attributes
    ----------
    law : its key; `label` says where its coefficients are from.
    budget : ``tokens_stage2`` or ``flops`` -> what every candidate gets of it.
    reasons : why there is no answer; empty where there is one.
    laws : key and weight of each law that it rests on.
    """

    law: str
    label: str
    budget: Mapping[str, float]
    level: float
    candidates: tuple[Candidate, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    laws: Shares = ()

    @property
    def status(self) -> Literal["ok", "tie", "undetermined"]:
        """``tie`` where others cannot be told from the best, ``undetermined`` without any."""
        if self.reasons or not self.candidates:
            return "undetermined"
        return "tie" if len(self.tied) > 1 else "ok"

    @property
    def best(self) -> Candidate | None:
        """The candidate with the lowest loss."""
        return self.candidates[0] if self.candidates else None

    @property
    def tied(self) -> tuple[str, ...]:
        """The names of the best one and of those that cannot be told from it."""
        return tuple(one.name for one in self.candidates if one.tie)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan choose``."""
        return {
            "status": self.status,
            "reasons": list(self.reasons),
            "law": self.law,
            "laws": shares_document(self.laws),
            "label": self.label,
            "budget": dict(self.budget),
            "level": self.level,
            "best": self.best.name if self.best else None,
            "tied": list(self.tied),
            "candidates": [one.to_json() for one in self.candidates],
            "set_aside": [vars(one).copy() for one in self.set_aside],
            "warnings": list(self.warnings),
        }

    def summary(self, rows: int = 20) -> str:
        """Return the ranking as a text table of at most `rows` lines."""
        lines = [self._headline(), *(f"  undetermined: {reason}" for reason in self.reasons)]
        if self.candidates:
            lines += ["", *_table(self.candidates[:rows])]
        if len(self.candidates) > rows:
            lines.append(f"  and {len(self.candidates) - rows} more")
        if self.set_aside:
            lines += ["", f"set aside ({len(self.set_aside)}):", *_grouped(self.set_aside)]
        return "\n".join([*lines, *notes.lines(self.warnings)])

    def _headline(self) -> str:
        name, amount = next(iter(self.budget.items()))
        if name == "flops":
            what = f"{amount:.3g} FLOPs of a second stage"
        else:
            what = f"{words.tokens(amount)} stage-2 tokens"
        if self.best is None or self.reasons:
            return f"no answer for {what} ({self.law})"
        if self.status == "tie":
            others = len(self.tied) - 1
            found = f"tie: {self.best.name} and {others} other{'s' if others > 1 else ''}"
        else:
            found = f"{self.best.name}, loss {self.best.loss:.4f} nats per token"
        holds = if_the_law_holds(self.best.extrapolation)
        return f"best of {len(self.candidates)} for {what}{holds}: {found} ({self.law})"


_HEAD = (
    *("", "checkpoint", "params", "active", "D1", "D1/N", "D2"),
    *("loss", "interval", "best in", "decades out", "days", "money", "flags"),
)
_LEFT = (1, len(_HEAD) - 1)
"""Columns of text, which start at the left."""

_NAMES = 6
"""Names in a line of those set aside."""


def _table(candidates: tuple[Candidate, ...]) -> list[str]:
    rows = [_HEAD, *(_cells(one) for one in candidates)]
    keep = [column for column in range(len(_HEAD)) if any(row[column] for row in rows[1:])]
    widths = {column: max(len(row[column]) for row in rows) for column in keep}
    return [
        "  ".join(_aligned(row[c], widths[c], left=c in _LEFT) for c in keep).rstrip()
        for row in rows
    ]


def _aligned(text: str, width: int, *, left: bool) -> str:
    return text.ljust(width) if left else text.rjust(width)


def _cells(one: Candidate) -> tuple[str, ...]:
    known = one.lower is not None and one.upper is not None
    out = max(one.extrapolation.values(), default=None)
    cost = one.cost
    return (
        "=" if one.tie else "",
        one.name,
        words.tokens(one.params),
        words.tokens(one.params_active) if one.params_active != one.params else "",
        words.tokens(one.tokens_stage1),
        f"{one.tokens_per_param:.3g}",
        words.tokens(one.tokens_stage2),
        f"{one.loss:.4f}",
        f"{one.lower:.4f} to {one.upper:.4f}" if known else "",
        "" if one.share_best is None else words.per_cent(one.share_best),
        "" if out is None else f"{out:.1f}",
        "" if cost.days is None else f"{float(cost.days):.3g}",
        "" if cost.money is None else f"{words.count(float(cost.money))} {cost.currency}",
        "; ".join(one.flags),
    )


def _grouped(left_out: tuple[SetAside, ...]) -> list[str]:
    """Return one line per reason, with the names that it holds for."""
    by_reason: dict[str, list[str]] = {}
    for one in left_out:
        by_reason.setdefault(one.reason, []).append(one.name)
    return [f"  {_some(names)}: {reason}" for reason, names in by_reason.items()]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")
