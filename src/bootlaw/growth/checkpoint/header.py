"""The head of a safetensors file, read and checked without reading a tensor.

A file is eight bytes (length of the head, little-endian), the head (JSON: name -> dtype, shape,
[begin, end) counted from the end of the head), then the tensors' bytes without gap or overlap
(safetensors format, https://huggingface.co/docs/safetensors). A download cut short or a bit gone
wrong shows here, before anything is copied.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.dtypes import DTYPES, itemsize

_LENGTH = 8
_LFS_POINTER = b"version "
"""How the text begins that Git keeps in place of a large file (as a length, an absurd one)."""
_LARGEST_HEAD = 100_000_000
"""Bytes; the reference implementation refuses longer heads too."""


@dataclass(frozen=True)
class Stored:
    """Where and how one tensor is stored."""

    file: Path
    start: int
    """First byte, counted from the beginning of the file."""
    end: int
    """One past the last byte."""
    dtype: str
    """Torch's name, as ``bfloat16``."""
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return self.end - self.start


def read_header(file: Path) -> dict[str, Stored]:
    """Return what a safetensors file holds, in the order of its bytes.

    Raises
    ------
    InputError
        When the file cannot be read, is cut short, or its head contradicts itself.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(_LENGTH)
            if start == _LFS_POINTER:
                raise InputError(
                    f"{file} is a Git LFS pointer, not the weights: run `git lfs pull` in its "
                    "folder, or download with `hf download`"
                )
            length = int.from_bytes(start, "little")
            if size < _LENGTH or not 2 <= length <= min(_LARGEST_HEAD, size - _LENGTH):
                raise _damaged(file, f"its first {_LENGTH} bytes do not give a head's length")
            head = json.loads(stream.read(length))
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise _damaged(file, "its head is not JSON") from error
    if not isinstance(head, dict):
        raise _damaged(file, "its head is not a JSON object")
    head.pop("__metadata__", None)
    first = _LENGTH + length
    stored = {name: stored_entry(file, first, name, fields) for name, fields in head.items()}
    return _contiguous(file, stored, first, size)


def stored_entry(file: Path, first: int, name: str, fields: Any) -> Stored:
    """Return where one tensor lies, from its entry in the head of a file.

    Parameters
    ----------
    file
        The file.
    first
        First byte after its head.
    name
        Of the tensor.
    fields
        Its ``dtype``, ``shape`` and ``data_offsets``.

    Raises
    ------
    InputError
        When a field is missing, the type is unknown, or the sizes contradict each other.
    """
    try:
        dtype_name, shape = fields["dtype"], tuple(int(n) for n in fields["shape"])
        begin, end = (int(n) for n in fields["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, f"the entry of {name} has no dtype, shape or data_offsets") from error
    if dtype_name not in DTYPES:
        raise InputError(
            f"{file}: {name} has dtype {dtype_name}, a packed or unknown format; "
            "growth needs the weights in F64, F32, F16 or BF16"
        )
    dtype = DTYPES[dtype_name]
    if min(shape, default=0) < 0 or math.prod(shape) * itemsize(dtype) != end - begin:
        raise _damaged(file, f"{name} of shape {list(shape)} does not fill bytes {begin} to {end}")
    return Stored(file, first + begin, first + end, dtype, shape)


def _contiguous(file: Path, stored: dict[str, Stored], first: int, size: int) -> dict[str, Stored]:
    ordered = dict(sorted(stored.items(), key=lambda item: (item[1].start, item[1].end)))
    position = first
    for name, entry in ordered.items():
        if entry.start != position:
            raise _damaged(file, f"{name} begins at byte {entry.start}, expected {position}")
        position = entry.end
    if position != size:
        raise _damaged(file, f"it has {size} bytes, its head promises {position}")
    return ordered


def _damaged(file: Path, what: str) -> InputError:
    return InputError(f"{file}: damaged safetensors file, {what}; download or write it again")
