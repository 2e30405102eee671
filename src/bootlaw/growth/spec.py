"""What the operators need to know of a parent: its family, sizes and tensors, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.families import family_of
from bootlaw.growth.family import Config, Family
from bootlaw.growth.fields import check_fields
from bootlaw.growth.recipe import Shape
from bootlaw.growth.roles import Axis, Part, Role, Slot


@dataclass(frozen=True)
class Place:
    """Where one tensor stands: its slot, and the numbers of its layer and expert."""

    slot: Slot
    layer: int | None = None
    expert: int | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A decoder as the operators see it; made by `describe`."""

    family: Family
    config: Config
    shapes: Mapping[str, Shape]
    """Name -> shape of every parameter (buffers and the head of a tied model left out)."""
    places: Mapping[str, Place]
    """Name -> place, for the same names."""
    sizes: Mapping[Axis, int]
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    tied: bool
    """The head is the embedding."""
    dropped: tuple[str, ...] = ()
    """Stored tensors that the grown checkpoint leaves out: buffers, a tied model's head."""

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""
        return self.sizes[Axis.HIDDEN]

    @property
    def ffn(self) -> int:
        """Units of the dense FFN, or of each expert."""
        return self.sizes.get(Axis.FFN) or self.sizes[Axis.EXPERT_FFN]

    @property
    def experts(self) -> int:
        """Routed experts in each layer; 0 for a dense model."""
        return self.sizes.get(Axis.EXPERTS, 0)

    @property
    def top_k(self) -> int:
        """Experts that each token takes; 0 for a dense model."""
        key = self.family.keys.top_k
        return int(self.value(key)) if key else 0

    def value(self, key: str) -> Any:
        """Return a field of the configuration, or the family's default for it."""
        return self.family.value(self.config, key)

    def named(self, role: Role) -> list[str]:
        """Return the names of all tensors of a role."""
        return [name for name, place in self.places.items() if place.slot.role is role]


def describe(config: Config, shapes: Mapping[str, Shape]) -> ModelSpec:
    """Return the specification of a checkpoint.

    Parameters
    ----------
    config
        Its ``config.json``.
    shapes
        Name -> shape of every stored tensor.

    Raises
    ------
    InputError
        When the family is unknown, the checkpoint is quantised or an adapter, or configuration
        and tensors disagree; the message names what was found and what to do.
    """
    _refuse_unusable(config, shapes)
    family = family_of(config.get("model_type"))
    check_fields(family, config)
    sizes = sizes_of(family, config)
    layers = int(_field(family, config, family.keys.layers))
    tied = bool(family.value(config, "tie_word_embeddings"))
    found, dropped = _found(family, config, shapes, sizes, layers, tied)
    heads = int(_field(family, config, family.keys.heads))
    head_size = sizes[Axis.HEAD]
    return ModelSpec(
        family=family,
        config=dict(config),
        shapes={name: tuple(shapes[name]) for name in found},
        places=found,
        sizes=sizes,
        layers=layers,
        heads=heads,
        kv_heads=sizes[Axis.KV] // head_size,
        head_size=head_size,
        tied=tied,
        dropped=dropped,
    )


def expected_places(
    family: Family, config: Config, sizes: Mapping[Axis, int], layers: int, tied: bool
) -> Iterator[tuple[str, Place]]:
    """Yield name and place of every parameter that the configuration implies."""
    for slot in family.slots:
        if slot.part is Part.BUFFER or (slot.role is Role.HEAD and tied):
            continue
        if isinstance(slot.when, str) and not family.value(config, slot.when):
            continue
        if slot.when is False:
            continue
        yield from _instances(slot, layers, sizes.get(Axis.EXPERTS, 0))


def _instances(slot: Slot, layers: int, experts: int) -> Iterator[tuple[str, Place]]:
    for layer in range(layers) if "{layer}" in slot.pattern else (None,):
        for expert in range(experts) if "{expert}" in slot.pattern else (None,):
            yield slot.pattern.format(layer=layer, expert=expert), Place(slot, layer, expert)


