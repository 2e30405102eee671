"""Tiling: every width times a whole number, the function kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bootlaw.errors import InputError
from bootlaw.growth.draws import CancellingNoise
from bootlaw.growth.gains import gain_times
from bootlaw.growth.layout import Repeat
from bootlaw.growth.plan import GrowthPlan, MomentRecipe, MomentRule, Preservation
from bootlaw.growth.recipe import Copy, Recipe, scaled
from bootlaw.growth.roles import FFN_AXES, Axis, Part, Role, Slot
from bootlaw.growth.spec import ModelSpec

SOURCE = "arXiv 2409.12903 (HyperCloning), symmetric and noisy-symmetric expansion"

_LEAST_DB, _MOST_DB = 0.0, 60.0


@dataclass(frozen=True)
class _Tiling:
    """The parent and how often each of its axes is repeated."""

    spec: ModelSpec
    repeats: Mapping[Axis, int]
    decibels: float | None
    ties_head: bool

    @property
    def factor(self) -> int:
        return self.repeats[Axis.HIDDEN]

    @property
    def table_scale(self) -> float:
        """Embeddings that the model multiplies by sqrt(width) shrink by as much."""
        return 1 / math.sqrt(self.factor) if self.spec.family.scales_embedding else 1.0

    @property
    def final_gain(self) -> float:
        """A head that stays tied cannot be divided by r, so that the final norm is."""
        return 1 / (self.factor * self.table_scale) if self.ties_head else 1.0

    def times(self, axis: Axis) -> int:
        return self.repeats.get(axis, 1)


def tile(
    spec: ModelSpec,
    *,
    factor: int = 2,
    ffn_factor: int | None = None,
    noise: bool = True,
    noise_db: float = 10.0,
    head: Literal["untie", "tie"] = "untie",
    kv_heads: Literal["repeat", "keep"] = "repeat",
) -> GrowthPlan:
    """Return the plan that multiplies the hidden size and the number of heads by r.

    Every hidden vector of the grown model is the parent's, r times over. A matrix is tiled over
    outputs and inputs and divided by how often its input repeats; embeddings, gains and biases
    are repeated; heads are repeated as whole blocks [q0..qH-1, q0..qH-1], so that each meets
    its own key-value head. The head size stays (RoPE and the scale of scores follow it).

    Parameters
    ----------
    spec
        The parent.
    factor
        r, a whole number of at least 2.
    ffn_factor
        The same for the FFN's units; by default r.
    noise, noise_db
        Whether noise is added to one copy of a matrix' inputs and taken from the next, and how
        far its power lies below that of the row, in decibels. Without it all copies have the
        same gradients for ever, and the wide model stays the small one.
    head
        Of a tied parent: ``untie`` gives the grown model a head of its own, ``tie`` keeps
        one matrix for both and divides the final norm's gain instead.
    kv_heads
        ``keep`` leaves the single key-value head of multi-query attention single.

    Raises
    ------
    InputError
        When a factor is no whole number, or `kv_heads` would change the sharing of heads.
    """
    repeats = _repeats(spec, factor, ffn_factor, kv_heads)
    if head not in ("untie", "tie"):
        raise InputError(f"tile knows head = untie and tie, found {head!r}")
    if head == "tie" and not spec.tied:
        raise InputError(
            "tile keeps a tied head tied (head = tie), and this parent's head is a matrix of its "
            "own; leave head out"
        )
    if noise and not _LEAST_DB <= noise_db <= _MOST_DB:
        raise InputError(
            f"tile needs noise_db from {_LEAST_DB:g} (noise as large as the weights) to "
            f"{_MOST_DB:g} (a thousandth of them), found {noise_db:g}; noise = no leaves it out"
        )
    tiling = _Tiling(spec, repeats, noise_db if noise else None, spec.tied and head == "tie")
    unties = spec.tied and not tiling.ties_head
    return GrowthPlan(
        operator="tile",
        arguments=_arguments(tiling, head, kv_heads),
        config=_config(tiling),
        recipes=_recipes(tiling),
        preservation=Preservation.ROUNDING,
        source=SOURCE,
        moments=_moments(tiling),
        moment_rule=MomentRule.APPROXIMATE if noise or unties else MomentRule.EXACT,
        notes=tuple(_notes(tiling)),
    )


def _repeats(
    spec: ModelSpec, factor: int, ffn_factor: int | None, kv_heads: str
) -> dict[Axis, int]:
    if factor != int(factor) or factor < 2:
        raise InputError(
            f"tile needs a whole factor of at least 2, found {factor}: hidden vectors are whole "
            "copies of the parent's. For other widths use pad_hidden, or widen_ffn for the FFN"
        )
    ffn = factor if ffn_factor is None else ffn_factor
    if ffn != int(ffn) or ffn < 1:
        raise InputError(f"tile needs a whole ffn_factor of at least 1, found {ffn}")
    if kv_heads not in ("repeat", "keep"):
        raise InputError(f"tile knows kv_heads = repeat and keep, found {kv_heads!r}")
    if kv_heads == "keep" and (spec.kv_heads != 1 or spec.family.keys.kv_heads is None):
        raise InputError(
            f"tile keeps the number of key-value heads only of multi-query attention; with "
            f"{spec.kv_heads} of them for {spec.heads} query heads the copies of a query head "
            "would meet another key-value head. Use kv_heads = repeat"
        )
    repeats = {Axis.HIDDEN: int(factor), Axis.Q: int(factor), Axis.QKV: int(factor)}
    repeats[Axis.KV] = 1 if kv_heads == "keep" else int(factor)
    return repeats | dict.fromkeys(FFN_AXES, int(ffn))


def _arguments(tiling: _Tiling, head: str, kv_heads: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"factor": tiling.factor, "ffn_factor": tiling.times(Axis.FFN)}
    arguments |= {"noise": tiling.decibels is not None, "kv_heads": kv_heads}
    if tiling.decibels is not None:
        arguments["noise_db"] = tiling.decibels
    return arguments | ({"head": head} if tiling.spec.tied else {})


def _config(tiling: _Tiling) -> dict[str, Any]:
    spec, keys = tiling.spec, tiling.spec.family.keys
    config = dict(spec.config)
    config[keys.hidden] = spec.hidden * tiling.factor
    config[keys.heads] = spec.heads * tiling.factor
    if keys.kv_heads:
        config[keys.kv_heads] = spec.kv_heads * tiling.times(Axis.KV)
    for key, axis in (
        (keys.ffn, Axis.FFN),
        (keys.expert_ffn, Axis.EXPERT_FFN),
        (keys.shared_ffn, Axis.SHARED_FFN),
    ):
        if key:
            config[key] = spec.sizes[axis] * tiling.times(axis)
    config["tie_word_embeddings"] = tiling.ties_head
    return config


def _recipes(tiling: _Tiling) -> dict[str, Recipe]:
    spec = tiling.spec
    recipes = {name: _recipe(tiling, name, place.slot) for name, place in spec.places.items()}
    if spec.tied and not tiling.ties_head:
        slot = spec.family.slot(Role.HEAD)
        recipes[slot.pattern] = _recipe(tiling, spec.named(Role.EMBEDDING)[0], slot, slot.pattern)
    return recipes


def _recipe(tiling: _Tiling, source: str, slot: Slot, name: str | None = None) -> Recipe:
    recipe: Recipe = Copy(source)
    if slot.part is Part.MATRIX:
        recipe = scaled(recipe, 1 / tiling.times(slot.axes[1]))
    elif slot.part is Part.TABLE:
        recipe = scaled(recipe, tiling.table_scale)
    elif slot.role is Role.FINAL_NORM:
        # A bias of the final norm reaches the tied head like the gain does.
        gain = slot.part is Part.GAIN
        grow = gain_times(tiling.spec.family, recipe, tiling.final_gain)
        recipe = grow if gain else scaled(recipe, tiling.final_gain)
    recipe = _repeated(tiling, recipe, slot)
    copies = tiling.times(slot.axes[1]) if slot.part is Part.MATRIX else 1
    if tiling.decibels is None or copies < 2:
        return recipe
    dims = tuple(tiling.spec.sizes[axis] * tiling.times(axis) for axis in slot.axes)
    return CancellingNoise(recipe, dims, name or source, copies, tiling.decibels)


def _repeated(tiling: _Tiling, recipe: Recipe, slot: Slot) -> Recipe:
    for dim, axis in enumerate(slot.axes):
        if tiling.times(axis) > 1:
            recipe = Repeat(recipe, dim, tiling.spec.sizes[axis], tiling.times(axis))
    return recipe


def _moments(tiling: _Tiling) -> dict[str, MomentRecipe]:
    """Return the moments: a gradient is the parent's over how often what it writes repeats."""
    spec, moments = tiling.spec, {}
    for name, place in spec.places.items():
        moments[name] = _moment(tiling, name, place.slot, _gradient(tiling, place.slot))
    if spec.tied and not tiling.ties_head:
        slot = spec.family.slot(Role.HEAD)
        moments[slot.pattern] = _moment(tiling, spec.named(Role.EMBEDDING)[0], slot, 1.0)
    return moments


