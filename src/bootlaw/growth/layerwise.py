"""Configuration that belongs to single layers, and how it moves with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.family import Config
from bootlaw.growth.spec import ModelSpec

_MOVES = ("layer_types", "no_rope_layers")
"""Fields with one entry per layer, which moves with its layer."""

_PATTERNS = (
    "sliding_window_pattern",
    "no_rope_layer_interval",
    "full_attention_interval",
    "attn_layer_period",
    "mlp_only_layers",
    "moe_layers",
)
"""Fields that give layers their kind by their number; not right any more once layers move."""

_NOT_PER_LAYER = ("architectures", "eos_token_id", "bos_token_id", "pad_token_id", "id2label")


def rearranged(spec: ModelSpec, origins: Sequence[int]) -> dict[str, Any]:
    """Return the configuration of the model whose layer i is the parent's layer `origins[i]`.

    Raises
    ------
    InputError
        When a field gives layers their kind in a way that cannot move with them.
    """
    _refuse_patterns(spec)
    follows = _in_step(spec.config)
    config = {**spec.config, spec.family.keys.layers: len(origins)}
    for key in _MOVES:
        if spec.config.get(key):
            config[key] = [_entries(spec, key)[origin] for origin in origins]
    kinds = layer_kinds(spec)
    if kinds and not spec.config.get("layer_types"):
        config["layer_types"] = [kinds[origin] for origin in origins]
    if follows:
        _follow_window(config)
    return config


def layer_kinds(spec: ModelSpec) -> list[str]:
    """Return the kind of attention of each layer, said or implied; empty where all are alike."""
    if spec.config.get("layer_types"):
        return list(_entries(spec, "layer_types"))
    implied = spec.family.layer_types
    return (implied(spec.config, spec.layers) or []) if implied else []


def _entries(spec: ModelSpec, key: str) -> Sequence[Any]:
    entries: Sequence[Any] = spec.config[key]
    if len(entries) != spec.layers:
        raise InputError(
            f"config.json has {len(entries)} entries in {key} for {spec.layers} layers; "
            "give it one per layer"
        )
    return entries


def _in_step(config: Config) -> bool:
    """Return whether ``max_window_layers``, which older readers take, says what is the case."""
    full = config.get("max_window_layers")
    if full is None or not config.get("use_sliding_window"):
        return False
    types = enumerate(config.get("layer_types") or ())
    return all((kind == "full_attention") == (layer < full) for layer, kind in types)


def _follow_window(config: dict[str, Any]) -> None:
    """Keep ``max_window_layers``, which older readers take instead of ``layer_types``, in step."""
    types = config.get("layer_types")
    if not types:
        return
    full = types.count("full_attention")
    if any(kind != "full_attention" for kind in types[:full]):
        raise InputError(
            "config.json lets the first max_window_layers layers attend fully and the others "
            "through a window; after this operator they alternate, which programs that read "
            "max_window_layers would get wrong. Use interleave or identity, which keep the order"
        )
    config["max_window_layers"] = full


def _refuse_patterns(spec: ModelSpec) -> None:
    for key in _PATTERNS:
        if spec.config.get(key):
            raise InputError(
                f"config.json gives layers their kind by their number ({key} = "
                f"{spec.config[key]}), which does not survive a change of depth; replace it by a "
                "list with one entry per layer (layer_types) if the family reads one"
            )
    for key, value in spec.config.items():
        if key in (*_MOVES, *_NOT_PER_LAYER, *_PATTERNS):
            continue
        listed = isinstance(value, list) and len(value) == spec.layers > 1
        numbered = isinstance(value, dict) and value and all(map(str.isdecimal, value))
        if listed or numbered:
            what = "a list with as many entries as layers" if listed else "a table by number"
            raise InputError(
                f"config.json has {what}, {key}; growth cannot tell whether it belongs to the "
                "layers, and would not move it with them. Remove it if it does not matter"
            )
