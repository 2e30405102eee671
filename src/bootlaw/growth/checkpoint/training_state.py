"""A checkpoint of our own training, weights and Adam's state, read one tensor at a time.

It is torch's distributed format, whatever the number of processes that wrote it, read by one.
The format holds pickled objects: open only what you or people you trust have written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint.dcp import DcpError, quiet_dcp
from bootlaw.growth.recipe import Rows

if TYPE_CHECKING:
    from torch import Tensor
    from torch.distributed.checkpoint.metadata import Metadata

MOMENTS = ("exp_avg", "exp_avg_sq")
"""Adam's means of gradients and of squared gradients."""
_MODEL = "model."
_STATE = "optimizer.state."
_GROUP = re.compile(r"^optimizer\.param_groups\.(?P<number>\d+)\.(?P<key>.+)$")


@dataclass(frozen=True)
class TrainingCheckpoint:
    """An opened checkpoint of a training run."""

    folder: Path
    config: Mapping[str, Any]
    """The model's configuration, as in a Hugging Face ``config.json``."""
    metadata: Metadata

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the model's tensors."""
        return tuple(self.shapes)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor name -> shape."""
        entries = self.metadata.state_dict_metadata.items()
        return {
            key.removeprefix(_MODEL): tuple(entry.size)
            for key, entry in entries
            if key.startswith(_MODEL) and hasattr(entry, "size")
        }

    @cached_property
    def dtypes(self) -> dict[str, str]:
        """Tensor name -> stored type, by torch's name."""
        return {name: self._dtype(_MODEL + name) for name in self.names}

    @cached_property
    def groups(self) -> list[dict[str, Any]]:
        """The optimiser's groups of parameters: ``params`` (names) and settings."""
        keys = [
            (key, match)
            for key in self.metadata.state_dict_metadata
            if (match := _GROUP.match(key))
        ]
        found: list[dict[str, Any]] = [{} for _ in {match["number"] for _, match in keys}]
        values = self._load({key: None for key, _ in keys})
        for key, match in keys:
            found[int(match["number"])][match["key"]] = values[key]
        return found

    def read(self, name: str, rows: Rows = None, /) -> Tensor:
        """Return a tensor of the model, or its `rows` of dimension 0."""
        return self._tensor(_MODEL + name, rows)

    @property
    def has_optimizer(self) -> bool:
        """True where the optimiser's state was saved, not the weights alone."""
        return any(_GROUP.match(key) for key in self.metadata.state_dict_metadata)

    def has_moments(self, name: str) -> bool:
        """True where Adam's state of a parameter is there."""
        keys = (self._moment(name, kind) for kind in (*MOMENTS, "step"))
        return all(key in self.metadata.state_dict_metadata for key in keys)

    def read_moment(self, kind: str, name: str, rows: Rows = None) -> Tensor:
        """Return Adam's `kind` of state of a parameter (one of `MOMENTS` or ``step``)."""
        return self._tensor(self._moment(name, kind), rows)

    def moment_dtype(self, name: str) -> str:
        """Return the type of Adam's state of a parameter."""
        return self._dtype(self._moment(name, MOMENTS[0]))

    def _moment(self, name: str, kind: str) -> str:
        return f"{_STATE}{name}.{kind}"

    def _dtype(self, key: str) -> str:
        entry: Any = self.metadata.state_dict_metadata[key]
        return str(entry.properties.dtype).removeprefix("torch.")

    def _tensor(self, key: str, rows: Rows) -> Tensor:
        import torch

        entry: Any = self.metadata.state_dict_metadata[key]
        empty = torch.empty(entry.size, dtype=entry.properties.dtype)
        loaded: Tensor = self._load({key: empty})[key]
        return loaded if rows is None else loaded[rows]

    def _load(self, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            with quiet_dcp() as dcp:
                dcp.load(wanted, checkpoint_id=str(self.folder))
        except (OSError, DcpError) as error:
            raise BootlawError(f"cannot read the checkpoint {self.folder}: {error}") from error
        return wanted


def is_training_checkpoint(folder: Path) -> bool:
    """True for a folder in torch's distributed format."""
    return (folder / ".metadata").is_file()


def open_training_checkpoint(
    folder: Path, config: Mapping[str, Any] | None = None
) -> TrainingCheckpoint:
    """Return the training checkpoint in `folder`; no tensor is read.

    Parameters
    ----------
    folder
        A step's folder, with ``.metadata``.
    config
        The model's configuration; without it that in the folder's ``config.json``.

    Raises
    ------
    InputError
        When the folder is not complete, or nothing says what model it is.
    BootlawError
        When it is damaged.
    """
    if not is_training_checkpoint(folder):
        raise InputError(f"{folder} is not a complete checkpoint: it has no .metadata")
    if config is None:
        config = _config(folder / "config.json")
    try:
        with quiet_dcp() as dcp:
            metadata = dcp.FileSystemReader(str(folder)).read_metadata()
    except (OSError, EOFError, ValueError, DcpError) as error:
        raise BootlawError(f"{folder}: damaged checkpoint ({error})") from error
    opened = TrainingCheckpoint(folder, config, metadata)
    if not opened.names:
        raise InputError(f"{folder} holds no tensors named model.*: not a checkpoint of bootlaw")
    return opened


def _config(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{file.parent} has no config.json, so nothing says what model it is; put the model's "
            "there (checkpoints of this version have it)"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{file}: is not a JSON object")
    return found
