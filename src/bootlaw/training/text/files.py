"""Files behind the paths a user gives, and their bytes, decompressed where need be."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bootlaw.errors import InputError

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BROKEN = (EOFError, lzma.LZMAError, zlib.error, OSError)


@dataclass(frozen=True)
class InputFile:
    """A file to read; `source` is the name of the given path that it is or lies in."""

    path: Path
    source: str
    name: str
    named: bool  # given itself, not found in a folder

    @property
    def format(self) -> str:
        """`jsonl`, `parquet` or `text`, by the suffix that is not a compression's."""
        suffixes = [s.lower() for s in self.path.suffixes]
        if suffixes and suffixes[-1] in {*_OPENERS, ".zst"}:
            suffixes.pop()
        last = suffixes[-1] if suffixes else ""
        return {".jsonl": "jsonl", ".parquet": "parquet"}.get(last, "text")


def input_files(paths: Sequence[Path], dropped: Counter[str]) -> list[InputFile]:
    """The given files, and those of the given folders, recursively, sorted, without hidden ones.

    Raises
    ------
    InputError
        If a path does not exist or a folder holds no file.
    """
    found = []
    for path in paths:
        if path.is_dir():
            found += _folder_files(path, dropped)
        elif path.exists():
            found.append(InputFile(path, path.name, path.name, named=True))
        else:
            raise InputError(f"{path}: no such file or folder")
    return found


def file_hash(file: InputFile) -> str:
    """SHA-256 of the file's bytes as they are on disk."""
    try:
        with file.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{file.path}: cannot be read ({error.strerror})") from None


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed; what is wrong with it is raised as `InputError`."""
    suffix = path.suffix.lower()
    try:
        with _opener(path, suffix)(path, "rb") as stream:
            yield cast(IO[bytes], stream)
    except _BROKEN as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def _opener(path: Path, suffix: str) -> Callable[..., Any]:
    if suffix != ".zst":
        return _OPENERS.get(suffix, open)
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise InputError(
            f"{path}: this Python (before 3.14) cannot read .zst; decompress it with `zstd -d`"
        ) from None
    return cast(Callable[..., Any], zstd.open)


def _folder_files(folder: Path, dropped: Counter[str]) -> list[InputFile]:
    files = []
    for parent, folders, names in os.walk(folder):
        hidden = [name for name in folders + names if name.startswith(".")]
        if hidden:
            dropped["hidden files and folders"] += len(hidden)
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    if not files:
        raise InputError(f"{folder}: the folder holds no files to read")
    source = folder.name or folder.resolve().name
    named = ((path.relative_to(folder).as_posix(), path) for path in files)
    return [InputFile(path, source, name, named=False) for name, path in sorted(named)]
