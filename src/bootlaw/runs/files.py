"""From a path to the bytes or the text of a file, with errors that say what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from bootlaw.errors import InputError

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP_MARK = b"\x1f\x8b"


def read_bytes(path: Path) -> bytes:
    """Return the contents of `path`, decompressed where its name ends in ``.gz``.

    Raises
    ------
    InputError
        When the file is missing, a folder, unreadable or not what its name says.
    """
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        inside = path / "runs.csv"
        hint = f"; did you mean {inside}?" if inside.is_file() else "; give the path of a table"
        raise InputError(f"{path}: is a folder{hint}") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from None
    return _decompress(path, data) if path.suffix.lower() == ".gz" else data


def _decompress(path: Path, data: bytes) -> bytes:
    import gzip
    import zlib

    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: is not a complete gzip file ({error}); compress it again, "
            "or remove .gz from its name if it is plain text"
        ) from None


def decode(path: Path, data: bytes) -> str:
    """Return `data` as text, without its byte-order mark.

    Raises
    ------
    InputError
        When `data` is not text in UTF-8; names the line of the first bad byte.
    """
    if data.startswith(_UTF16_MARKS):
        raise InputError(f"{path}: is in UTF-16; save it as UTF-8")
    if data.startswith(_GZIP_MARK):
        raise InputError(f"{path}: is compressed; add .gz to its name")
    if b"\0" in data:
        raise InputError(f"{path}: is a binary file, not a table in text; export it as CSV")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from None