def _found(
    family: Family,
    config: Config,
    shapes: Mapping[str, Shape],
    sizes: Mapping[Axis, int],
    layers: int,
    tied: bool,
) -> tuple[dict[str, Place], tuple[str, ...]]:
    """Return the stored parameters with their places, and the stored names to leave out."""
    found: dict[str, Place] = {}
    for name, place in expected_places(family, config, sizes, layers, tied):
        stored = _stored_name(name, place.slot, shapes)
        if stored is None:
            raise InputError(
                f"config.json ({family.model_type}, {layers} layers) implies the tensor {name}, "
                "and the checkpoint has none; are config.json and weights of the same model?"
            )
        expected = tuple(sizes[axis] for axis in place.slot.axes)
        if tuple(shapes[stored]) != expected:
            raise InputError(
                f"{stored} has the shape {list(shapes[stored])}, and config.json implies "
                f"{list(expected)}; are config.json and weights of the same model?"
            )
        found[stored] = place
    dropped = tuple(name for name in shapes if name not in found)
    for name in dropped:
        if not _may_drop(family, name, layers, tied):
            raise InputError(
                f"the checkpoint holds {name}, which a {family.model_type} of this config.json "
                f"({layers} layers) does not have; are config.json and weights of the same model?"
            )
    return found, dropped


def _stored_name(name: str, slot: Slot, shapes: Mapping[str, Shape]) -> str | None:
    return next((known for known in (name, *slot.aliases) if known in shapes), None)


def _may_drop(family: Family, name: str, layers: int, tied: bool) -> bool:
    for slot in family.slots:
        if slot.role is Role.HEAD and tied and name in (slot.pattern, *slot.aliases):
            return True
        if slot.part is Part.BUFFER and name in dict(_instances(slot, layers, 0)):
            return True
    return False


def sizes_of(family: Family, config: Config) -> dict[Axis, int]:
    """Return how many entries each axis has under a configuration."""
    keys = family.keys
    hidden = int(_field(family, config, keys.hidden))
    heads = int(_field(family, config, keys.heads))
    kv_heads = int((keys.kv_heads and family.value(config, keys.kv_heads)) or heads)
    head_size = int((keys.head_size and family.value(config, keys.head_size)) or hidden // heads)
    sizes = {
        Axis.VOCAB: int(_field(family, config, "vocab_size")),
        Axis.HIDDEN: hidden,
        Axis.Q: heads * head_size,
        Axis.KV: kv_heads * head_size,
        Axis.QKV: heads * 3 * head_size,
        Axis.HEAD: head_size,
        Axis.ONE: 1,
    }
    optional = {
        Axis.FFN: keys.ffn,
        Axis.EXPERTS: keys.experts,
        Axis.EXPERT_FFN: keys.expert_ffn,
        Axis.SHARED_FFN: keys.shared_ffn,
    }
    return sizes | {axis: int(_field(family, config, key)) for axis, key in optional.items() if key}


def _field(family: Family, config: Config, key: str) -> Any:
    value = family.value(config, key)
    if value is None:
        raise InputError(f"config.json of a {family.model_type} needs {key}, found none")
    return value


def _refuse_unusable(config: Config, shapes: Mapping[str, Shape]) -> None:
    quantisation = config.get("quantization_config")
    if quantisation:
        named = isinstance(quantisation, Mapping)
        method = quantisation.get("quant_method", "unknown method") if named else quantisation
        raise InputError(
            f"the checkpoint is quantised ({method}); grow its full-precision original, and "
            "quantise the result"
        )
    if "peft_type" in config or any(".lora_" in name for name in shapes):
        raise InputError(
            "the checkpoint is an adapter; merge it into its base model (peft: "
            "merge_and_unload) and grow the merged model"
        )
