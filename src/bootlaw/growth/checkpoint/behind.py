"""Brings what was written to the disk while more is written.

A file system that finds out late that it is full, or a power cut after the folder got its name,
must not leave a model with holes: every file is synchronised before that. Done all at once in the
end, this would cost up to half the time again; done along the way it costs nothing measurable.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

_STEP = 1 << 28
"""Bytes between two synchronisations of a file."""


class WriteBehind:
    """A context whose end means that every file handed to `finish` is on the disk and closed."""

    def __init__(self) -> None:
        self._disk = ThreadPoolExecutor(1)
        self._pending: list[Future[None]] = []
        self._since = 0

    def wrote(self, descriptor: int, count: int) -> None:
        """Take note of bytes written, and synchronise in the background once they are many."""
        self._since += count
        if self._since >= _STEP and all(each.done() for each in self._pending):
            self._since = 0
            self._pending.append(self._disk.submit(_synchronise, descriptor))

    def finish(self, descriptor: int) -> None:
        """Synchronise and close a file in the background."""
        self._pending.append(self._disk.submit(_close, descriptor, synchronised=True))

    def abandon(self, descriptor: int) -> None:
        """Close a file that will be removed, once nothing uses it any more."""
        self._pending.append(self._disk.submit(_close, descriptor, synchronised=False))

    def __enter__(self) -> WriteBehind:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the disk.

        Raises
        ------
        OSError
            When it refused something, unless another error is under way.
        """
        self._disk.shutdown(wait=True)
        if error is None:
            for each in self._pending:
                each.result()


def _synchronise(descriptor: int) -> None:
    # Without the times of the file, where the system tells them apart.
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _close(descriptor: int, *, synchronised: bool) -> None:
    try:
        if synchronised:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
