"""What an allocation answers: the best plan of each route, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bootlaw.planning.allocation.risk import Regret
from bootlaw.planning.cost import Cost
from bootlaw.planning.source import Shares, shares_document

Ranges = Mapping[str, tuple[float, float]]
Status = Literal["ok", "tie", "undetermined"]


@dataclass(frozen=True, eq=False)
class Plan:
    """The best use of the budget on one route, or its cheapest way to the loss asked for.

    Attributes
    ----------
    route : ``scratch``, or the method of the reuse runs (``cpt``, ``stack``, ...).
    reasons : why there is no answer to act on; empty where there is.
    params : the law's N, non-embedding parameters; None where no size is known.
    params_base : the base's; None from scratch or where no size is known.
    tokens_stage1 : 0 from scratch; None where the law does not read it and none was given.
    budget : what is spent in all, in FLOPs or tokens.
    loss : expected, nats per token; None where there is no plan.
    lower, upper : interval in which a run of this plan falls with probability `level`.
    optimum : variable -> interval of the optimum over the replicates; empty without any. An end is
        0 or infinite where it lies at an end of the search. ``budget`` is among them where a loss
        was asked for.
    flat : variable -> range of the designs that are as good, see `flat_region`.
    off_by_two : variable -> nats lost where it is half, and twice, of what is best.
    edges : variables whose optimum lies at the edge of what was searched.
    extrapolation : decades beyond the fitted range, by variable.
    epochs : passes over the unique tokens of a stage, by stage, where these are known.
    costs : ``stage1`` (where paid), ``stage2``, ``serving`` and ``total``; empty without a size.
    share_best : share of the replicates in which this route is the best one.
    laws : key and weight of each law that it rests on.
    """

    route: str
    law: str
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    params: float | None = None
    params_base: float | None = None
    tokens_stage1: float | None = None
    tokens_stage2: float | None = None
    budget: float | None = None
    loss: float | None = None
    lower: float | None = None
    upper: float | None = None
    optimum: Ranges = field(default_factory=dict)
    flat: Ranges = field(default_factory=dict)
    regret: Regret | None = None
    off_by_two: Ranges = field(default_factory=dict)
    edges: tuple[str, ...] = ()
    extrapolation: Mapping[str, float] = field(default_factory=dict)
    epochs: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, Cost] = field(default_factory=dict)
    share_best: float | None = None
    laws: Shares = ()

    @property
    def cost(self) -> Cost | None:
        """The cost of all of it; None where no size is known."""
        return self.costs.get("total")

    @property
    def share_stage1(self) -> float | None:
        """The share of the training FLOPs that stage 1 takes from the budget."""
        if "stage1" not in self.costs:
            return None
        first, second = (float(self.costs[name].flops) for name in ("stage1", "stage2"))
        return first / (first + second)

    def to_json(self) -> dict[str, Any]:
        """Return the fields of one plan in the document of ``plan allocate``."""
        return {
            "route": self.route,
            "law": self.law,
            "laws": shares_document(self.laws),
            "reasons": list(self.reasons),
            "params": self.params,
            "params_base": self.params_base,
            "tokens_stage1": self.tokens_stage1,
            "tokens_stage2": self.tokens_stage2,
            "budget": self.budget,
            "loss": self.loss,
            "lower": self.lower,
            "upper": self.upper,
            "optimum": {name: [low or None, high] for name, (low, high) in self.optimum.items()},
            "flat": {name: list(ends) for name, ends in self.flat.items()},
            "regret": None if self.regret is None else vars(self.regret).copy(),
            "off_by_two": {name: list(ends) for name, ends in self.off_by_two.items()},
            "edges": list(self.edges),
            "extrapolation": dict(self.extrapolation),
            "epochs": dict(self.epochs),
            "share_stage1": self.share_stage1,
            "costs": {name: cost.to_json() for name, cost in self.costs.items()},
            "share_best": self.share_best,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, eq=False)
class Allocation:
    """How to use a budget, or the cheapest way to a loss, by every route that was asked about.

    Attributes
    ----------
    amount, unit : the budget as it was given; `amount` None where a loss was asked for.
    target_loss : nats per token; None where a budget was given.
    in_tokens : whether budgets count tokens and not FLOPs.
    level : of the intervals.
    tolerance : share of the reducible loss that the flat region allows.
    plans : the best first; those with reasons last.
    tie : whether the data cannot tell another plan from the first.
    """

    amount: float | None
    unit: str
    target_loss: float | None
    in_tokens: bool
    level: float
    tolerance: float
    plans: tuple[Plan, ...]
    tie: bool = False

    @property
    def best(self) -> Plan:
        """The plan to act on, where `status` is not ``undetermined``."""
        return self.plans[0]

    @property
    def status(self) -> Status:
        """Whether there is a plan, several that nothing separates, or none to act on."""
        if self.best.reasons or self.best.loss is None:
            return "undetermined"
        return "tie" if self.tie else "ok"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is no plan to act on."""
        return self.best.reasons

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the best plan must know."""
        return self.best.warnings

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan allocate``."""
        best, *others = (plan.to_json() for plan in self.plans)
        return {
            "status": self.status,
            "amount": self.amount,
            "unit": self.unit,
            "target_loss": self.target_loss,
            "budget_in": "tokens" if self.in_tokens else "flops",
            "level": self.level,
            "flat_tolerance": self.tolerance,
            **best,
            "others": others,
        }

    def summary(self) -> str:
        """Return the answer in words."""
        from bootlaw.planning.allocation.text import summary

        return summary(self)


def finite(value: float) -> float | None:
    """Return a number, None for NaN and infinities."""
    return value if math.isfinite(value) else None
