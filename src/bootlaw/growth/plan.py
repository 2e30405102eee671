"""A growth operator's decision, before any tensor is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from bootlaw.growth.recipe import Copy, Recipe, Rows, Shape
from bootlaw.growth.storage import round_once, stored_types

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Preservation(Enum):
    """How far the grown model computes the function of its parent at the moment of growth."""

    EXACT = "exact"
    """Same logits, bit for bit."""
    ROUNDING = "rounding"
    """Same logits up to floating-point rounding."""
    APPROXIMATE = "approximate"
    """Other logits; the loss jumps and training repairs it."""


class MomentRule(Enum):
    """How far the carried optimiser moments are those that the grown model would have had."""

    EXACT = "exact"
    """The grown model's gradients are the parent's, rearranged and scaled: no choice is left."""
    APPROXIMATE = "approximate"
    """So up to deliberate noise, or for some of the parameters."""
    HEURISTIC = "heuristic"
    """No map is right; what is carried is a guess, and resetting is as good."""


@dataclass(frozen=True)
class MomentRecipe:
    """How Adam's state of one new parameter follows from that of old ones.

    In both recipes a name stands for the old parameter's state, not for its value.
    """

    first: Recipe
    """``exp_avg``, the mean of gradients."""
    second: Recipe
    """``exp_avg_sq``, the mean of squared gradients."""
    keeps_step: bool = True
    """Whether Adam's step counter goes on (else it starts at 0, as for a new parameter)."""


@dataclass(frozen=True)
class GrowthPlan:
    """What a growth operator decided, before any tensor is touched."""

    operator: str
    arguments: Mapping[str, Any]
    config: Mapping[str, Any]
    """The grown model's configuration, as in a Hugging Face ``config.json``."""
    recipes: Mapping[str, Recipe]
    """New tensor name -> recipe."""
    preservation: Preservation
    source: str
    """Paper, section or page that defines the operator."""
    moments: Mapping[str, MomentRecipe] | None = None
    """New parameter name -> recipe of its Adam state; None where nothing can be carried."""
    moment_rule: MomentRule = MomentRule.HEURISTIC
    dtypes: Mapping[str, str] = field(default_factory=dict)
    """New tensor name -> stored type where it differs from the parent's, as ``float32``."""
    notes: tuple[str, ...] = ()
    """What the user should know of this growth, in words."""
    new_layers: tuple[int, ...] = ()
    """Numbers of the layers that are new and do nothing yet (identity blocks)."""

    def shapes(self, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
        """Return new tensor name -> shape, given the parent's shapes."""
        return {name: recipe.shape(shapes) for name, recipe in self.recipes.items()}


def materialise(
    plan: GrowthPlan,
    tensors: Mapping[str, Tensor],
    *,
    seed: int = 0,
    dtype: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """Return the grown model's tensors, all in memory; none shares storage with another.

    Parameters
    ----------
    plan
        The plan of a growth operator.
    tensors
        The parent's tensors by name.
    seed
        Of the operator's random numbers.
    dtype
        Type of all new tensors; without it see `bootlaw.growth.storage.stored_types`.
    """
    import torch

    def read(name: str, rows: Rows = None, /) -> Tensor:
        return tensors[name] if rows is None else tensors[name][rows]

    old = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()}
    types = stored_types(plan, old)
    grown = {}
    for name, recipe in plan.recipes.items():
        target = dtype or getattr(torch, types[name])
        if isinstance(recipe, Copy) and tensors[recipe.source].dtype == target:
            # A copy keeps its bits, as it does when its bytes are streamed.
            value = tensors[recipe.source]
        else:
            value = round_once(recipe.build(read, seed), target)
        grown[name] = value.detach().to(target, copy=True).contiguous()
    return grown
