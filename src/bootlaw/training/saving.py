"""What is said when a file of a run cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootlaw.errors import BootlawError, reason


def cannot_write(path: Path, error: BaseException) -> BootlawError:
    """Return the one-line error for `path`."""
    return BootlawError(
        f"cannot write {path}: {reason(error)}; is the disk full? Free space, "
        "then the same command continues"
    )


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Write `path` in this block; what the system refuses becomes one line for people."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise cannot_write(path, error) from error
