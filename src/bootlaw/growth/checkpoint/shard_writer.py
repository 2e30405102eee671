"""Writes the safetensors files of a grown model, never holding more than a few rows of it.

* what a recipe only copies goes from file to file as bytes;
* what it zeroes is never made: the file is reserved in full first, and reads as zeros;
* all else is built in float64, some rows at a time, and rounded once to the stored type.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bootlaw.growth.checkpoint.behind import WriteBehind
from bootlaw.growth.checkpoint.checkpoint import Checkpoint
from bootlaw.growth.checkpoint.dtypes import itemsize
from bootlaw.growth.checkpoint.rawcopy import Span, copy_spans, write_at
from bootlaw.growth.checkpoint.shards import NewTensor, Shard
from bootlaw.growth.plan import GrowthPlan
from bootlaw.growth.recipe import Copy, Rows, Zeros
from bootlaw.growth.storage import round_once

if TYPE_CHECKING:
    from torch import Tensor

_BUILT_AT_ONCE = 1 << 19
"""Elements built at a time: 4 MB in float64, so that what they are computed from stays cached."""
_ROWS_TOGETHER = 64
"""Rows are built in multiples of these, the blocks in which random recipes draw."""
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True)
class ShardWriter:
    """Writes the files of one growth."""

    plan: GrowthPlan
    parent: Checkpoint
    seed: int

    def write(self, folder: Path, shards: Sequence[Shard]) -> int:
        """Write all files and return the bytes that were copied as they were."""
        copied = 0
        with WriteBehind() as disk:
            for shard in shards:
                file = os.open(folder / shard.file_name, _NEW_FILE, 0o666)
                try:
                    copied += self._write_shard(file, shard, disk)
                except BaseException:
                    disk.abandon(file)
                    raise
                disk.finish(file)
        return copied

    def _write_shard(self, file: int, shard: Shard, disk: WriteBehind) -> int:
        _reserve(file, shard.size)
        spans = []
        for tensor, offset in shard.offsets:
            recipe = self.plan.recipes[tensor.name]
            if isinstance(recipe, Zeros):
                continue
            if isinstance(recipe, Copy) and self.parent.dtypes[recipe.source] == tensor.dtype:
                source, start, end = self.parent.byte_range(recipe.source)
                spans.append(Span(source, start, offset, end - start))
            else:
                self._build(file, tensor, offset, disk)
        copied = copy_spans(spans, file, partial(disk.wrote, file))
        write_at(file, shard.head, 0)
        return copied

    def _build(self, file: int, tensor: NewTensor, offset: int, disk: WriteBehind) -> None:
        if not tensor.shape:
            write_at(file, self._block(tensor, None), offset)
            return
        row = math.prod(tensor.shape[1:])
        at_once = _rows_at_once(row)
        for first in range(0, tensor.shape[0], at_once):
            rows = slice(first, min(first + at_once, tensor.shape[0]))
            block = self._block(tensor, rows)
            write_at(file, block, offset + first * row * itemsize(tensor.dtype))
            disk.wrote(file, len(block))

    def _block(self, tensor: NewTensor, rows: Rows) -> memoryview:
        built = self.plan.recipes[tensor.name].build(self.parent.read, self.seed, rows)
        return _stored_bytes(built, tensor.dtype)


def _reserve(file: int, size: int) -> None:
    """Make a file `size` bytes of zeros, on the disk where the file system can.

    Raises
    ------
    OSError
        When the disk is full.
    """
    os.ftruncate(file, size)
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise


def _rows_at_once(row: int) -> int:
    """Return how many rows of `row` elements are built at a time."""
    rows = _BUILT_AT_ONCE // max(row, 1)
    return rows - rows % _ROWS_TOGETHER or min(_ROWS_TOGETHER, max(1, 16 * rows))


def _stored_bytes(values: Tensor, dtype: str) -> memoryview:
    import torch

    stored = round_once(values, getattr(torch, dtype)).contiguous()
    return stored.flatten().view(torch.uint8).numpy().data
