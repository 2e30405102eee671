"""A shape for a size: how often to deepen and to widen, depth and width kept in step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bootlaw.errors import InputError
from bootlaw.growth.compose import Step
from bootlaw.growth.counts import configured_counts
from bootlaw.growth.spec import ModelSpec

_MOST_LAYERS = 16
"""Layers are at most so many times the parent's; beyond, no operator has been tried."""
_MOST_TILES = 8
_IN_STEP = math.sqrt(2) * (1 + 1e-9)


@dataclass(frozen=True)
class ShapeInStep:
    """A grown shape, the operators that lead there, and why it was picked."""

    steps: tuple[Step, ...]
    layers: int
    hidden: int
    non_embedding: int
    depth_to_width: float
    """layers / hidden of the grown model over that of the parent."""
    words: str


def shape_in_step(
    spec: ModelSpec,
    non_embedding: int,
    deepen: Literal["stack", "interleave", "identity"] = "stack",
) -> ShapeInStep:
    """Return the shape nearest to a number of parameters whose depth and width grow in step.

    Widths grow by whole factors (`tile`), layers to any number (`deepen`). Of all pairs whose
    ratio of depth to width stays within a factor of sqrt(2) of the parent's, the one nearest in
    the logarithm of non-embedding parameters is taken.

    Parameters
    ----------
    spec
        The parent.
    non_embedding
        Parameters asked for, without embedding and head.
    deepen
        The operator that adds layers.

    Raises
    ------
    InputError
        When nothing larger than the parent, within 16 times its layers and 8 times its width,
        comes within a factor of sqrt(2) of the number.

    Notes
    -----
    Liew & Kato (arXiv 2510.06548) let the ratio of depth to width change by sqrt(2) when a model
    is grown; the bound on either side is taken from there.
    """
    shapes = list(_candidates(spec, deepen))
    if not shapes:
        raise InputError(f"{deepen} and tile give no larger shape in step with the parent")
    best = min(shapes, key=lambda shape: abs(math.log(shape.non_embedding / non_embedding)))
    if abs(math.log(best.non_embedding / non_embedding)) > math.log(_IN_STEP):
        raise InputError(
            f"no shape in step with the parent has about {non_embedding:,} non-embedding "
            f"parameters; the nearest has {best.non_embedding:,} ({best.words})"
        )
    return best


def _candidates(spec: ModelSpec, deepen: str) -> Iterator[ShapeInStep]:
    for factor in range(1, _MOST_TILES + 1):
        low = math.ceil(spec.layers * factor / _IN_STEP)
        high = min(math.floor(spec.layers * factor * _IN_STEP), spec.layers * _MOST_LAYERS)
        # All layers are alike: two counts give those of any depth.
        one, two = (configured_counts(_widened(spec, factor, n)).non_embedding for n in (1, 2))
        for layers in range(max(spec.layers, low), high + 1):
            if (factor, layers) != (1, spec.layers):
                counted = one + (layers - 1) * (two - one)
                yield _shape(spec, factor, layers, deepen, counted)


def _shape(
    spec: ModelSpec, factor: int, layers: int, deepen: str, non_embedding: int
) -> ShapeInStep:
    steps = [Step("tile", {"factor": factor})] if factor > 1 else []
    steps += [Step(deepen, {"layers": layers})] if layers > spec.layers else []
    ratio = layers / (spec.layers * factor)
    words = (
        f"{layers} layers of width {spec.hidden * factor}: "
        f"{' then '.join(step.operator for step in steps)}, depth over width {ratio:.2f} times "
        "the parent's"
    )
    return ShapeInStep(tuple(steps), layers, spec.hidden * factor, non_embedding, ratio, words)


def _widened(spec: ModelSpec, factor: int, layers: int) -> dict[str, object]:
    keys = spec.family.keys
    widths = (keys.hidden, keys.heads, keys.kv_heads, keys.ffn, keys.expert_ffn, keys.shared_ffn)
    config = {**spec.config, keys.layers: layers}
    for key in widths:
        if key and spec.value(key):
            config[key] = spec.value(key) * factor
    if keys.kv_heads:
        config[keys.kv_heads] = spec.kv_heads * factor
    return config
