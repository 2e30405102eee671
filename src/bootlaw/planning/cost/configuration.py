"""Shapes from the ``config.json`` of Hugging Face checkpoints.

Families differ in what a config does not say: which products have a bias, how many norms a
block has, whether embedding and head are tied by default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.planning.cost.shape import SEQUENCE_LENGTH, ModelShape

Config = Mapping[str, Any]

_BIASED = {"qkv_bias": True, "output_bias": True, "ffn_bias": True, "norm_bias": True}
_GEMMA = {"tied": True, "norms_per_block": 4}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {},
    "granite": {},
    "smollm3": {"tied": True},
    "phi3": {},
    "mixtral": {},
    "qwen2": {"qkv_bias": True},
    "qwen2_moe": {"qkv_bias": True, "shared_expert_gate": True},
    "qwen3": {"qk_norm": "head"},
    "qwen3_moe": {"qk_norm": "head"},
    "olmo": {"norms_per_block": 0},
    "olmo2": {"qk_norm": "projection"},
    "olmo3": {"qk_norm": "projection"},
    "olmoe": {"qk_norm": "projection"},
    "gemma": {"tied": True},
    "gemma2": _GEMMA,
    "gemma3_text": {**_GEMMA, "qk_norm": "head"},
    "gpt2": {**_BIASED, "gated": False, "tied": True},
    "gpt_neox": {**_BIASED, "gated": False},
    "starcoder2": {**_BIASED, "gated": False, "tied": True},
}
"""model_type -> what its configs leave unsaid, as fields of `ModelShape`."""

_HEAD_SIZES = {"qwen3": 128, "gemma": 256, "gemma2": 256, "gemma3_text": 256}
_EXPERTS_ARE_THE_FFN = ("mixtral", "olmoe")
_OTHER_ARCHITECTURES = {
    "kv_lora_rank": "latent attention",
    "state_size": "a state-space layer",
    "ssm_cfg": "a state-space layer",
    "mamba_d_state": "a state-space layer",
    "linear_num_key_heads": "linear attention",
}


def read_shape(path: Path | str, *, sequence_length: int | None = None) -> ModelShape:
    """Return the shape in a ``config.json``, or in the folder of a checkpoint.

    Raises
    ------
    InputError
        When the file is missing, no JSON object, or of an architecture not known here.
    """
    file = Path(path)
    file = file / "config.json" if file.is_dir() else file
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such model config") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{file}: not a JSON file ({error})") from None
    if not isinstance(config, dict):
        raise InputError(f"{file}: a model config is a JSON object")
    try:
        return shape_from_config(config, sequence_length=sequence_length)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def shape_from_config(config: Config, *, sequence_length: int | None = None) -> ModelShape:
    """Return the shape that a Hugging Face config describes.

    Parameters
    ----------
    sequence_length : tokens a training sequence. Configs give the longest context that the model
        can serve, mostly far above the length it was trained at; without this number the
        shorter of that and 4096 is taken, with a note.

    Raises
    ------
    InputError
        When a number is missing or the architecture is not known here.
    """
    if isinstance(config.get("text_config"), Mapping):
        config = config["text_config"]
    for key, what in _OTHER_ARCHITECTURES.items():
        if config.get(key):
            raise InputError(
                f"the config has {what} ({key}), which the cost model does not count; plan "
                "with the number of parameters instead (6 N FLOPs per token)"
            )
    family = str(config.get("model_type", ""))
    notes = [] if family in FAMILIES else [_unknown_family(family)]
    length, remark = _sequence_length(config, sequence_length)
    said: dict[str, Any] = {
        **FAMILIES.get(family, {}),
        **_sizes(config, family),
        **_biases(config),
        **_experts(config, family),
        **_window(config, family),
        "sequence_length": length,
        "notes": (*notes, *remark),
    }
    return ModelShape(**said)


def _unknown_family(family: str) -> str:
    name = f"the model type {family!r} is unknown here" if family else "the config names no type"
    return f"{name}: counted like a Llama with these sizes"


def _sequence_length(config: Config, asked: int | None) -> tuple[int, tuple[str, ...]]:
    if asked is not None:
        return asked, ()
    longest = _integer(config, "max_position_embeddings", "n_positions", default=SEQUENCE_LENGTH)
    length = min(longest, SEQUENCE_LENGTH)
    return length, (f"attention is counted at sequences of {length} tokens",)


def _sizes(config: Config, family: str) -> dict[str, Any]:
    hidden = _integer(config, "hidden_size", "n_embd", "d_model")
    heads = _integer(config, "num_attention_heads", "n_head")
    if not config.get("head_dim") and (heads <= 0 or hidden % heads):
        raise InputError(f"hidden_size {hidden} is not a multiple of the {heads} heads")
    head_size = _HEAD_SIZES.get(family, hidden // max(heads, 1))
    width = _integer(config, "intermediate_size", "n_inner", "ffn_dim", default=4 * hidden)
    sizes: dict[str, Any] = {
        "layers": _integer(config, "num_hidden_layers", "n_layer", "num_layers"),
        "hidden_size": hidden,
        "intermediate_size": width,
        "heads": heads,
        "kv_heads": _integer(config, "num_key_value_heads", default=heads),
        "head_size": _integer(config, "head_dim", default=head_size),
        "vocab_size": _integer(config, "vocab_size"),
    }
    if family == "gpt2":
        sizes["positions"] = _integer(config, "n_positions", default=1024)
    if "tie_word_embeddings" in config:
        sizes["tied"] = bool(config["tie_word_embeddings"])
    return sizes


def _biases(config: Config) -> dict[str, bool]:
    found: dict[str, bool] = {}
    if "attention_bias" in config:
        found.update(qkv_bias=bool(config["attention_bias"]))
        found.update(output_bias=bool(config["attention_bias"]))
    if "mlp_bias" in config:
        found.update(ffn_bias=bool(config["mlp_bias"]))
    return found


def _experts(config: Config, family: str) -> dict[str, Any]:
    experts = _integer(config, "num_local_experts", "num_experts", "n_routed_experts", default=0)
    if not experts:
        return {}
    layers = _integer(config, "num_hidden_layers")
    own_width = family in _EXPERTS_ARE_THE_FFN or "moe_intermediate_size" not in config
    width = _integer(config, "intermediate_size" if own_width else "moe_intermediate_size")
    shared = _integer(config, "shared_expert_intermediate_size", default=0)
    return {
        "experts": experts,
        "experts_per_token": _integer(config, "num_experts_per_tok"),
        "expert_intermediate_size": width,
        "shared_expert_intermediate_size": shared,
        "dense_layers": _dense_layers(config, layers),
    }


def _dense_layers(config: Config, layers: int) -> int:
    """Return how many layers have no experts: listed ones, and all but every k-th."""
    listed = set(config.get("mlp_only_layers") or ())
    step = max(_integer(config, "decoder_sparse_step", default=1), 1)
    return sum(layer in listed or (layer + 1) % step != 0 for layer in range(layers))


def _window(config: Config, family: str) -> dict[str, int]:
    """Return how far attention looks back, and in how many layers it is limited."""
    window = _integer(config, "sliding_window", default=0)
    if not window or config.get("use_sliding_window") is False:
        return {}
    layers = _integer(config, "num_hidden_layers")
    return {"window": window, "window_layers": _window_layers(config, family, layers)}


def _window_layers(config: Config, family: str, layers: int) -> int:
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        return kinds.count("sliding_attention")
    if family == "gemma2":
        return (layers + 1) // 2
    pattern = _integer(config, "sliding_window_pattern", default=0)
    if pattern > 0:
        return layers - layers // pattern
    if family.startswith("qwen"):
        return max(layers - _integer(config, "max_window_layers", default=0), 0)
    return layers


def _integer(config: Config, *keys: str, default: int | None = None) -> int:
    """Return the first of these numbers that the config gives."""
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"the model config's {key} is {value!r}; it must be a whole number")
        return value
    if default is None:
        raise InputError(f"the model config lacks {keys[0]}")
    return default
