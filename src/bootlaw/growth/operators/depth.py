"""What all operators that add layers share: tensors and configuration follow their layers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bootlaw.errors import InputError
from bootlaw.growth.plan import MomentRecipe
from bootlaw.growth.recipe import Constant, Copy, Recipe, Zeros
from bootlaw.growth.roles import Part
from bootlaw.growth.spec import ModelSpec, Place

_MOST_LAYERS = 10_000
"""More is a slip of the keyboard, and would be planned layer by layer."""


def placed(spec: ModelSpec, origins: Sequence[int]) -> Iterator[tuple[str, str, int | None]]:
    """Yield (new name, old name, new layer) for a model whose layer i is layer `origins[i]`."""
    for name, place in spec.places.items():
        if place.layer is None:
            yield name, name, None
            continue
        for layer, origin in enumerate(origins):
            if origin == place.layer:
                pattern = place.slot.pattern
                yield pattern.format(layer=layer, expert=place.expert), name, layer


def deepened(
    spec: ModelSpec, origins: Sequence[int], silent: Collection[int] = ()
) -> dict[str, Recipe]:
    """Return the recipes of the deeper model; layers in `silent` add nothing to the stream."""
    recipes: dict[str, Recipe] = {}
    for new, old, layer in placed(spec, origins):
        place = spec.places[old]
        mute = layer in silent and place.slot.role in spec.family.silenced
        recipes[new] = _silence(spec, old, place) if mute else Copy(old)
    return recipes


def deepened_moments(
    spec: ModelSpec, origins: Sequence[int], fresh: Collection[int] = ()
) -> dict[str, MomentRecipe]:
    """Return the moments that move with their layers; those of layers in `fresh` start at 0."""
    moments = {}
    for new, old, layer in placed(spec, origins):
        if layer in fresh:
            zeros = Zeros(spec.shapes[old])
            moments[new] = MomentRecipe(zeros, zeros, keeps_step=False)
        else:
            moments[new] = MomentRecipe(Copy(old), Copy(old))
    return moments


def target_layers(spec: ModelSpec, operator: str, factor: int | None, layers: int | None) -> int:
    """Return the number of layers asked for, as a multiple or outright; by default double.

    Raises
    ------
    InputError
        When both are given, or the model would not become deeper.
    """
    if factor is not None and layers is not None:
        raise InputError(f"{operator} takes a factor or a number of layers, not both")
    if factor is not None and (factor != int(factor) or factor < 2):
        raise InputError(f"{operator} needs a whole factor of at least 2, found {factor}")
    target = layers if layers is not None else spec.layers * (int(factor) if factor else 2)
    if target > _MOST_LAYERS:
        raise InputError(f"{operator} makes up to {_MOST_LAYERS} layers, found {target}")
    if target <= spec.layers:
        raise InputError(
            f"{operator} needs more layers than the {spec.layers} of the parent, found {target}"
        )
    return target


def _silence(spec: ModelSpec, name: str, place: Place) -> Recipe:
    dims = spec.shapes[name]
    if place.slot.part is Part.GAIN and spec.family.one_plus_gain:
        return Constant(dims, -1.0)
    return Zeros(dims)
