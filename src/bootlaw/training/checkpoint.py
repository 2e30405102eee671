"""Checkpoints of model, optimiser and step through torch's distributed checkpoint format.

Traps this module avoids, each seen in the wild:

* a raw ``optimizer.state_dict()`` of a fresh AdamW loads without error and without moments:
  ``get_state_dict``/``set_state_dict`` are used throughout;
* loading an optimiser restores its old learning rate: the loop sets the rate before every update;
* a killed writer leaves a folder that looks complete: a checkpoint is written beside its place
  and moved there when done, and it counts only with its ``.metadata``.
"""

from __future__ import annotations

import logging
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.errors import BootlawError, InputError

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import PreTrainedModel

_STEP = re.compile(r"^step-(\d+)$")


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return where the checkpoint of `step` lives below `folder`."""
    return folder / f"step-{step:08d}"


def complete_steps(folder: Path) -> list[int]:
    """Return the steps with a complete checkpoint below `folder`, ascending."""
    if not folder.is_dir():
        return []
    matches = ((_STEP.match(entry.name), entry) for entry in folder.iterdir())
    return sorted(
        int(match[1]) for match, entry in matches if match and (entry / ".metadata").is_file()
    )


def save_checkpoint(folder: Path, step: int, model: PreTrainedModel, optimizer: Optimizer) -> None:
    """Write the checkpoint of `step`; an existing complete one is kept as it is."""
    target = checkpoint_path(folder, step)
    if (target / ".metadata").is_file():
        return
    temporary = folder / f"step-{step:08d}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in (temporary, target):
            if leftover.exists():
                shutil.rmtree(leftover)
        with _without_process_group() as dcp:
            dcp.save(_state(model, optimizer), checkpoint_id=str(temporary))
        temporary.rename(target)
    except OSError as error:
        raise BootlawError(f"cannot write the checkpoint {target}: {error}") from error


def load_checkpoint(folder: Path, step: int, model: PreTrainedModel, optimizer: Optimizer) -> None:
    """Load the checkpoint of `step` into `model` and `optimizer`."""
    from torch.distributed.checkpoint.state_dict import set_state_dict

    state = _state(model, optimizer)
    _load(folder, step, state)
    set_state_dict(
        model,
        optimizer,
        model_state_dict=state["model"],
        optim_state_dict=state["optimizer"],
    )


def load_weights(folder: Path, step: int, model: PreTrainedModel) -> None:
    """Load only the model's weights: how a second stage with a fresh optimiser starts."""
    from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict

    state = {"model": get_model_state_dict(model)}
    _load(folder, step, state)
    set_model_state_dict(model, state["model"])


def prune_checkpoints(folder: Path, keep: set[int]) -> None:
    """Delete the complete checkpoints below `folder` whose step is not in `keep`."""
    for step in complete_steps(folder):
        if step not in keep:
            shutil.rmtree(checkpoint_path(folder, step), ignore_errors=True)


def _load(folder: Path, step: int, state: dict[str, Any]) -> None:
    target = checkpoint_path(folder, step)
    if not (target / ".metadata").is_file():
        raise InputError(f"{target} is not a complete checkpoint")
    with _without_process_group() as dcp:
        dcp.load(state, checkpoint_id=str(target))


def _state(model: PreTrainedModel, optimizer: Optimizer) -> dict[str, Any]:
    from torch.distributed.checkpoint.state_dict import get_state_dict

    model_state, optimizer_state = get_state_dict(model, optimizer)
    return {"model": model_state, "optimizer": optimizer_state}


@contextmanager
def _without_process_group() -> Iterator[Any]:
    """Give the distributed-checkpoint module, quiet about running in a single process."""
    import torch.distributed.checkpoint as dcp

    logger = logging.getLogger("torch.distributed.checkpoint")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield dcp
    finally:
        logger.setLevel(level)
