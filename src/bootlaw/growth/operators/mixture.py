"""The mixture of experts that upcycling is asked for, checked, and its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.family import Family
from bootlaw.growth.layerwise import layer_kinds
from bootlaw.growth.roles import Axis
from bootlaw.growth.spec import ModelSpec

_MOST_EXPERTS = 10_000
"""More is a slip of the keyboard, and would be planned expert by expert."""


@dataclass(frozen=True)
class Mixture:
    """A mixture of experts made of copies of one FFN."""

    family: Family
    experts: int
    top_k: int
    granularity: int
    renormalise: bool
    noise: float
    drop_fraction: float
    shared_share: float
    """Part of the output that comes from the shared expert; 0 without one."""

    @property
    def output_scale(self) -> float:
        """Return the factor on the outgoing weights of an expert."""
        average = 1.0 if self.renormalise else self.experts / self.top_k
        return self.granularity * average * (1 - self.shared_share)

    @property
    def preserves(self) -> bool:
        """Whether the parent's function is kept."""
        return self.renormalise and not self.noise and not self.drop_fraction

    @property
    def has_shared(self) -> bool:
        """Whether the family has a shared expert."""
        return self.family.keys.shared_ffn is not None

    def arguments(self) -> dict[str, Any]:
        """Return what was asked, for the record."""
        asked = {
            "experts": self.experts,
            "top_k": self.top_k,
            "granularity": self.granularity,
            "renormalise": self.renormalise,
            "noise": self.noise,
            "drop_fraction": self.drop_fraction,
        }
        return asked | ({"shared_share": self.shared_share} if self.has_shared else {})


def mixture_of(
    spec: ModelSpec,
    family: Family,
    experts: int,
    top_k: int,
    granularity: int,
    renormalise: bool,
    noise: float,
    drop_fraction: float,
    shared_share: float | None,
) -> Mixture:
    """Return the mixture asked for, of a parent and for a family.

    Raises
    ------
    InputError
        When the numbers do not fit each other, the parent or the family.
    """
    share = _share(family, shared_share)
    _check_counts(spec, experts, top_k, granularity)
    if noise < 0 or not 0 <= drop_fraction < 1:
        raise InputError(
            "upcycle needs a noise of at least 0 and a drop_fraction from 0 to below 1, found "
            f"{noise} and {drop_fraction}"
        )
    units = spec.sizes[Axis.FFN] // granularity
    if drop_fraction and not round(drop_fraction * units):
        raise InputError(
            f"upcycle with drop_fraction {drop_fraction} redraws none of an expert's {units} units"
        )
    if not renormalise and family.renormalises is True:
        raise InputError(
            f"a {family.model_type} always renormalises the weights of the chosen experts, and "
            "has no field to turn that off; leave renormalise on"
        )
    return Mixture(family, experts, top_k, granularity, renormalise, noise, drop_fraction, share)


def mixture_config(spec: ModelSpec, family: Family, mixture: Mixture) -> dict[str, Any]:
    """Return the configuration of the mixture, with every field that the parent only implied."""
    config = {**spec.config, **_inherited(spec), **_attention(spec, family)}
    keys = family.keys
    config["model_type"] = family.model_type
    config["architectures"] = [family.architecture]
    config[_known(keys.experts)] = mixture.experts
    config[_known(keys.top_k)] = mixture.top_k
    config[_known(keys.expert_ffn)] = spec.sizes[Axis.FFN] // mixture.granularity
    if keys.shared_ffn:
        config[keys.shared_ffn] = spec.sizes[Axis.FFN]
    if isinstance(family.renormalises, str):
        config[family.renormalises] = mixture.renormalise
    for key in ("mlp_bias", "pretraining_tp"):
        config.pop(key, None)
    return config


def _inherited(spec: ModelSpec) -> dict[str, Any]:
    """Return the fields that the two families fill in differently, as the parent's has them."""
    keys = spec.family.keys
    names = (
        "hidden_act",
        "max_position_embeddings",
        "tie_word_embeddings",
        "initializer_range",
        keys.eps,
    )
    fields = {name: spec.value(name) for name in names}
    fields[_known(keys.kv_heads)] = spec.kv_heads
    fields[_known(keys.head_size)] = spec.head_size
    rope = spec.config.get("rope_parameters")
    if rope is None:
        fields["rope_theta"] = spec.value("rope_theta")
    elif "rope_theta" not in rope and "rope_type" in rope:
        fields["rope_parameters"] = {**rope, "rope_theta": spec.value("rope_theta")}
    return fields


def _attention(spec: ModelSpec, family: Family) -> dict[str, Any]:
    """Return the fields of windows, so that every layer keeps its kind of attention."""
    if not (spec.family.windows_uniform or spec.family.layer_types):
        return {"sliding_window": None}
    if spec.family.windows_uniform:
        return {"sliding_window": spec.value("sliding_window")}
    if not spec.config.get("use_sliding_window"):
        return {"use_sliding_window": False}
    kinds = layer_kinds(spec)
    if family.layer_types:
        return {"layer_types": kinds}
    if len(set(kinds)) > 1:
        raise InputError(
            f"some layers of the parent attend fully and some through a window, and a "
            f"{family.model_type} cannot tell them apart; set use_sliding_window to false if no "
            "text is longer than the window"
        )
    return {"use_sliding_window": kinds[0] != "full_attention", "layer_types": None}


def _known(key: str | None) -> str:
    assert key is not None  # of families that upcycling knows
    return key


def _share(family: Family, shared_share: float | None) -> float:
    if family.keys.shared_ffn is None:
        if shared_share is not None:
            raise InputError(
                f"upcycle takes shared_share for families with a shared expert, and a "
                f"{family.model_type} has none"
            )
        return 0.0
    share = 0.5 if shared_share is None else shared_share
    if not 0 <= share < 1:
        raise InputError(f"upcycle needs a shared_share from 0 to below 1, found {share}")
    return share


def _check_counts(spec: ModelSpec, experts: int, top_k: int, granularity: int) -> None:
    if experts > _MOST_EXPERTS:
        raise InputError(f"upcycle makes up to {_MOST_EXPERTS} experts a layer, found {experts}")
    if granularity < 1 or experts < 2 or not 1 <= top_k <= experts:
        raise InputError(
            "upcycle needs at least 2 experts, top_k from 1 to that number and a granularity of "
            f"at least 1; found {experts}, {top_k} and {granularity}"
        )
    for what, number in (
        ("the number of experts", experts),
        ("top_k", top_k),
        ("the FFN's number of units", spec.sizes[Axis.FFN]),
    ):
        if number % granularity:
            raise InputError(
                f"upcycle with granularity {granularity} cuts every copy of the FFN into "
                f"{granularity} experts; {what}, {number}, is no multiple of it"
            )
