"""`read_runs`: from a file or a table in memory to a run table."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.runs.cells import own_array, truth_notes
from bootlaw.runs.delimited import read_csv
from bootlaw.runs.files import read_bytes
from bootlaw.runs.frames import read_frame, read_mapping, read_parquet
from bootlaw.runs.jsonl import read_jsonl
from bootlaw.runs.normalise import run_table
from bootlaw.runs.raw import RawTable
from bootlaw.runs.table import RunTable

READERS: Mapping[str, Callable[[Path], RawTable]] = {
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl,
    ".parquet": read_parquet,
}


def read_runs(source: Any, *, where: str | None = None) -> RunTable:
    """Return the run table that `source` holds, in raw tokens, raw parameters and nats per token.

    Parameters
    ----------
    source
        A path (.csv, .csv.gz, .jsonl, .jsonl.gz, .parquet), a mapping of column names to
        one-dimensional arrays, a data frame that narwhals accepts (pandas, polars, pyarrow),
        or a run table.
    where
        Keep only the rows for which this holds, for example ``method == stack and D2 >= 250k``;
        see `bootlaw.runs.where`.

    Raises
    ------
    InputError
        When the source is not a run table; the message names the file, row and column.
    """
    table = source if isinstance(source, RunTable) else run_table(_raw(source))
    return table if where is None else table.where(where)


def read_numbers(source: Any) -> RunTable:
    """Return any table of columns, which need not be one of training runs.

    Columns keep their names; those of numbers become numbers. Sources as for `read_runs`.

    Raises
    ------
    InputError
        When the source cannot be read as a table.
    """
    if isinstance(source, RunTable):
        return source
    raw = _raw(source)
    named = dict(zip(raw.headers, raw.columns, strict=True))
    columns = {name: own_array(cells) for name, cells in named.items()}
    notes = (*raw.notes, *truth_notes(named.items()))
    return RunTable(columns, raw.source, raw.row_numbers, notes, raw.row_word)


def _raw(source: Any) -> RawTable:
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source))
    return read_mapping(source) if isinstance(source, Mapping) else read_frame(source)


def _read_file(path: Path) -> RawTable:
    name = path.name.lower()
    for suffix, read in READERS.items():
        if name.endswith(suffix):
            return read(path)
    read_bytes(path)  # a missing file or a folder is a better answer than its name
    raise InputError(f"{path}: unknown kind of table; name it {', '.join(READERS)}")
