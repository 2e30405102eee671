"""`write_runs`: rows to a CSV file that `read_runs` reads back exactly."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bootlaw.atomic import write_text
from bootlaw.errors import InputError
from bootlaw.runs.cells import is_absent
from bootlaw.runs.quantities import format_number
from bootlaw.runs.schema import BY_NAME, COLUMNS, REQUIRED

_SPECIAL = re.compile(r'[,"\r\n]')


def write_runs(path: str | os.PathLike[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write `rows` as CSV, columns in schema order, others after; readers see all or nothing.

    Floats are written so that they read back to the same bits, whole numbers without ``.0``,
    absent values (None, NaN, a key that a row does not have) as empty fields. Without rows, only
    the header of the required columns is written.

    Raises
    ------
    InputError
        When the file cannot be written, or a value is not a number or a text.
    """
    path = Path(path)
    if not path.name.lower().endswith(".csv"):
        raise InputError(f"{path}: run tables are written as CSV; give a path that ends in .csv")
    names = _column_order(rows)
    lines = [_record(names)]
    for number, row in enumerate(rows, 1):
        lines.append(_record([_field(path, number, name, row.get(name)) for name in names]))
    _replace(path, "".join(lines))


def _column_order(rows: Sequence[Mapping[str, object]]) -> list[str]:
    present = dict.fromkeys(name for row in rows for name in row) or dict.fromkeys(REQUIRED)
    return [column.name for column in COLUMNS if column.name in present] + [
        name for name in present if name not in BY_NAME or name == "tokens"
    ]


def _field(path: Path, number: int, name: str, value: object) -> str:
    if is_absent(value):
        return ""
    if isinstance(value, str) and "\0" not in value:
        return value
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return format_number(float(value))
    raise InputError(
        f"{path}, row {number}, column '{name}': cannot write {value!r:.60}; give a number or text"
    )


def _record(fields: Sequence[str]) -> str:
    # Not csv.writer: with "\n" as its line end it leaves a lone carriage return unquoted.
    quoted = [
        '"' + field.replace('"', '""') + '"' if _SPECIAL.search(field) else field
        for field in fields
    ]
    return ",".join(quoted) + "\n"


def _replace(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written ({reason}); check the folder") from None
