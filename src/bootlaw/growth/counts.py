"""How many parameters a model has: in all, without its ends, and in use for one token."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bootlaw.growth.families import family_of
from bootlaw.growth.family import Config
from bootlaw.growth.fields import check_fields
from bootlaw.growth.roles import Axis, Role
from bootlaw.growth.spec import ModelSpec, Place, expected_places, sizes_of

_ENDS = frozenset({Role.EMBEDDING, Role.HEAD})


@dataclass(frozen=True)
class Counts:
    """Numbers of parameters; a tied head counts once, as the embedding."""

    total: int
    non_embedding: int
    """Without embedding and head: the N of the scaling laws."""
    active: int
    """Of all parameters those that one token uses: of the routed experts only the chosen."""


def parameter_counts(spec: ModelSpec) -> Counts:
    """Return the parameter counts of a described checkpoint, from its tensors."""
    sized = ((place, math.prod(spec.shapes[name])) for name, place in spec.places.items())
    return _counts(sized, spec.top_k, spec.experts)


def configured_counts(config: Config) -> Counts:
    """Return the parameter counts that a configuration implies, without any tensor.

    Every slot of the family contributes the product of its axes, once for each layer and expert.

    Raises
    ------
    InputError
        When the family is unknown, or a field that it needs is missing.
    """
    family = family_of(config.get("model_type"))
    check_fields(family, config)
    sizes = sizes_of(family, config)
    layers = int(family.value(config, family.keys.layers))
    tied = bool(family.value(config, "tie_word_embeddings"))
    top_k = int(family.value(config, family.keys.top_k)) if family.keys.top_k else 0
    places = expected_places(family, config, sizes, layers, tied)
    sized = ((place, math.prod(sizes[axis] for axis in place.slot.axes)) for _, place in places)
    return _counts(sized, top_k, sizes.get(Axis.EXPERTS, 0))


def _counts(sized: Iterable[tuple[Place, int]], top_k: int, experts: int) -> Counts:
    total = ends = routed = 0
    for place, size in sized:
        total += size
        ends += size if place.slot.role in _ENDS else 0
        routed += size if place.expert is not None else 0
    idle = routed * (experts - top_k) // experts if experts else 0
    return Counts(total, total - ends, total - idle)
