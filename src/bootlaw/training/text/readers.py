"""Documents of a user's files: plain text, JSON lines, Parquet.

All formats give the same text for the same documents: UTF-8 without a byte-order mark, lines
that end in a line feed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bootlaw.errors import InputError
from bootlaw.training.text.files import InputFile, open_bytes

FIELD = "text"
_SNIFF = 8192


def read_documents(file: InputFile, dropped: Counter[str]) -> Iterator[bytes]:
    """The documents of a file, as UTF-8; a binary file in a folder is counted and left out.

    Raises
    ------
    InputError
        Naming the file, and the line, row or byte, of what cannot be read.
    """
    if file.format == "jsonl":
        texts = _json_lines(file.path)
    elif file.format == "parquet":
        texts = _parquet(file.path)
    else:
        texts = _plain(file, dropped)
    for where, text in texts:
        yield _encoded(text, where)


def _encoded(text: str, where: str) -> bytes:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        return text.removeprefix("\ufeff").encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: character {error.start} is half of a surrogate pair, not Unicode text"
        ) from None


def _plain(file: InputFile, dropped: Counter[str]) -> Iterator[tuple[str, str]]:
    with open_bytes(file.path) as stream:
        content = stream.read(_SNIFF)
        if b"\0" in content:
            if file.named:
                raise InputError(f"{file.path}: this is a binary file, not text")
            dropped["binary files"] += 1
            return
        content += stream.read()
    try:
        yield str(file.path), content.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file.path}: byte {error.start} (0x{content[error.start]:02x}) is not UTF-8; "
            "convert the file to UTF-8"
        ) from None


def _json_lines(path: Path) -> Iterator[tuple[str, str]]:
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                where = f"{path} line {number}"
                yield where, _field(_record(line, where), where)


def _record(line: bytes, where: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: byte {error.start} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not valid JSON ({error}); each line must be one object with a "
            f"{FIELD!r} field"
        ) from None
    if not isinstance(record, dict):
        raise InputError(
            f"{where}: not an object but {type(record).__name__}; wanted {{'text': …}}"
        )
    return record


def _field(record: dict[str, object], where: str) -> str:
    if FIELD not in record:
        raise InputError(f"{where}: no field {FIELD!r}; found: {_names(record)}")
    text = record[FIELD]
    if not isinstance(text, str):
        raise InputError(f"{where}: field {FIELD!r} is {type(text).__name__}, not a string")
    return text


def _parquet(path: Path) -> Iterator[tuple[str, str]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InputError(f"{path}: reading Parquet needs pyarrow (pip install pyarrow)") from None
    try:
        with pq.ParquetFile(path) as table:
            if FIELD not in table.schema_arrow.names:
                found = ", ".join(table.schema_arrow.names)
                raise InputError(f"{path}: no column {FIELD!r}; found: {found}")
            row = 0
            for batch in table.iter_batches(batch_size=256, columns=[FIELD]):
                for text in batch.column(0).to_pylist():
                    row += 1
                    where = f"{path} row {row}"
                    yield where, _field({FIELD: text}, where)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a readable Parquet file ({reason})") from None


def _names(record: dict[str, object]) -> str:
    return ", ".join(sorted(map(str, record))) or "none"
