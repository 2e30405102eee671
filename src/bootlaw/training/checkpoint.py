"""Checkpoints of model, optimiser and step through torch's distributed checkpoint format.

Traps this module avoids, each seen in the wild:

* a raw ``optimizer.state_dict()`` of a fresh AdamW loads without error and without moments:
  ``get_state_dict``/``set_state_dict`` are used throughout;
* loading an optimiser restores its old learning rate: the loop sets the rate before every update;
* a killed writer leaves a folder that looks complete: a checkpoint is written beside its place
  and moved there when done, it counts only with its ``.metadata``, and it is moved aside before
  it is deleted;
* torch's ``CheckpointException`` is no ``Exception``: a full disk would pass every handler.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.errors import BootlawError, InputError, reason
from bootlaw.growth.checkpoint.dcp import DcpError, quiet_dcp
from bootlaw.training.saving import cannot_write

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import PreTrainedModel

CONFIG = "config.json"
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
    """Write the checkpoint of `step`; an existing complete one is kept as it is.

    Raises
    ------
    BootlawError
        When a weight is not finite, or the checkpoint cannot be written.
    """
    target = checkpoint_path(folder, step)
    if (target / ".metadata").is_file():
        return
    _check_finite(model, step)
    temporary = _aside(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in (temporary, target):
            if leftover.exists():
                shutil.rmtree(leftover)
        with quiet_dcp() as dcp:
            dcp.save(_state(model, optimizer), checkpoint_id=str(temporary))
        # Beside the tensors, so that the checkpoint can be grown without its run.
        (temporary / CONFIG).write_text(model.config.to_json_string(), "utf-8")
        temporary.rename(target)
    except (OSError, DcpError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise cannot_write(target, error) from error


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
    """Delete the complete checkpoints below `folder` whose step is not in `keep`.

    What a killed process left half written or half deleted goes too. Nobody else may be writing
    to `folder` meanwhile.
    """
    for leftover in folder.glob("step-*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    for step in complete_steps(folder):
        if step not in keep:
            target = checkpoint_path(folder, step)
            with suppress(OSError):
                # Renamed first: a deletion cut short must not leave what looks complete.
                shutil.rmtree(target.rename(_aside(target)), ignore_errors=True)


def _aside(target: Path) -> Path:
    return target.with_name(target.name + ".tmp")


def _load(folder: Path, step: int, state: dict[str, Any]) -> None:
    target = checkpoint_path(folder, step)
    if not (target / ".metadata").is_file():
        raise InputError(f"{target} is not a complete checkpoint")
    try:
        with quiet_dcp() as dcp:
            dcp.load(state, checkpoint_id=str(target))
    except (OSError, DcpError) as error:
        raise BootlawError(
            f"cannot read the checkpoint {target}: {reason(error)}; delete that folder, then the "
            "same command trains it again"
        ) from error


def _check_finite(model: PreTrainedModel, step: int) -> None:
    if not all(bool(parameter.isfinite().all()) for parameter in model.parameters()):
        raise BootlawError(f"the weights are not finite at step {step}; lower schedule.peak_lr")


def _state(model: PreTrainedModel, optimizer: Optimizer) -> dict[str, Any]:
    from torch.distributed.checkpoint.state_dict import get_state_dict

    model_state, optimizer_state = get_state_dict(model, optimizer)
    return {"model": model_state, "optimizer": optimizer_state}
