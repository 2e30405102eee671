"""What is asked of an allocation, checked once, and the problem that each route makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity
from bootlaw.planning.allocation.problem import Problem
from bootlaw.planning.allocation.route import Route
from bootlaw.planning.cost import Hardware, flops_of
from bootlaw.planning.cost.hardware import check_hardware
from bootlaw.planning.question import settled
from bootlaw.planning.source import Source
from bootlaw.planning.verdict import OUT_OF_SIGHT_DECADES

UNITS = ("flops", "tokens", "device-hours", "money", "days")

UNIQUE = "unique_tokens"
BELOW_DATA, ABOVE_DATA = 1e2, 1e5
"""Sizes are searched from a hundredth of the smallest fitted one to 100,000 times the largest."""
_ABOVE_ZERO = (
    *("budget", "target_loss", "params", "tokens_stage1", "min_params", "max_params"),
    *("unique_tokens_stage1", "unique_tokens_stage2", "deadline"),
)
PUBLISHED_SIZES = (1e5, 1e15)
"""Searched where the range of the runs is unknown."""


@dataclass(frozen=True, eq=False)
class Question:
    """A budget or a loss, and what is fixed; see `bootlaw.planning.allocate`."""

    budget: float | None = None
    unit: str = "flops"
    target_loss: float | None = None
    params: float | None = None
    tokens_stage1: float | None = None
    stage1: str | None = None
    min_params: float | None = None
    max_params: float | None = None
    unique_tokens_stage1: float | None = None
    unique_tokens_stage2: float | None = None
    deadline: float | None = None
    inference_tokens: float = 0.0
    hardware: Hardware | None = None
    given: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.budget is None) == (self.target_loss is None):
            raise InputError("give either a budget or a target loss, not both and not neither")
        if self.unit not in UNITS:
            raise InputError(f"unknown unit {self.unit!r}; a budget is in {', '.join(UNITS)}")
        if self.stage1 is not None:
            validity.check_stage1(self.stage1)
        check_hardware(self.hardware)
        validity.set_numbers(self, *_ABOVE_ZERO)
        validity.set_numbers(self, "inference_tokens", zero_allowed=True)
        if self.stage1 == "free" and self.tokens_stage1 is None:
            raise InputError(
                "a free stage 1 is a base that exists already: say its tokens (--tokens-stage1)"
            )
        if self.in_tokens and (self.inference_tokens or self.deadline):
            raise InputError(
                "serving and deadlines are counted in FLOPs; give the budget in another unit than "
                "tokens"
            )
        if (self.min_params or 0.0) > (self.max_params or math.inf):
            raise InputError("the smallest size allowed is above the largest one")

    @property
    def in_tokens(self) -> bool:
        """Whether the budget counts tokens."""
        return self.unit == "tokens"

    @property
    def pays_stage1(self) -> bool:
        """Whether stage 1 is paid from the budget; a base that is given is free unless said."""
        return (self.tokens_stage1 is None) if self.stage1 is None else self.stage1 == "paid"

    @property
    def spendable(self) -> float:
        """The budget in FLOPs, or in tokens; NaN where a loss is asked for."""
        if self.budget is None:
            return math.nan
        if self.in_tokens:
            return self.budget
        return flops_of(self.budget, self.unit, self.hardware)  # type: ignore[arg-type]

    def problem(self, route: Route) -> Problem:
        """Return what this question is on one route.

        Raises
        ------
        InputError
            When something is missing that the law or the budget needs.
        """
        if D2 not in route.source.law.variables or D2 in route.source.law.single_level:
            raise InputError(
                f"the law {route.source.law.key} does not read the tokens of stage 2, so that "
                "there is nothing to allocate"
            )
        params = self._size(route)
        self._check_free_base(route, params)
        others = {**self._unique_read(route), **self.given}
        if not math.isnan(params):
            others[N] = params
        read = settled(_without_size(route.source, others), others)
        return Problem(
            route=route,
            in_tokens=self.in_tokens,
            params=params,
            tokens_stage1=self._base_tokens(route),
            stage1_paid=self.pays_stage1,
            sizes=self._sizes(route.source),
            bases=_bases(route.source),
            inference_tokens=self.inference_tokens,
            most_training=self._deadline(),
            unique=self._unique(route),
            given={name: value for name, value in read.items() if name != N},
        )

    def _size(self, route: Route) -> float:
        """Return the law's N where it is fixed, NaN where it is to be chosen or not needed."""
        if self.params is not None:
            return self.params
        if route.reads_size:
            if self.in_tokens and self.max_params is None:
                raise InputError(
                    "a budget in tokens does not limit the model's size: say it (--params), bound "
                    "it (--max-params), or give the budget in FLOPs"
                )
            return math.nan
        if route.shape is not None:
            return float(route.shape.params)
        low, high = route.source.ranges.get(N, (0.0, 1.0))
        if low == high:
            return low
        if self.in_tokens:
            return math.nan
        raise InputError(
            f"the law {route.source.law.key} does not read the model's size, which the cost of a "
            "token needs: say it (--params or --model-config), or give the budget in tokens"
        )

    def _check_free_base(self, route: Route, params: float) -> None:
        """Refuse to choose the size of a base that exists, but between given sizes."""
        bounded = self.min_params is not None and self.max_params is not None
        is_open = math.isnan(params) and route.reads_size
        if is_open and route.part == "reuse" and not self.pays_stage1 and not bounded:
            size = "--params" if route.size_is_of_base else "--params or --params-base"
            raise InputError(
                f"a free base exists already: say its size ({size}), or between which sizes there "
                "are such bases (--min-params and --max-params)"
            )

    def _base_tokens(self, route: Route) -> float:
        if route.part == "scratch":
            return 0.0
        if self.tokens_stage1 is not None:
            return self.tokens_stage1
        if D1 in route.source.law.single_level:
            return route.source.ranges.get(D1, (math.nan,))[0]
        if route.splits:
            return math.nan
        raise InputError(
            f"the law {route.source.law.key} does not read the tokens of stage 1, which the budget "
            "needs: say them (--tokens-stage1)"
        )

    def _sizes(self, source: Source) -> tuple[float, float]:
        low, high = PUBLISHED_SIZES
        if N in source.ranges:
            low, high = source.ranges[N][0] / BELOW_DATA, source.ranges[N][1] * ABOVE_DATA
        if self.min_params is not None:
            low, high = self.min_params, max(high, self.min_params)
        if self.max_params is not None:
            low, high = min(low, self.max_params), self.max_params
        return low, high

    def _deadline(self) -> float:
        return math.inf if self.deadline is None else flops_of(self.deadline, "days", self.hardware)

    def _unique(self, route: Route) -> tuple[float | None, float | None]:
        """Return the texts' sizes, unless the law itself reads how much is unique."""
        if UNIQUE in route.source.law.variables:
            return None, None
        return self.unique_tokens_stage1, self.unique_tokens_stage2

    def _unique_read(self, route: Route) -> dict[str, float]:
        """Return how much text is unique, for a law that reads it."""
        if self.unique_tokens_stage2 is None or UNIQUE not in route.source.law.variables:
            return {}
        return {UNIQUE: self.unique_tokens_stage2}


def _bases(source: Source) -> tuple[float, float]:
    """Return the stage-1 tokens to choose from: those of which the law may be asked at all."""
    if D1 not in source.ranges:
        return 0.0, math.inf
    reach = 10**OUT_OF_SIGHT_DECADES
    low, high = source.ranges[D1]
    return low / reach, high * reach


def _without_size(source: Source, others: Mapping[str, float]) -> Source:
    """Return the source; one whose size is to be chosen is asked for its other variables only."""
    from dataclasses import replace

    if N in others or N not in source.law.variables:
        return source
    return replace(source, ranges={**source.ranges, N: (1.0, 1.0)})
