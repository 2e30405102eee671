"""Padding the hidden size: new dimensions that start empty, the function kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.draws import Normal
from bootlaw.growth.gains import gain_times, gain_weight
from bootlaw.growth.layout import Centred, Concat
from bootlaw.growth.plan import GrowthPlan, MomentRecipe, MomentRule, Preservation
from bootlaw.growth.recipe import Constant, Copy, Recipe, Zeros, scaled
from bootlaw.growth.roles import NORMS, Axis, Part, Role, Slot
from bootlaw.growth.spec import ModelSpec, Place

SOURCE = "arXiv 2308.06103 (composable function-preserving expansions), hidden dimension expansion"

_WRITERS = frozenset({Part.MATRIX, Part.TABLE, Part.BIAS})


@dataclass(frozen=True)
class _Padding:
    """The parent and the sizes that grow: the hidden size, and heads where they follow it."""

    spec: ModelSpec
    sizes: dict[Axis, int]

    @property
    def root(self) -> float:
        """sqrt(d / D): what padding with zeros does to the root mean square of a vector."""
        return math.sqrt(self.spec.hidden / self.sizes[Axis.HIDDEN])

    @property
    def unties(self) -> bool:
        """Centring the embedding would change the logits of a tied head."""
        return self.spec.tied and self.spec.family.centred_norm

    @property
    def std(self) -> float:
        return float(self.spec.value("initializer_range") or 0.02)

    @property
    def normalises_queries(self) -> bool:
        return any(slot.role is Role.Q_NORM for slot in self.spec.family.slots)


def pad_hidden(spec: ModelSpec, *, hidden_size: int) -> GrowthPlan:
    """Return the plan that widens the residual stream from d to D dimensions, the new ones zero.

    Embeddings and all outputs write zero into the new dimensions; what reads them is free and
    drawn with the configuration's ``initializer_range``. Padding lowers the mean square of a
    vector by d/D, so that gains are multiplied by sqrt(d/D) and the epsilon of the norms by d/D.
    Where queries and keys are normalised too, with the same epsilon, their projections are
    multiplied by sqrt(d/D). Norms that subtract the mean (LayerNorm) need vectors of mean zero:
    the mean over the outputs is taken from everything that writes, which these norms do not see.

    Heads, their size and the FFN stay; where the configuration has no field for the head size
    (GPT-NeoX) whole heads are added, whose outputs start at zero.

    Parameters
    ----------
    spec
        The parent.
    hidden_size
        D.

    Raises
    ------
    InputError
        When D is not above d, or the family cannot have it.
    """
    padding = _Padding(spec, _sizes(spec, hidden_size))
    exact = not spec.family.centred_norm
    return GrowthPlan(
        operator="pad_hidden",
        arguments={"hidden_size": hidden_size},
        config=_config(padding),
        recipes=_recipes(padding),
        preservation=Preservation.ROUNDING,
        source=SOURCE,
        moments=_moments(padding),
        moment_rule=MomentRule.EXACT if exact else MomentRule.APPROXIMATE,
        notes=tuple(_notes(padding)),
    )


def _sizes(spec: ModelSpec, hidden_size: int) -> dict[Axis, int]:
    family = spec.family
    if hidden_size <= spec.hidden:
        raise InputError(
            f"pad_hidden needs more than the parent's hidden size {spec.hidden}, found "
            f"{hidden_size}"
        )
    sizes = {**spec.sizes, Axis.HIDDEN: hidden_size}
    if family.keys.head_size is None:
        _whole(hidden_size, spec.head_size, f"heads of size {spec.head_size}, which must stay")
        sizes |= {Axis.Q: hidden_size, Axis.KV: hidden_size, Axis.QKV: 3 * hidden_size}
    elif family.heads_divide_hidden:
        _whole(hidden_size, spec.heads, f"{spec.heads} heads, which {family.architecture} demands")
    return sizes


def _whole(hidden_size: int, unit: int, what: str) -> None:
    if hidden_size % unit:
        low = hidden_size // unit * unit
        raise InputError(
            f"pad_hidden needs a hidden size that is a multiple of {unit} ({what}), found "
            f"{hidden_size}; take {low} or {low + unit}"
        )


def _config(padding: _Padding) -> dict[str, Any]:
    spec, keys = padding.spec, padding.spec.family.keys
    config = dict(spec.config)
    config[keys.hidden] = padding.sizes[Axis.HIDDEN]
    config[keys.eps] = spec.value(keys.eps) * spec.hidden / padding.sizes[Axis.HIDDEN]
    if keys.head_size:
        config[keys.head_size] = spec.head_size
    else:
        config[keys.heads] = padding.sizes[Axis.Q] // spec.head_size
    if padding.unties:
        config["tie_word_embeddings"] = False
    return config


def _recipes(padding: _Padding) -> dict[str, Recipe]:
    spec = padding.spec
    recipes = {}
    for name, place in spec.places.items():
        recipes[name] = _padded(padding, _old_part(padding, name, place), place.slot, name)
    if padding.unties:
        slot = spec.family.slot(Role.HEAD)
        source = Copy(spec.named(Role.EMBEDDING)[0])
        recipes[slot.pattern] = _padded(padding, source, slot, slot.pattern)
    return recipes


def _old_part(padding: _Padding, name: str, place: Place) -> Recipe:
    """Return the parent's entries as they stand in the grown tensor."""
    spec, slot = padding.spec, place.slot
    recipe: Recipe = Copy(name)
    if slot.role in NORMS:
        gain = slot.part is Part.GAIN
        return gain_times(spec.family, recipe, _gain(padding, slot)) if gain else recipe
    if spec.family.centred_norm and slot.part in _WRITERS and slot.output is Axis.HIDDEN:
        dim = slot.axes.index(Axis.HIDDEN)
        recipe = Centred(recipe, dim, spec.hidden)
    return scaled(recipe, _scale(padding, slot))


