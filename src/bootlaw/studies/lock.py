"""One process trains in a study's folder, one process writes a run's folder.

The locks are the system's (``flock``): it frees them when their process ends, however it ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bootlaw.errors import BootlawError, InputError, Interrupted

_SECONDS_TO_WAIT_FOR_A_RUN = 30.0
_SECONDS_BETWEEN_TRIES = 0.1


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of the study in `folder`.

    Raises
    ------
    InputError
        When another process holds it, or the folder cannot be written or locked.
    """
    try:
        file = _open(folder)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from error
    with file:
        try:
            free = _try_to_lock(file)
        except OSError as error:
            raise InputError(
                f"--out {folder}: cannot be locked ({error.strerror}); use a folder on a file "
                "system that knows flock"
            ) from error
        if not free:
            raise InputError(
                f"--out {folder}: {_holder(file)} is training here; wait for it, or use another "
                "folder"
            )
        _sign(file)
        yield


@contextmanager
def sole_writer(folder: Path, stopping: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of the run in `folder`, after some patience with a former writer.

    A worker whose study was killed goes on until it has noticed and saved; for that long a
    restarted study waits here.

    Raises
    ------
    Interrupted
        When `stopping` came true while waiting.
    BootlawError
        When another process did not let go of the run.
    """
    with _open(folder) as file:
        deadline = time.monotonic() + _SECONDS_TO_WAIT_FOR_A_RUN
        while not _try_to_lock(file):
            if stopping():
                raise Interrupted("stopped")
            if time.monotonic() > deadline:
                raise BootlawError(
                    f"{_holder(file)} still writes {folder}; wait until it has ended, then start "
                    "the same command again"
                )
            time.sleep(_SECONDS_BETWEEN_TRIES)
        _sign(file)
        yield


def _open(folder: Path) -> IO[str]:
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / ".lock").open("a+", encoding="utf-8")


def _try_to_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN):
            return False
        raise
    return True


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "another process"


def _sign(file: IO[str]) -> None:
    """Say who holds the lock; on a full disk nobody is named, which does no harm."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"process {os.getpid()}".encode())
