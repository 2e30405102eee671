"""CSV files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from bootlaw.errors import InputError
from bootlaw.runs.files import decode, read_bytes
from bootlaw.runs.raw import RawTable, raw_table


def read_csv(path: Path) -> RawTable:
    """Return the cells of a CSV file (UTF-8, commas, one header line), all of them text.

    Raises
    ------
    InputError
        When the file is empty, has no rows, or a row has more or fewer fields than the header.
    """
    text = decode(path, read_bytes(path))
    rows, lines = _records(path, text)
    if not rows:
        raise InputError(f"{path}: the file is empty; the first line must name the columns")
    header, rows, lines = rows[0], rows[1:], lines[1:]
    _check_header(path, header)
    _check_widths(path, header, rows, lines)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return raw_table(str(path), header, columns, row_numbers=lines, row_word="line")


def _records(path: Path, text: str) -> tuple[list[list[str]], list[int]]:
    # strict: a stray quote must not swallow the lines after it.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: is not CSV ({error})") from None
    return rows, lines


def _check_header(path: Path, header: list[str]) -> None:
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")):
        if len(header) == 1 and delimiter in header[0]:
            raise InputError(f"{path}: fields are separated by {name}; save it with commas")


def _check_widths(path: Path, header: list[str], rows: list[list[str]], lines: list[int]) -> None:
    ragged = [index for index, row in enumerate(rows) if len(row) != len(header)]
    if not ragged:
        return
    first = ragged[0]
    more = f" ({len(ragged) - 1} more lines like it)" if len(ragged) > 1 else ""
    raise InputError(
        f"{path}, line {lines[first]}: has {len(rows[first])} fields, the header names "
        f"{len(header)}; quote fields that contain commas, leave absent ones empty{more}"
    )
