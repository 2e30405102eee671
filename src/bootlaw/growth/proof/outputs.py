"""What a model says about the fixed batch, loaded the way its users will load it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bootlaw.errors import BootlawError
from bootlaw.growth.checkpoint import is_training_checkpoint, open_training_checkpoint
from bootlaw.growth.proof.batch import Batch
from bootlaw.growth.proof.quiet import quiet_transformers

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Outputs:
    """Logits and loss of one model on the fixed batch."""

    logits: Tensor
    """Shape (sequences, length, vocabulary), in the dtype of the arithmetic."""
    loss: float
    """Mean cross-entropy of the next token, nats."""
    params: int
    """Parameters of the built model, shared ones once."""


def outputs_of(
    folder: Path,
    batch: Batch,
    dtype: str,
    *,
    called: str | None = None,
    change: Callable[[PreTrainedModel], None] | None = None,
) -> Outputs:
    """Return what the model in `folder` says about `batch`.

    Parameters
    ----------
    folder
        A checkpoint for ``AutoModelForCausalLM.from_pretrained``.
    batch
        The tokens.
    dtype
        Arithmetic and weights, as in ``float32``.
    called
        What messages call the model; by default the folder.
    change
        Changes the model before it is asked.

    Raises
    ------
    BootlawError
        When transformers cannot load or run the model, misses tensors, finds ones it does not
        expect or of another shape.
    """
    model = load_model(folder, dtype, called)
    if change is not None:
        change(model)
    try:
        logits = _logits(model, batch)
    except Exception as error:  # kernels raise many kinds for a shape that they do not take
        raise BootlawError(
            f"transformers loads {called or folder} and cannot run it: {_in_short(error)}"
        ) from error
    params = sum(parameter.numel() for parameter in model.parameters())
    return Outputs(logits, _loss(logits, batch), params)


def load_model(folder: Path, dtype: str, called: str | None = None) -> PreTrainedModel:
    """Return the model in `folder`, every tensor of which must find its place."""
    name = called or str(folder)
    try:
        with quiet_transformers():
            training = is_training_checkpoint(folder)
            model, report = (_trained if training else _pretrained)(folder, dtype)
    except BootlawError:
        raise
    except Exception as error:  # transformers raises many kinds for one cause: it cannot load
        raise BootlawError(f"transformers cannot load {name}: {_in_short(error)}") from error
    _check_keys(name, report)
    model.eval()
    return model


def _in_short(error: Exception) -> str:
    """Return the first line of an error, with the second where the first only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return repr(error)
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]


def _pretrained(folder: Path, dtype: str) -> tuple[PreTrainedModel, Mapping[str, Any]]:
    import torch
    from transformers import AutoModelForCausalLM

    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        **{_dtype_keyword(): getattr(torch, dtype)},
        output_loading_info=True,
        # They are reported, by name, instead of an error that points at a log.
        ignore_mismatched_sizes=True,
        local_files_only=True,
    )
    return cast("tuple[PreTrainedModel, dict[str, Any]]", loaded)


def _trained(folder: Path, dtype: str) -> tuple[PreTrainedModel, Mapping[str, Any]]:
    """Build the model of a training checkpoint, as the training loop does."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    checkpoint = open_training_checkpoint(folder)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    kind = getattr(torch, dtype)
    model = AutoModelForCausalLM.from_config(config, **{_dtype_keyword(): kind})
    tensors = {name: checkpoint.read(name).to(kind) for name in checkpoint.names}
    keys = model.load_state_dict(tensors, strict=False)
    report = {"missing_keys": keys.missing_keys, "unexpected_keys": keys.unexpected_keys}
    return cast("PreTrainedModel", model), report


def _dtype_keyword() -> str:
    import transformers

    major, minor = (int(part) for part in transformers.__version__.split(".")[:2])
    return "dtype" if (major, minor) >= (4, 56) else "torch_dtype"


def _check_keys(model: str, report: Mapping[str, Any]) -> None:
    words = {
        "missing_keys": "tensors are missing",
        "unexpected_keys": "tensors are unexpected",
        "mismatched_keys": "tensors have another shape than the model",
    }
    for key, problem in words.items():
        names = sorted(str(name) for name in report.get(key) or ())
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise BootlawError(f"{model}: {problem}: {', '.join(names[:3])}{more}")


def _logits(model: PreTrainedModel, batch: Batch) -> Tensor:
    import torch

    # One sequence at a time: activations of one, and the same sums for both models.
    with torch.inference_mode(), quiet_transformers():
        rows = [
            model(input_ids=torch.from_numpy(row[None]), use_cache=False).logits
            for row in batch.tokens
        ]
    return torch.cat(rows)


def _loss(logits: Tensor, batch: Batch) -> float:
    import torch
    from torch.nn import functional

    targets = torch.from_numpy(batch.tokens)[:, 1:]
    # A sequence at a time in float64: a copy of all logits would be the largest thing in memory.
    losses = [
        functional.cross_entropy(rows[:-1].double(), target, reduction="sum")
        for rows, target in zip(logits, targets, strict=True)
    ]
    return float(torch.stack(losses).sum()) / targets.numel()
