"""The parent of a growth: a Hugging Face checkpoint, or a checkpoint of our own training."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint import (
    Checkpoint,
    TrainingCheckpoint,
    fingerprint,
    is_training_checkpoint,
    open_checkpoint,
    open_training_checkpoint,
)
from bootlaw.growth.checkpoint.dtypes import itemsize
from bootlaw.growth.plan import GrowthPlan
from bootlaw.growth.recipe import Shape
from bootlaw.growth.storage import stored_types


@dataclass(frozen=True)
class Parent:
    """An opened checkpoint of either kind."""

    checkpoint: Checkpoint | TrainingCheckpoint
    origin: str
    """What the user named."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.checkpoint.folder

    @property
    def config(self) -> Mapping[str, Any]:
        """Its ``config.json``."""
        return self.checkpoint.config

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Tensor name -> shape."""
        return self.checkpoint.shapes

    @property
    def dtypes(self) -> Mapping[str, str]:
        """Tensor name -> stored type, by torch's name."""
        return self.checkpoint.dtypes

    @property
    def revision(self) -> str | None:
        """Commit of a hub repository, else none."""
        return self.checkpoint.revision if isinstance(self.checkpoint, Checkpoint) else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of it."""
        return self.checkpoint.warnings if isinstance(self.checkpoint, Checkpoint) else ()

    @property
    def trains(self) -> bool:
        """Whether it is a training checkpoint, with the optimiser's state."""
        return isinstance(self.checkpoint, TrainingCheckpoint)

    @property
    def has_optimizer(self) -> bool:
        """Whether the optimiser's state is there."""
        return isinstance(self.checkpoint, TrainingCheckpoint) and self.checkpoint.has_optimizer

    @property
    def total_bytes(self) -> int:
        """Bytes of its weights."""
        return stored_bytes(self.shapes, self.dtypes)

    def hash(self, how: str) -> str | None:
        """Return the hash of its weights (see `fingerprint`), or of a training checkpoint's files.

        The latter is the SHA-256 of a line per file, sorted by name: name, space, SHA-256.
        """
        if isinstance(self.checkpoint, Checkpoint):
            return fingerprint(self.checkpoint, how)
        return None if how == "off" else _hash_of_files(self.folder)


def open_parent(source: str, revision: str | None, *, heads_only: bool = False) -> Parent:
    """Return the checkpoint that `source` names; no tensor is read.

    With `heads_only` weights on the hub are not downloaded (see `open_checkpoint`).

    Raises
    ------
    InputError
        When there is none, or it cannot be grown as it is.
    """
    folder = Path(source).expanduser()
    if is_training_checkpoint(folder):
        if revision is not None:
            raise InputError(f"{source} is a folder; --revision belongs to a hub repository")
        return Parent(open_training_checkpoint(folder), source)
    checkpoint = open_checkpoint(source, revision, heads_only=heads_only)
    return Parent(checkpoint, checkpoint.origin)


def _hash_of_files(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(entry for entry in folder.iterdir() if entry.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.name} {digest}\n".encode())
    return f"sha256-files:{total.hexdigest()}"


def grown_types(plan: GrowthPlan, parent: Parent) -> dict[str, str]:
    """Return new tensor name -> stored type."""
    return stored_types(plan, parent.dtypes)


def stored_bytes(shapes: Mapping[str, Shape], dtypes: Mapping[str, str]) -> int:
    """Return the bytes of tensors of these shapes and types."""
    return sum(math.prod(shape) * itemsize(dtypes[name]) for name, shape in shapes.items())