def _gain(padding: _Padding, slot: Slot) -> float:
    """Return the factor on a norm's gain: a tied, scaled embedding needs none at the end."""
    ties_scaled = padding.spec.tied and padding.spec.family.scales_embedding
    return 1.0 if slot.role is Role.FINAL_NORM and ties_scaled else padding.root


def _scale(padding: _Padding, slot: Slot) -> float:
    if slot.part is Part.TABLE and padding.spec.family.scales_embedding:
        return padding.root
    if slot.role in (Role.Q, Role.K) and padding.normalises_queries:
        return padding.root
    return 1.0


def _padded(padding: _Padding, recipe: Recipe, slot: Slot, name: str) -> Recipe:
    dims = [padding.spec.sizes[axis] for axis in slot.axes]
    for dim in reversed(range(len(slot.axes))):
        new = padding.sizes[slot.axes[dim]] - dims[dim]
        if new:
            shape = (*dims[:dim], new, *dims[dim + 1 :])
            fill = _fill(padding, slot, dim, shape, f"{name} {dim}")
            recipe = Concat((recipe, fill), dim, (dims[dim], new))
            dims[dim] += new
    return recipe


def _fill(padding: _Padding, slot: Slot, dim: int, shape: tuple[int, ...], key: str) -> Recipe:
    """Return the new entries along a dimension: free where nothing arrives or nothing leaves."""
    if slot.part is Part.GAIN:
        return Constant(shape, gain_weight(padding.spec.family, 1.0))
    writes_stream = dim == slot.axes.index(slot.output) and slot.output is Axis.HIDDEN
    new_heads = slot.role is Role.O and dim == 1
    if slot.part is not Part.MATRIX or writes_stream or new_heads:
        return Zeros(shape)
    return Normal(shape, padding.std, key)


def _moments(padding: _Padding) -> dict[str, MomentRecipe]:
    spec, moments = padding.spec, {}
    for name, place in spec.places.items():
        moments[name] = _moment(padding, name, place.slot, _gradient(padding, place.slot))
    if padding.unties:
        slot = spec.family.slot(Role.HEAD)
        moments[slot.pattern] = _moment(padding, spec.named(Role.EMBEDDING)[0], slot, 1.0)
    return moments


def _gradient(padding: _Padding, slot: Slot) -> float:
    """Return the grown gradient over the parent's, for the parent's entries."""
    if slot.role in NORMS and slot.part is Part.GAIN:
        return 1 / _gain(padding, slot)
    return 1 / _scale(padding, slot)


def _moment(padding: _Padding, source: str, slot: Slot, gradient: float) -> MomentRecipe:
    first, second = (
        _zero_padded(padding, scaled(Copy(source), factor), slot)
        for factor in (gradient, gradient**2)
    )
    return MomentRecipe(first, second)


def _zero_padded(padding: _Padding, recipe: Recipe, slot: Slot) -> Recipe:
    dims = [padding.spec.sizes[axis] for axis in slot.axes]
    for dim, axis in enumerate(slot.axes):
        new = padding.sizes[axis] - dims[dim]
        if new:
            shape = (*dims[:dim], new, *dims[dim + 1 :])
            recipe = Concat((recipe, Zeros(shape)), dim, (dims[dim], new))
            dims[dim] += new
    return recipe


def _notes(padding: _Padding) -> list[str]:
    spec, keys, notes = padding.spec, padding.spec.family.keys, []
    eps = spec.value(keys.eps) * spec.hidden / padding.sizes[Axis.HIDDEN]
    notes.append(f"{keys.eps} becomes {eps:.4g}: programs that fix it would change the function")
    if keys.head_size and not spec.config.get(keys.head_size):
        notes.append(
            f"heads keep their size of {spec.head_size}, which config.json now says as "
            f"{keys.head_size}; programs that divide the hidden size by the heads get it wrong"
        )
    if padding.unties:
        notes.append(
            "the tied head is untied: the embedding is centred for the padded LayerNorm, the head "
            "is not"
        )
    if spec.family.scales_embedding:
        notes.append(
            "the model multiplies embeddings by the square root of its width, rounded to the "
            "type it computes in: in bfloat16 the two roots round differently, by up to 0.4 %"
        )
    return notes
