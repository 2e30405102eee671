"""How a model's tensors are laid out in safetensors files, decided before a byte is written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.dtypes import NAMES, itemsize
from bootlaw.growth.checkpoint.folder import SINGLE

DEFAULT_SHARD_SIZE = 5_000_000_000
"""Bytes; the size that most published checkpoints have."""
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class NewTensor:
    """A tensor to be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return math.prod(self.shape) * itemsize(self.dtype)


@dataclass(frozen=True)
class Shard:
    """One file to be written."""

    file_name: str
    head: bytes
    """Length and JSON, padded to eight bytes."""
    offsets: tuple[tuple[NewTensor, int], ...]
    """The tensors and their first bytes in the file, in the order of the file."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.head) + sum(tensor.nbytes for tensor, _ in self.offsets)


def parse_size(text: str | int) -> int:
    """Return bytes of ``5GB``, ``500MiB``, ``2e9`` or a number.

    Raises
    ------
    InputError
        When it is no size above 0.
    """
    if isinstance(text, str) and (match := _SIZE.match(text)):
        base = 1024 if match[3] else 1000
        size = int(float(match[1]) * base ** " KMGT".index(match[2].upper() or " "))
    else:
        try:
            size = int(float(text))
        except (ValueError, OverflowError):
            size = 0
    if size <= 0:
        raise InputError(f"a shard size is bytes, such as 5GB or 500MB; found {text!r}")
    return size


def lay_out(tensors: Sequence[NewTensor], shard_size: int) -> list[Shard]:
    """Return the files for `tensors`, each up to `shard_size` bytes of tensors or with one tensor.

    Tensors keep their order; within a file larger elements come first, so that every tensor
    starts at a multiple of its element's size.
    """
    groups: list[list[NewTensor]] = [[]]
    size = 0
    for tensor in tensors:
        if groups[-1] and size + tensor.nbytes > shard_size:
            groups.append([])
            size = 0
        groups[-1].append(tensor)
        size += tensor.nbytes
    return [
        _shard(_file_name(number, len(groups)), sorted(group, key=lambda t: -itemsize(t.dtype)))
        for number, group in enumerate(groups, 1)
    ]


def index_document(shards: Iterable[Shard]) -> dict[str, Any]:
    """Return what ``model.safetensors.index.json`` says."""
    placed = [(tensor, shard.file_name) for shard in shards for tensor, _ in shard.offsets]
    return {
        "metadata": {
            "total_parameters": sum(math.prod(tensor.shape) for tensor, _ in placed),
            "total_size": sum(tensor.nbytes for tensor, _ in placed),
        },
        "weight_map": dict(sorted((tensor.name, file) for tensor, file in placed)),
    }


def _file_name(number: int, count: int) -> str:
    return SINGLE if count == 1 else f"model-{number:05d}-of-{count:05d}.safetensors"


def _shard(file_name: str, tensors: Sequence[NewTensor]) -> Shard:
    entries: dict[str, Mapping[str, Any]] = {"__metadata__": {"format": "pt"}}
    begins = []
    position = 0
    for tensor in tensors:
        end = position + tensor.nbytes
        entries[tensor.name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        begins.append(position)
        position = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    placed = zip(tensors, (len(head) + begin for begin in begins), strict=True)
    return Shard(file_name, head, tuple(placed))
