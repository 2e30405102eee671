"""A model's weights on disk: one tensor, or some rows of it, at a time.

Tensors are read with plain positioned reads, not through a memory map: mapped pages count as
this process's memory, and a model larger than memory would look like a leak.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.errors import BootlawError
from bootlaw.growth.checkpoint.dtypes import itemsize
from bootlaw.growth.checkpoint.header import Stored

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Checkpoint:
    """An opened and checked Hugging Face folder."""

    folder: Path
    config: Mapping[str, Any]
    """What ``config.json`` says."""
    stored: Mapping[str, Stored]
    """Tensor name -> where it is; a head that is its embedding stands here once."""
    origin: str
    """What the user named: a folder, or hub id and revision."""
    revision: str | None
    """Commit of a hub repository, None for a folder."""
    warnings: tuple[str, ...]
    """What the user should know about this parent."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tensors, in the order of their files and bytes."""
        return tuple(self.stored)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor name -> shape."""
        return {name: entry.shape for name, entry in self.stored.items()}

    @property
    def dtypes(self) -> dict[str, str]:
        """Tensor name -> stored type, by torch's name."""
        return {name: entry.dtype for name, entry in self.stored.items()}

    @property
    def total_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(entry.nbytes for entry in self.stored.values())

    def nbytes(self, name: str) -> int:
        """Return the bytes of a tensor."""
        return self.stored[name].nbytes

    def byte_range(self, name: str) -> tuple[Path, int, int]:
        """Return the file of a tensor, its first byte there and one past its last."""
        entry = self.stored[name]
        return entry.file, entry.start, entry.end

    def read(self, name: str, rows: slice | torch.Tensor | None = None) -> torch.Tensor:
        """Return a tensor, or some rows (of dimension 0) of it, in its stored type.

        Parameters
        ----------
        name
            One of `names`.
        rows
            A slice of step 1, or row numbers of any order and with repeats; None for all.
        """
        entry = self.stored[name]
        if rows is None:
            return _read_runs(entry, entry.shape, [(entry.start, entry.nbytes)])
        rest = entry.shape[1:]
        row_bytes = math.prod(rest) * itemsize(entry.dtype)
        runs = [
            (entry.start + first * row_bytes, count * row_bytes)
            for first, count in _runs(rows, entry.shape[0])
        ]
        n_rows = sum(length for _, length in runs) // row_bytes if row_bytes else 0
        return _read_runs(entry, (n_rows, *rest), runs)


def _runs(rows: slice | torch.Tensor, n_rows: int) -> Iterator[tuple[int, int]]:
    """Yield (first row, number of rows) of neighbouring rows."""
    if isinstance(rows, slice):
        first, stop, step = rows.indices(n_rows)
        if step != 1:
            raise ValueError(f"rows are read in steps of 1, not {step}")
        yield first, max(stop - first, 0)
        return
    index = rows.long().flatten()
    if index.numel() == 0:
        return
    if int(index.min()) < 0 or int(index.max()) >= n_rows:
        raise IndexError(f"row numbers lie in 0 to {n_rows - 1}")
    import torch

    breaks = (torch.nonzero(index.diff() != 1).flatten() + 1).tolist()
    for begin, end in zip([0, *breaks], [*breaks, index.numel()], strict=True):
        yield int(index[begin]), end - begin


def _read_runs(entry: Stored, shape: tuple[int, ...], runs: list[tuple[int, int]]) -> torch.Tensor:
    import torch

    buffer = torch.empty(sum(length for _, length in runs), dtype=torch.uint8)
    view = buffer.numpy().data
    descriptor = os.open(entry.file, os.O_RDONLY)
    try:
        position = 0
        for offset, length in runs:
            _read_into(descriptor, view[position : position + length], offset, entry.file)
            position += length
    finally:
        os.close(descriptor)
    return buffer.view(getattr(torch, entry.dtype)).reshape(shape)


def _read_into(descriptor: int, view: memoryview, offset: int, file: Path) -> None:
    done = 0
    while done < len(view):
        got = os.preadv(descriptor, [view[done:]], offset + done)
        if got == 0:
            raise BootlawError(f"{file}: became shorter while it was read")
        done += got
