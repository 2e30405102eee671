"""Parents that cannot be grown as they are: each is named, with the way round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.dtypes import is_plain_float
from bootlaw.growth.checkpoint.header import Stored

_STEP = re.compile(r"step-\d+")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_PACKED = re.compile(
    r"\.(qweight|qzeros|scales|g_idx|weight_packed|weight_scale|weight_scale_inv|weight_zero_point"
    r"|absmax|quant_map|nested_absmax|SCB|weight_format)$|\.quant_state\."
)
"""Endings of what GPTQ, AWQ, compressed-tensors, bitsandbytes and FP8 store beside weights."""


def refuse_by_files(names: list[str], where: str) -> None:
    """Raise for a folder without a model that can be read, by what it holds instead.

    Parameters
    ----------
    names
        File names in the folder or repository.
    where
        How the user named it.

    Raises
    ------
    InputError
        Names the kind, and what to do.
    """
    files = [Path(name) for name in names]
    weights = any(is_weight_file(file.name) for file in files)
    if "adapter_config.json" in names and not weights:
        raise InputError(
            f"{where} is an adapter without its base model (adapter_config.json); merge it first: "
            "PeftModel.from_pretrained(base, adapter).merge_and_unload().save_pretrained(FOLDER)"
        )
    if weights:
        return
    if any(file.suffix == ".gguf" for file in files):
        raise InputError(
            f"{where} holds GGUF files, which are packed for inference; grow the original "
            "checkpoint in safetensors"
        )
    if any(file.match(pattern) for file in files for pattern in _PICKLED):
        raise InputError(
            f"{where} holds pickled weights only (.bin), which cannot be streamed; convert them: "
            "AutoModelForCausalLM.from_pretrained(HERE, dtype='auto').save_pretrained(FOLDER)"
        )
    if ".metadata" in names:
        raise InputError(
            f"{where} is a distributed checkpoint of a training run, not a Hugging Face folder"
        )
    steps = sorted(name for name in names if _STEP.fullmatch(name))
    if steps or "checkpoints" in names:
        step = steps[-1] if steps else "checkpoints/step-NNNNNNNN"
        raise InputError(f"{where} is the folder of a training run; give one of its steps: {step}")
    raise InputError(
        f"{where} holds no weights: neither model.safetensors nor model.safetensors.index.json"
    )


def is_weight_file(name: str) -> bool:
    """True for what `transformers` would load weights from."""
    return name in ("model.safetensors", "model.safetensors.index.json") or bool(
        re.fullmatch(r"model-\d+-of-\d+\.safetensors", name)
    )


def refuse_quantised_config(config: Mapping[str, Any], where: str) -> None:
    """Raise where the configuration says that the weights are packed.

    Raises
    ------
    InputError
        Names the method.
    """
    quantisation = config.get("quantization_config") or config.get("compression_config")
    if quantisation:
        method = quantisation.get("quant_method") if isinstance(quantisation, dict) else None
        raise _quantised(where, f"quantization_config, method {method or 'not named'}")


def refuse_packed_tensors(stored: Mapping[str, Stored], where: str) -> None:
    """Raise where tensors are packed, whatever the configuration says.

    Raises
    ------
    InputError
        Names the first such tensor.
    """
    for name, entry in stored.items():
        weight = name.endswith(".weight") and not is_plain_float(entry.dtype)
        if weight or _PACKED.search(name):
            raise _quantised(where, f"tensor {name} of {entry.dtype}")


def _quantised(where: str, found: str) -> InputError:
    return InputError(
        f"{where} is quantised ({found}); growth needs the weights as trained: grow the original "
        "checkpoint, or dequantise it first (transformers: model.dequantize(), save_pretrained)"
    )