def _gradient(tiling: _Tiling, slot: Slot) -> float:
    """Return the grown gradient over the parent's, entry by entry."""
    if slot.part is Part.TABLE:
        return 1 / (tiling.factor * tiling.table_scale)
    if slot.role is Role.FINAL_NORM and tiling.ties_head:
        return tiling.table_scale
    return 1 / tiling.times(slot.output)


def _moment(tiling: _Tiling, source: str, slot: Slot, gradient: float) -> MomentRecipe:
    first = _repeated(tiling, scaled(Copy(source), gradient), slot)
    second = _repeated(tiling, scaled(Copy(source), gradient**2), slot)
    return MomentRecipe(first, second)


def _notes(tiling: _Tiling) -> list[str]:
    spec, notes = tiling.spec, []
    if spec.tied:
        notes.append(
            "the head stays tied: the final norm's gain carries the factor"
            if tiling.ties_head
            else "the tied head is untied, so that it can be divided by the factor: "
            f"{spec.sizes[Axis.VOCAB]} x {spec.hidden * tiling.factor} parameters more"
        )
    if tiling.decibels is None:
        notes.append(
            "without noise all copies have the same gradients for ever: the wide model trains "
            "as the small one with another learning rate"
        )
    if spec.family.scales_embedding and math.isqrt(tiling.factor) ** 2 != tiling.factor:
        notes.append(
            "the model multiplies embeddings by the square root of its width, rounded to the "
            "type it computes in: in bfloat16 the two roots round differently, by up to 0.4 %"
        )
    return notes
