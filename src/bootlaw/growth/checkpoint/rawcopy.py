"""Bytes from file to file.

Plain reads and writes of one megabyte: in interleaved rounds they took three quarters of the time
of ``copy_file_range``, which moves 64 KB at a time where the file system cannot share blocks, and
tensors do not lie on block boundaries. Windows of a memory map took twice as long.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bootlaw.errors import BootlawError

_BLOCK = 1 << 20
"""Bytes read and written at a time: they stay in the processor's cache."""


@dataclass(frozen=True)
class Span:
    """Bytes to copy."""

    source: Path
    start: int
    """First byte in `source`."""
    target: int
    """First byte in the file written."""
    length: int


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield `spans` with those made one that follow each other in both files."""
    last: Span | None = None
    for span in spans:
        if last is not None and _follows(last, span):
            last = replace(last, length=last.length + span.length)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def copy_spans(spans: Iterable[Span], target: int, wrote: Callable[[int], None]) -> int:
    """Copy `spans` into the open file `target` and return the bytes copied.

    Parameters
    ----------
    spans
        What to copy where.
    target
        Descriptor of the file.
    wrote
        Called with the number of bytes after each block.

    Raises
    ------
    BootlawError
        When a source ends before its span does.
    OSError
        When the system refuses to read or write.
    """
    buffer = memoryview(bytearray(_BLOCK))
    total = 0
    for span in joined(spans):
        source = os.open(span.source, os.O_RDONLY)
        try:
            _copy(span, source, target, buffer, wrote)
        finally:
            os.close(source)
        total += span.length
    return total


def write_at(target: int, data: memoryview | bytes, offset: int) -> None:
    """Write all of `data` at `offset` of the open file `target`."""
    view = memoryview(data)
    done = 0
    while done < len(view):
        done += os.pwrite(target, view[done:], offset + done)


def _copy(
    span: Span, source: int, target: int, buffer: memoryview, wrote: Callable[[int], None]
) -> None:
    done = 0
    while done < span.length:
        want = min(len(buffer), span.length - done)
        got = os.preadv(source, [buffer[:want]], span.start + done)
        if got == 0:
            raise BootlawError(f"{span.source}: became shorter while it was copied")
        write_at(target, buffer[:got], span.target + done)
        wrote(got)
        done += got


def _follows(last: Span, span: Span) -> bool:
    return (
        span.source == last.source
        and span.start == last.start + last.length
        and span.target == last.target + last.length
    )
