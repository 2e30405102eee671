"""A family of models, declared: names, roles, configuration fields, and what is peculiar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bootlaw.growth.roles import Role, Slot

Config: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Keys:
    """The configuration fields that hold the shape; None where the family has no such field."""

    hidden: str = "hidden_size"
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    ffn: str | None = "intermediate_size"
    kv_heads: str | None = "num_key_value_heads"
    head_size: str | None = "head_dim"
    eps: str = "rms_norm_eps"
    experts: str | None = None
    top_k: str | None = None
    expert_ffn: str | None = None
    shared_ffn: str | None = None


@dataclass(frozen=True)
class Family:
    """One family of decoders, in the terms of the operators."""

    model_type: str
    """The field ``model_type`` of its ``config.json``."""
    architecture: str
    """The class in the field ``architectures``."""
    slots: tuple[Slot, ...]
    defaults: Config
    """Values of fields that ``config.json`` may leave out, as `transformers` fills them in."""
    keys: Keys = field(default_factory=Keys)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field of the configuration -> other names under which `transformers` reads and writes it."""
    silenced: frozenset[Role] = frozenset({Role.O, Role.DOWN})
    """Roles whose tensors are set to zero to make a block add nothing: the outputs of attention
    and FFN, or, where norms follow those, the gains of these norms."""
    one_plus_gain: bool = False
    """Norms multiply by 1 + weight, so that a gain of zero is a weight of -1."""
    centred_norm: bool = False
    """Norms subtract the mean (LayerNorm)."""
    heads_divide_hidden: bool = False
    """`transformers` refuses a hidden size that is no multiple of the number of heads."""
    scales_embedding: bool = False
    """Embeddings are multiplied by the square root of the hidden size."""
    layer_types: Callable[[Config, int], list[str] | None] | None = None
    """Kind of attention of each layer where the configuration only implies it."""
    windows_uniform: bool = False
    """All layers look through the window of ``sliding_window``, if that is set."""
    experts_as: tuple[str, ...] = ()
    """`model_type` of the mixture-of-experts families that its FFN can be upcycled to."""
    renormalises: str | bool | None = None
    """Of a mixture of experts: the field that renormalises the chosen experts' weights, or
    whether they always are."""

    def value(self, config: Config, key: str) -> Any:
        """Return a field of the configuration, or what `transformers` takes where it is absent."""
        known = next((name for name in (key, *self.aliases.get(key, ())) if name in config), None)
        return self.defaults.get(key) if known is None else config[known]

    def slot(self, role: Role) -> Slot:
        """Return the first slot of a role."""
        return next(slot for slot in self.slots if slot.role is role)
