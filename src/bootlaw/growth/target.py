"""From a number of parameters that is wanted to the nearest shape that an operator can reach."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.compose import Step
from bootlaw.growth.request import step_text
from bootlaw.growth.size import count_text
from bootlaw.growth.spec import ModelSpec

_LARGEST_FACTOR = 16
_FARTHEST = 2.0
"""A size more than so many times larger or smaller than what was wanted is refused."""
_FFN_UNIT = 64
"""FFN widths are tried in multiples of this, which matrix kernels like."""

_TRIED_ONE_BY_ONE = 16
"""As many neighbouring sizes are compared at the end of the search."""

SIZE_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "stack": ("factor", "layers"),
    "interleave": ("factor", "layers"),
    "overlap": ("drop", "layers"),
    "identity": ("factor", "layers"),
    "tile": ("factor",),
    "widen_ffn": ("factor", "intermediate_size"),
    "pad_hidden": ("hidden_size",),
    "upcycle": ("experts",),
}
"""Operator -> the arguments that set the size of what it makes."""


@dataclass(frozen=True)
class Target:
    """What was wanted and what came nearest."""

    wanted: int
    """Non-embedding parameters."""
    reached: int
    step: str
    """The operator with the arguments that were picked."""
    ratio: float
    """Reached over wanted."""
    shape: str = ""
    """The shape in words, where depth and width were chosen together."""


def reach(
    spec: ModelSpec, step: Step, wanted: int, count: Callable[[Step], int | None]
) -> tuple[Step, Target]:
    """Return the step whose model has the number of parameters nearest to `wanted`, as a ratio.

    Parameters
    ----------
    spec
        The model that the step is applied to.
    step
        The operator, with none of the arguments that set its size.
    wanted
        Non-embedding parameters.
    count
        Returns those that a step leads to, or none where it is refused.

    Raises
    ------
    InputError
        When the operator's size is given already, cannot be chosen, or no shape is possible within
        a factor of 2.
    """
    names = SIZE_ARGUMENTS.get(step.operator)
    if names is None:
        raise InputError(f"{step.operator} has no size that --target-params could choose")
    given = [name for name in names if name in step.arguments]
    if given:
        raise InputError(
            f"--target-params chooses the size of {step.operator}; leave out {given[0]}"
        )
    candidates = [Step(step.operator, {**step.arguments, **each}) for each in _sizes(spec, step)]
    found = _around(candidates, wanted, count)
    if not found:
        raise InputError(f"{step.operator} can make no larger model of this parent")
    nearest = min(found, key=lambda params: abs(math.log(params / wanted)))
    target = Target(wanted, nearest, step_text(found[nearest]), nearest / wanted)
    if not 1 / _FARTHEST <= target.ratio <= _FARTHEST:
        raise InputError(
            f"--target-params: {target_note(target)}; that is too far. identity and widen_ffn have "
            "finer sizes, two operators reach farther (--then)"
        )
    return found[nearest], target


def _around(
    candidates: list[Step], wanted: int, count: Callable[[Step], int | None]
) -> dict[int, Step]:
    """Return parameters -> step for possible candidates on both sides of `wanted`.

    `candidates` ascend in size, so that bisection finds the place; refused ones are passed over,
    and those that bisection came by are kept: where most are refused they may be the neighbours.
    """
    found: dict[int, Step] = {}
    low, high = 0, len(candidates) - 1
    while high - low > _TRIED_ONE_BY_ONE:
        middle = (low + high) // 2
        place, params = _first_possible(candidates, range(middle, high + 1), count)
        if params is None:
            high = middle
            continue
        found[params] = candidates[place]
        if params >= wanted:
            high = middle
        else:
            low = place
    tried = ((count(candidate), candidate) for candidate in candidates[low : high + 1])
    return found | {params: candidate for params, candidate in tried if params is not None}


def _first_possible(
    candidates: list[Step], places: range, count: Callable[[Step], int | None]
) -> tuple[int, int | None]:
    """Return the first of `places` whose candidate is not refused, with its parameters."""
    counted = ((place, count(candidates[place])) for place in places)
    return next(((place, params) for place, params in counted if params), (places.stop, None))


def target_note(target: Target) -> str:
    """Return in words which shape was picked."""
    shape = f", {target.shape}" if target.shape else ""
    return (
        f"{count_text(target.wanted)} non-embedding parameters were wanted; the nearest that can "
        f"be reached is {target.step} with {count_text(target.reached)} ({target.reached}, "
        f"{target.ratio:.1%} of what was wanted){shape}"
    )


def without_size(step: Step) -> Step:
    """Return the step without the arguments that set its size."""
    sizes = SIZE_ARGUMENTS.get(step.operator, ())
    return Step(step.operator, {k: v for k, v in step.arguments.items() if k not in sizes})


def _sizes(spec: ModelSpec, step: Step) -> Iterator[dict[str, Any]]:
    """Yield the arguments that set the operator's size, from the smallest model up."""
    operator = step.operator
    if operator in ("stack", "interleave", "tile"):
        yield from ({"factor": factor} for factor in range(2, _LARGEST_FACTOR + 1))
    elif operator == "identity":
        most = _LARGEST_FACTOR * spec.layers
        yield from ({"layers": layers} for layers in range(spec.layers + 1, most + 1))
    elif operator == "overlap":
        yield from ({"drop": drop} for drop in range((spec.layers - 1) // 2, -1, -1))
    elif operator == "widen_ffn":
        first = spec.ffn + _FFN_UNIT - spec.ffn % _FFN_UNIT
        yield from (
            {"intermediate_size": units} for units in range(first, 8 * spec.ffn + 1, _FFN_UNIT)
        )
    elif operator == "pad_hidden":
        last = 4 * spec.hidden
        sizes = range(spec.hidden + spec.head_size, last + 1, spec.head_size)
        yield from ({"hidden_size": size} for size in sizes)
    elif operator == "upcycle":
        yield from ({"experts": experts} for experts in range(2, 257))
