"""Files that appear whole or not at all; a leaf that every room may import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that replaces `path` when the block ends, and is removed if it fails."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        # What made the writing fail may make the removal fail too; the first error counts.
        with suppress(OSError, ValueError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, line ends as they are, whole or not at all."""
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))
