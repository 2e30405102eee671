"""Writes a grown model as a Hugging Face folder that appears whole or not at all.

A file gets its head last and the folder its ``config.json`` last, then the folder gets its name:
whoever kills this process finds nothing that could be taken for a model.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootlaw.growth.checkpoint.carried import carried_files
from bootlaw.growth.checkpoint.checkpoint import Checkpoint
from bootlaw.growth.checkpoint.folder import CONFIG, INDEX
from bootlaw.growth.checkpoint.publish import new_folder
from bootlaw.growth.checkpoint.shard_writer import ShardWriter
from bootlaw.growth.checkpoint.shards import (
    DEFAULT_SHARD_SIZE,
    NewTensor,
    index_document,
    lay_out,
)
from bootlaw.growth.plan import GrowthPlan
from bootlaw.growth.storage import stored_types


@dataclass(frozen=True)
class Written:
    """What was written, and how."""

    folder: Path
    files: tuple[str, ...]
    """Names of the safetensors files."""
    tensors: int
    parameters: int
    total_bytes: int
    """Bytes of all tensors."""
    copied_bytes: int
    """Of these, copied from the parent as they were."""
    seconds: float
    """Wall time, with what `before_publish` took."""


def write_grown(
    plan: GrowthPlan,
    parent: Checkpoint,
    out: Path,
    *,
    shard_size: int = DEFAULT_SHARD_SIZE,
    seed: int = 0,
    extra_files: Mapping[str, str | bytes] | None = None,
    before_publish: Callable[[Path], None] | None = None,
) -> Written:
    """Write the model that `plan` makes of `parent` to the new folder `out`.

    The same plan, parent, seed and shard size give the same bytes. Peak memory is some rows of
    a tensor, however large the model.

    Parameters
    ----------
    plan
        A growth operator's result for `parent`.
    parent
        The opened checkpoint.
    out
        Must not exist.
    shard_size
        Most bytes of tensors in a file; a larger tensor gets a file of its own.
    seed
        Of whatever the plan draws at random.
    extra_files
        Relative path -> content, beside what is carried over from the parent, or instead of it.
    before_publish
        Called with the finished, still hidden folder; where it raises, nothing is left.

    Raises
    ------
    InputError
        When `out` exists.
    BootlawError
        When the disk is too small, or something cannot be read or written.
    """
    started = time.monotonic()
    shards = lay_out(new_tensors(plan, parent), shard_size)
    carried = carried_files(parent.folder)
    small = sum((parent.folder / path).stat().st_size for path in carried)
    with new_folder(out, sum(shard.size for shard in shards) + small) as partial:
        copied = ShardWriter(plan, parent, seed).write(partial, shards)
        if len(shards) > 1:
            _write(partial / INDEX, _json(index_document(shards)))
        for path in carried:
            _write(partial / path, (parent.folder / path).read_bytes())
        for path, content in (extra_files or {}).items():
            _write(partial / path, content.encode() if isinstance(content, str) else content)
        _write(partial / CONFIG, _json(dict(plan.config)))
        if before_publish is not None:
            before_publish(partial)
    tensors = [tensor for shard in shards for tensor, _ in shard.offsets]
    return Written(
        folder=out,
        files=tuple(shard.file_name for shard in shards),
        tensors=len(tensors),
        parameters=sum(math.prod(tensor.shape) for tensor in tensors),
        total_bytes=sum(tensor.nbytes for tensor in tensors),
        copied_bytes=copied,
        seconds=time.monotonic() - started,
    )


def new_tensors(plan: GrowthPlan, parent: Checkpoint) -> list[NewTensor]:
    """Return name, type and shape of every tensor that `plan` makes of `parent`."""
    dtypes, shapes = stored_types(plan, parent.dtypes), plan.shapes(parent.shapes)
    return [NewTensor(name, dtypes[name], shapes[name]) for name in plan.recipes]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
