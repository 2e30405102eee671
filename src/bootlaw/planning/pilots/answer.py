"""Which runs to do next: the answer, as numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bootlaw.planning import notes, words
from bootlaw.planning.cost import Cost
from bootlaw.planning.source import Shares, shares_document

Status = Literal["ok", "settled", "cannot_settle", "identify"]

SHOWN = 10
"""Single runs that the summary lists."""


@dataclass(frozen=True)
class RankedRun:
    """One run, and what it is expected to tell.

    Attributes
    ----------
    run : in words.
    candidate : its number among the candidates.
    columns : the law's columns and both token counts; tokens_stage1 0 from scratch.
    trunk : the trunk that it branches off or begins.
    extends : whether that trunk exists already.
    cost : in the answer's unit; in a batch, given the runs before it.
    before, after : expected uncertainty without and with it; in a batch with those before it.
    """

    run: str
    candidate: int
    columns: Mapping[str, float]
    trunk: str
    extends: bool
    cost: float
    before: float
    after: float

    @property
    def fall(self) -> float:
        """The expected fall of the uncertainty."""
        return self.before - self.after

    @property
    def value(self) -> float:
        """The expected fall per unit of cost."""
        return self.fall / self.cost

    def to_json(self) -> dict[str, Any]:
        """Return the run as a part of the document of ``plan next``."""
        return {
            "run": self.run,
            "candidate": self.candidate,
            **{name: float(value) for name, value in self.columns.items()},
            "trunk": self.trunk,
            "extends": self.extends,
            "cost": self.cost,
            "before": self.before,
            "after": self.after,
            "fall": self.fall,
            "value": self.value,
        }


@dataclass(frozen=True)
class Further:
    """What could settle the decision beyond the budget, or how far any runs get.

    Attributes
    ----------
    runs, cost : how many runs, and what they cost together.
    after : expected uncertainty after them.
    settles : whether that is at most the target.
    """

    runs: int
    cost: float
    after: float
    settles: bool


@dataclass(frozen=True)
class NextRuns:
    """The runs that tell most of a decision, and how much.

    Attributes
    ----------
    status : ``ok``, the batch is expected to settle the decision or no budget limits it;
        ``settled``, it is already; ``cannot_settle``, no batch within the budget is expected to;
        ``identify``, the fit's parameters are not determined and the batch is what determines
        them (uncertainties are then minus the information gained, nats).
    before, after : expected uncertainty now, and after the batch: of a forecast the standard
        deviation of the log loss; of a break-even the mean absolute error of ln D*; of an
        optimum the mean share of the loss given away.
    target : uncertainty at which the decision counts as settled.
    interval_before, interval_after : central interval of the answer now, and the expected one
        after the batch, as wide as it is on average; None for ``identify``.
    batch : the runs to do, in the order of choice.
    ranking : single runs by expected fall per unit of cost, best first.
    weakest_before, weakest_after : smallest singular value of the fit's column-scaled Jacobian
        relative to the largest, for ``identify``.
    price : what the batch costs on the hardware; None where costs are no FLOPs.
    laws : key and weight of each law that it rests on.
    """

    status: Status
    law: str
    kind: str
    question: str
    unit: str
    budget: float | None
    level: float
    before: float
    after: float
    target: float
    says: tuple[str, str]
    interval_before: tuple[float, float] | None
    interval_after: tuple[float, float] | None
    shows: tuple[str, str] | None
    batch: tuple[RankedRun, ...]
    ranking: tuple[RankedRun, ...]
    n_candidates: int
    n_affordable: int
    further: Further | None = None
    weakest_before: float | None = None
    weakest_after: float | None = None
    warnings: tuple[str, ...] = ()
    price: Cost | None = None
    laws: Shares = ()

    @property
    def cost(self) -> float:
        """The cost of the batch."""
        return sum(run.cost for run in self.batch)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan next``."""
        further = self.further
        return {
            "status": self.status,
            "law": self.law,
            "laws": shares_document(self.laws),
            "decision": self.kind,
            "question": self.question,
            "unit": self.unit,
            "budget": self.budget,
            "level": self.level,
            "before": self.before,
            "after": self.after,
            "target": self.target,
            "interval_before": self.interval_before and list(self.interval_before),
            "interval_after": self.interval_after and list(self.interval_after),
            "cost": self.cost,
            "price": None if self.price is None else self.price.to_json(),
            "batch": [run.to_json() for run in self.batch],
            "ranking": [run.to_json() for run in self.ranking],
            "n_candidates": self.n_candidates,
            "n_affordable": self.n_affordable,
            "further": None if further is None else vars(further).copy(),
            "weakest_before": self.weakest_before,
            "weakest_after": self.weakest_after,
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the answer in words."""
        lines = [f"{self._headline()} ({self.law})", *self._state()]
        if self.batch:
            total = self._price(self.cost) if self.price is None else str(self.price)
            lines.append(f"  do {_count(len(self.batch))}, {total} in all:")
            lines += [self._line(number + 1, run) for number, run in enumerate(self.batch)]
        if len(self.ranking) > 1 and self.status != "identify":
            lines.append(f"  best single runs by what they tell per {self._per()}:")
            lines += [
                self._line(number + 1, run) for number, run in enumerate(self.ranking[:SHOWN])
            ]
        if self.further is not None:
            lines.append(f"  {self._beyond(self.further)}")
        return "\n".join([*lines, *notes.lines(self.warnings)])

    def _headline(self) -> str:
        if self.status == "identify":
            return "the fit's parameters are not determined; these runs determine them"
        if self.status == "settled":
            return f"settled already: {self.question}"
        if not self.batch:
            return f"no affordable run tells anything of {self.question}"
        return f"runs that tell most of {self.question}"

    def _state(self) -> list[str]:
        if self.status == "identify":
            return [
                f"  weakest direction of the design: {self.weakest_before:.2g} now, "
                f"{self.weakest_after:.2g} with them (1 is best; below 1e-9 it does not exist)"
            ]
        lines = [f"  now: {self.says[0]}{self._interval(self.shows and self.shows[0])}"]
        if self.batch:
            lines.append(
                f"  expected with the batch: {self.says[1]}"
                f"{self._interval(self.shows and self.shows[1])}"
            )
        return lines

    def _interval(self, shown: str | None) -> str:
        return f"; {words.per_cent(self.level)} interval {shown}" if shown else ""

    def _line(self, number: int, run: RankedRun) -> str:
        told = (
            f"{run.fall:.3g} nats"
            if self.status == "identify"
            else f"takes off {words.per_cent(run.fall / self.before if self.before else 0.0)}"
        )
        return f"    {number:2d}. {run.run}: {self._price(run.cost)}, {told}"

    def _price(self, cost: float) -> str:
        if self.unit == "tokens":
            return f"{words.tokens(cost)} tokens"
        return f"{cost:.3g} {self.unit}"

    def _per(self) -> str:
        return {"tokens": "token", "FLOPs": "FLOP"}.get(self.unit, self.unit)

    def _beyond(self, further: Further) -> str:
        which = _count(further.runs)
        price = self._price(further.cost)
        if further.settles:
            return f"nothing within the budget is expected to settle it; {which} for {price} would"
        share = 1 - further.after / self.before if self.before else 0.0
        return (
            "no choice of these candidates is expected to settle it: "
            f"{which} for {price} would take off {words.per_cent(share)} of the uncertainty"
        )


def _count(runs: int) -> str:
    return "this run" if runs == 1 else f"{runs} runs"
