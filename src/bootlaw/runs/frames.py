"""Tables that are already in memory, and Parquet: mappings, and what narwhals can wrap."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bootlaw.errors import InputError
from bootlaw.runs.files import read_bytes
from bootlaw.runs.raw import Cells, RawTable, raw_table

IN_MEMORY = "<table>"


def read_mapping(columns: Mapping[Any, Any]) -> RawTable:
    """Return the cells of a mapping of column names to one-dimensional arrays of one length."""
    cells = [_cells(name, values) for name, values in columns.items()]
    return raw_table(IN_MEMORY, list(columns), cells)


def read_parquet(path: Path) -> RawTable:
    """Return the cells of a Parquet file; needs pyarrow.

    Raises
    ------
    InputError
        When pyarrow is missing, or the file is not Parquet.
    """
    data = read_bytes(path)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            f"{path}: reading Parquet needs pyarrow; install bootlaw[train], "
            "or `pip install pyarrow`, or save the table as CSV"
        ) from None
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        cells = [column.to_pylist() for column in table.columns]
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({_one_line(error)})") from None
    return raw_table(str(path), table.column_names, cells)


def read_frame(frame: Any) -> RawTable:
    """Return the cells of a data frame: pandas, polars, pyarrow, anything narwhals accepts.

    Raises
    ------
    InputError
        When narwhals does not know the kind of object.
    """
    import narwhals as nw

    try:
        wrapped = nw.from_native(_with_index(frame))
        eager = wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped
        series = list(eager.iter_columns())
    except (TypeError, ValueError) as error:
        raise InputError(
            f"a table cannot be read from {type(frame).__name__} ({_one_line(error)}); "
            "give a path, a mapping of columns, or a pandas, polars or pyarrow table"
        ) from None
    return raw_table(IN_MEMORY, [each.name for each in series], [each.to_list() for each in series])


def _cells(name: object, values: Any) -> Cells:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"{IN_MEMORY}, column '{name}': found {values!r:.40}, not an array")
    if isinstance(values, list | tuple):
        return values
    if isinstance(values, np.ma.MaskedArray):
        return [None if hidden else cell for cell, hidden in zip(*_unmasked(values), strict=True)]
    array = np.asarray(values) if hasattr(values, "__array__") else np.asarray(list(values), object)
    if array.ndim != 1:
        raise InputError(
            f"{IN_MEMORY}, column '{name}': has shape {array.shape}, not one dimension"
        )
    return array


def _with_index(frame: Any) -> Any:
    """The frame with its named index, which only pandas and its like have, as columns."""
    names = getattr(getattr(frame, "index", None), "names", ())
    return frame.reset_index() if any(name is not None for name in names) else frame


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _unmasked(values: np.ma.MaskedArray[Any, Any]) -> tuple[list[Any], list[bool]]:
    return values.data.tolist(), np.ma.getmaskarray(values).tolist()
