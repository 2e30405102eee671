"""One study folder, one process that trains in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootlaw.errors import InputError


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; the system frees it when the process ends, however it ends.

    Raises
    ------
    InputError
        When another process holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise InputError(
                f"--out {folder}: {holder} is training here; wait for it, or use another folder"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
