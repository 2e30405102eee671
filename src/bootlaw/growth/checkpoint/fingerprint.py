"""A checkpoint's name by content, so that a receipt says which parent it grew from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.checkpoint import Checkpoint
from bootlaw.growth.checkpoint.header import Stored

HASHES = ("full", "sample", "off")
"""Of every byte; of heads and both ends of every tensor; none."""
_END = 4096
_BLOCK = 1 << 20


def fingerprint(checkpoint: Checkpoint, how: str = "sample") -> str | None:
    """Return a hash of the weights, the same however they are sharded.

    It is the SHA-256 of one line per tensor, sorted by name: the JSON list of name, dtype, shape
    and the SHA-256 of the tensor's bytes. ``sample`` takes the first and last 4096 bytes of a
    tensor that is longer than both, so that it costs a few reads per tensor.

    Parameters
    ----------
    checkpoint
        The opened checkpoint; its configuration is not hashed.
    how
        ``full``, ``sample`` or ``off`` (None is returned).

    Raises
    ------
    InputError
        For another `how`.
    """
    if how not in HASHES:
        raise InputError(f"a hash is one of {', '.join(HASHES)}; found {how!r}")
    if how == "off":
        return None
    of_bytes = _all_bytes if how == "full" else _both_ends
    total = hashlib.sha256()
    for name, entry in sorted(checkpoint.stored.items()):
        line = json.dumps([name, entry.dtype, list(entry.shape), _digest(entry, of_bytes)])
        total.update(line.encode() + b"\n")
    return f"sha256{'' if how == 'full' else '-sample'}:{total.hexdigest()}"


def _digest(entry: Stored, ranges: Callable[[Stored], list[tuple[int, int]]]) -> str:
    digest = hashlib.sha256()
    with entry.file.open("rb") as file:
        for start, end in ranges(entry):
            for offset in range(start, end, _BLOCK):
                digest.update(os.pread(file.fileno(), min(_BLOCK, end - offset), offset))
    return digest.hexdigest()


def _all_bytes(entry: Stored) -> list[tuple[int, int]]:
    return [(entry.start, entry.end)]


def _both_ends(entry: Stored) -> list[tuple[int, int]]:
    if entry.nbytes <= 2 * _END:
        return [(entry.start, entry.end)]
    return [(entry.start, entry.start + _END), (entry.end - _END, entry.end)]
