"""What a break-even answers: the verdict, the crossings, the interval and the reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bootlaw.planning import notes, words
from bootlaw.planning.cost import Cost
from bootlaw.planning.extrapolation import if_the_law_holds
from bootlaw.planning.source import Shares, shares_document
from bootlaw.planning.verdict import Verdict

Winner = Literal["reuse", "scratch"]


@dataclass(frozen=True)
class Crossing:
    """A number of stage-2 tokens at which the winner changes."""

    tokens: float
    winner_below: Winner
    winner_above: Winner


@dataclass(frozen=True)
class Interval:
    """A percentile interval of the break-even over the bootstrap replicates.

    Attributes
    ----------
    lower, upper : stage-2 tokens; 0 where the end lies below the searched range, inf where it
        lies beyond it.
    shares : share of the replicates per verdict.
    without_crossing : share of the replicates that never change from reuse to scratch.
    """

    lower: float
    upper: float
    shares: Mapping[Verdict, float]
    without_crossing: float

    def __str__(self) -> str:
        return _ends(self.lower, self.upper)


@dataclass(frozen=True)
class Breakeven:
    """Where starting over catches up with reuse, or why there is no such place.

    Attributes
    ----------
    verdict : what the point estimate says; None where the fit cannot be asked.
    reasons : why the data cannot tell; empty where they can.
    tokens : the smallest D2 at which the winner changes from reuse to scratch, None if none.
    loss : nats per token there.
    turn : interval of the one crossing where it goes from scratch to reuse, ends as in
        `Interval`; None where `tokens` is known, or nothing crosses.
    search : the lowest and the highest D2 looked at.
    closed_form : D* in closed form; None with `closed_form_reason` where that does not hold.
    extrapolation : decades beyond the fitted range per variable, 0 inside it, at the first
        crossing; ``tokens_scratch`` is the scratch side, whose runs must reach D2 plus the paid
        stage 1. Without a crossing it is that of the searched D2 nearest to the runs.
    params : N that was asked about; None where none was given.
    cost : of a second stage of `tokens`; None without a crossing, or where no size is known.
    laws : key and weight of each law of reuse that it rests on.
    """

    law: str
    tokens_stage1: float
    stage1: str
    search: tuple[float, float]
    level: float
    verdict: Verdict | None
    reasons: tuple[str, ...]
    tokens: float | None = None
    loss: float | None = None
    interval: Interval | None = None
    turn: tuple[float, float] | None = None
    crossings: tuple[Crossing, ...] = ()
    closed_form: float | None = None
    closed_form_reason: str | None = None
    extrapolation: Mapping[str, float] | None = None
    warnings: tuple[str, ...] = ()
    params: float | None = None
    cost: Cost | None = None
    laws: Shares = ()

    @property
    def status(self) -> Verdict | Literal["undetermined"]:
        """The verdict where the data support it, else ``undetermined``."""
        return "undetermined" if self.reasons or self.verdict is None else self.verdict

    @property
    def lower(self) -> float | None:
        """The lower end of the interval of `tokens`; None without, or outside the range."""
        return None if self.interval is None or not self.tokens else _inside(self.interval.lower)

    @property
    def upper(self) -> float | None:
        """The upper end of the interval of `tokens`; None without, or outside the range."""
        return None if self.interval is None or not self.tokens else _inside(self.interval.upper)

    @property
    def agreement(self) -> float | None:
        """The share of replicates with this verdict, and this winner at first; None without any."""
        if self.interval is None or self.verdict is None:
            return None
        shares, without = self.interval.shares, self.interval.without_crossing
        if self.verdict != "crossing":
            return shares[self.verdict]
        if self.tokens is not None:
            return 1 - without
        return without - shares["reuse_always_wins"] - shares["scratch_always_wins"]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan breakeven``."""
        interval = self.interval
        return {
            "status": self.status,
            "reasons": list(self.reasons),
            "verdict": self.verdict,
            "law": self.law,
            "laws": shares_document(self.laws),
            "tokens_stage1": self.tokens_stage1,
            "stage1": self.stage1,
            "params": self.params,
            "tokens": self.tokens,
            "lower": self.lower,
            "upper": self.upper,
            "level": self.level,
            "turn": self.turn and [_inside(end) for end in self.turn],
            "loss": self.loss,
            "cost": self.cost and self.cost.to_json(),
            "crossings": [vars(crossing).copy() for crossing in self.crossings],
            "range": list(self.search),
            "share_without_crossing": interval and interval.without_crossing,
            "replicate_verdicts": interval and dict(interval.shares),
            "closed_form": self.closed_form,
            "closed_form_reason": self.closed_form_reason,
            "extrapolation": self.extrapolation and dict(self.extrapolation),
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the answer in words."""
        size = "" if self.params is None else f", N = {words.tokens(self.params)}"
        asked = f"D1 = {words.tokens(self.tokens_stage1)}{size}, {self.law}"
        lines = [f"{self._headline()} ({asked}, stage 1 {self.stage1})"]
        lines += [f"  undetermined: {reason}" for reason in self.reasons]
        lines += self._certainty()
        if len(self.crossings) > 1:
            lines += [
                f"  at {words.tokens(c.tokens)}: {c.winner_below} wins below, "
                f"{c.winner_above} above"
                for c in self.crossings
            ]
        if self.cost is not None:
            lines.append(f"  a second stage of that length: {self.cost}")
        if self.closed_form is not None:
            lines.append(f"  closed form: {words.tokens(self.closed_form)}")
        return "\n".join([*lines, *notes.lines(self.warnings)])

    def _certainty(self) -> list[str]:
        if self.interval is None:
            return []
        agree = f"  {words.per_cent(self.agreement or 0.0)} of the replicates agree"
        holds = if_the_law_holds(self.extrapolation or {})
        said = f"  {words.per_cent(self.level)} interval{holds}: "
        if self.tokens is None:
            return [agree] if self.turn is None else [f"{said}{_ends(*self.turn)}", agree]
        lines = [f"{said}{self.interval}"]
        if self.interval.without_crossing > 0:
            share = words.per_cent(self.interval.without_crossing)
            lines.append(f"  {share} of the replicates never change from reuse to scratch there")
        return lines

    def _headline(self) -> str:
        low, high = (words.tokens(end) for end in self.search)
        searched = f"between {low} and {high} stage-2 tokens"
        if self.verdict is None:
            return "no answer"
        if self.verdict == "reuse_always_wins":
            return f"no crossing: reuse wins everywhere {searched}"
        if self.verdict == "scratch_always_wins":
            return f"no crossing: starting over wins everywhere {searched}"
        if self.tokens is None:
            place = words.tokens(self.crossings[0].tokens)
            return f"starting over is better only below {place} stage-2 tokens; reuse from there on"
        found = f"starting over catches up at {words.tokens(self.tokens)} stage-2 tokens"
        return f"{found}, loss {self.loss:.4f}" if self.loss is not None else found


def _inside(end: float) -> float | None:
    return end if 0 < end < math.inf else None


def _ends(lower: float, upper: float) -> str:
    low, high = _end(lower), _end(upper)
    return f"{low} to {high}" if low != high else low


def _end(tokens: float) -> str:
    if tokens == 0:
        return "below the range"
    return words.tokens(tokens) if math.isfinite(tokens) else "beyond the range"
