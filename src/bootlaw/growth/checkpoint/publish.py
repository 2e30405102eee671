"""A folder that appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bootlaw.errors import BootlawError, InputError

_MARGIN = 16_000_000
"""Bytes kept free beside what is written: small files and the file system's own."""


@contextmanager
def new_folder(out: Path, needed: int) -> Iterator[Path]:
    """A hidden folder beside `out` that becomes `out` when the block ends, and goes if it fails.

    What a killed process left of an earlier try at the same `out` is removed first.

    Parameters
    ----------
    out
        Must not exist; its parent is made where it does not.
    needed
        Bytes that will be written.

    Raises
    ------
    InputError
        When `out` exists.
    BootlawError
        When the disk is too small, or something cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists already; choose another folder, or remove it")
    in_the_way = next((each for each in out.parents if each.exists() and not each.is_dir()), None)
    if in_the_way is not None:
        raise InputError(f"{out} cannot be made: {in_the_way} is a file; choose another folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(out)
        _check_space(out, needed)
        partial = out.with_name(f".{out.name}.partial-{socket.gethostname()}-{os.getpid()}")
        partial.mkdir()
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        yield partial
        _flush(partial)
        partial.rename(out)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise _cannot_write(out, error) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(out.parent)


def leftovers(out: Path) -> list[Path]:
    """Return the partial folders of earlier tries at `out` whose process is gone or unknown."""
    pattern = re.compile(rf"\.{re.escape(out.name)}\.partial-(?P<host>.+)-(?P<pid>\d+)")
    found = []
    for entry in out.parent.iterdir():
        match = pattern.fullmatch(entry.name)
        if match and match["host"] == socket.gethostname() and not _alive(int(match["pid"])):
            found.append(entry)
    return sorted(found)


def _remove_leftovers(out: Path) -> None:
    for folder in leftovers(out):
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _check_space(out: Path, needed: int) -> None:
    free = shutil.disk_usage(out.parent).free
    wanted = needed + _MARGIN
    if wanted > free:
        raise BootlawError(
            f"{out} needs {wanted / 1e6:,.1f} MB, the disk has {free / 1e6:,.1f} MB free; "
            "free space, or choose a folder on another disk"
        )


def _flush(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(out: Path, error: OSError) -> BootlawError:
    what = error.strerror or str(error)
    return BootlawError(f"cannot write {out}: {what}; nothing was left there")
