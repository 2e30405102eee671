"""A growth operator's result: a map from each new tensor's name to a recipe over old tensors.

Because a recipe names tensors and does not hold them, the same plan grows a model in memory
or a checkpoint streamed tensor by tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

Tensor = TypeVar("Tensor")


class Preservation(Enum):
    """How far the grown model computes the function of its parent at the moment of growth."""

    EXACT = "exact"
    """Same logits, bit for bit."""
    ROUNDING = "rounding"
    """Same logits up to floating-point rounding."""
    APPROXIMATE = "approximate"
    """Other logits; the loss jumps and training repairs it."""


@dataclass(frozen=True)
class Copy:
    """The recipe "the old tensor `source`, unchanged"."""

    source: str


@dataclass(frozen=True)
class GrowthPlan:
    """What a growth operator decided, before any tensor is touched."""

    operator: str
    arguments: Mapping[str, Any]
    config: Mapping[str, Any]
    """The grown model's configuration, as in a Hugging Face ``config.json``."""
    recipes: Mapping[str, Copy]
    """New tensor name -> recipe."""
    preservation: Preservation
    source: str
    """Paper, section or page that defines the operator."""


def materialise(
    plan: GrowthPlan, read: Callable[[str], Tensor], clone: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """Return the grown model's tensors.

    Parameters
    ----------
    plan
        The plan of a growth operator.
    read
        Returns the parent's tensor of a given name.
    clone
        Returns an independent copy, so that repeated layers share no storage.
    """
    return {name: clone(read(recipe.source)) for name, recipe in plan.recipes.items()}
