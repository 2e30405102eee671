"""Cells as found -> float64 and text arrays; a cell that cannot be read is a `Problem`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.runs.quantities import format_number, parse_quantity
from bootlaw.runs.raw import Cells
from bootlaw.runs.schema import Column, Domain, Heading

ABSENT_TEXTS = frozenset({"", "NA", "N/A", "nan", "NaN", "null"})
_ABSENT_TYPES = frozenset({"NoneType", "NAType", "NaTType"})  # None; pandas.NA and NaT by name
_TRUTHS = {"true": 1.0, "false": 0.0}
_LARGEST = 1e100
"""No count, loss or rate is above it, or above 0 and below its inverse; squares of such numbers
overflow."""
_DOMAIN_WORDS: dict[Domain, str] = {
    "any": "finite",
    "non-negative": "finite and not negative",
    "positive": "finite and above zero",
    "share": "between 0 and 1",
}


@dataclass(frozen=True, order=True)
class Problem:
    """A cell that is wrong; problems sort by row, then by column."""

    row: int
    """0-based."""
    position: int
    """0-based place of the column in the table."""
    message: str
    """What was found, and what to do."""


def is_absent(cell: object) -> bool:
    """Return whether a cell holds nothing: empty, ``NA``, ``nan``, ``null``, or a missing value."""
    if isinstance(cell, str):
        return cell.strip() in ABSENT_TEXTS
    if isinstance(cell, float | np.floating):
        return math.isnan(cell)
    return type(cell).__name__ in _ABSENT_TYPES


def absent_text(cell: object) -> str:
    """Return how an absent cell stands in the source: ``empty``, or the word it holds."""
    word = "" if type(cell).__name__ == "NoneType" else str(cell).strip()
    return word or "empty"


def text_array(cells: Cells) -> NDArray[np.object_]:
    """Return the cells as text, shape (n,): surrounding blanks removed, "" where absent."""
    values = np.empty(len(cells), dtype=object)
    values[:] = ["" if is_absent(cell) else cell_text(cell) for cell in cells]
    return values


def cell_text(cell: object) -> str:
    """Return one cell as text; whole numbers without ``.0``."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float | np.floating):
        return format_number(float(cell))
    return str(cell)


def number_array(
    cells: Cells, heading: Heading, position: int
) -> tuple[NDArray[np.float64], list[Problem]]:
    """Return a column of the schema as numbers in its unit, shape (n,), and what is wrong in it."""
    column = heading.column
    assert column is not None
    # A suffix in a cell on top of a unit in the header could mean either: refuse it.
    parse = parse_quantity if column.is_count and not heading.unit else float
    values, unreadable = _parsed(cells, parse)
    example = "1300000000 or 1.3B" if parse is parse_quantity else "3.21"
    problems = [
        Problem(
            row,
            position,
            f"found {cell_text(cells[row])!r:.60}, not a number; write it like {example}",
        )
        for row in unreadable
    ]
    values = values * heading.factor
    return values, problems + _outside(values, cells, column, position)


def own_array(cells: Cells) -> NDArray[Any]:
    """Return a column of the user's own: numbers if every present cell is one, else text.

    True and false are 1 and 0 where every present cell is one of them.
    """
    values, unreadable = _parsed(cells, float)
    if not unreadable:
        return values
    return truth_array(cells) if are_truths(cells) else text_array(cells)


def are_truths(cells: Cells) -> bool:
    """Return whether every present cell is true or false, as a word in any case or a value."""
    found = {truth_value(cell) for cell in cells if not is_absent(cell)}
    return bool(found) and None not in found


def truth_array(cells: Cells) -> NDArray[np.float64]:
    """Return the cells as 1 for true, 0 for false and NaN where absent, shape (n,)."""
    values = (None if is_absent(cell) else truth_value(cell) for cell in cells)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def truth_notes(columns: Iterable[tuple[str, Cells]]) -> list[str]:
    """Return a note for each column (name, cells) of true and false."""
    return [
        f"column '{name}': true and false read as 1 and 0"
        for name, cells in columns
        if are_truths(cells)
    ]


def truth_value(cell: object) -> float | None:
    """Return 1 for true and 0 for false, None for anything else."""
    if isinstance(cell, bool | np.bool_):
        return float(cell)
    return _TRUTHS.get(cell.strip().lower()) if isinstance(cell, str) else None


def _parsed(cells: Cells, parse: Any) -> tuple[NDArray[np.float64], list[int]]:
    """Numbers, NaN where absent or unreadable, and the rows of the unreadable cells."""
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind in "iuf":
            return cells.astype(np.float64), []
        cells = cells.astype(str).tolist() if cells.dtype.kind in "mM" else cells.tolist()
    try:
        if {bool, np.bool_}.isdisjoint(map(type, cells)):  # float(True) would be 1.0
            return np.array(list(map(float, cells)), dtype=np.float64), []
    except (ValueError, TypeError, OverflowError):
        pass  # some cell is not a plain number: take them one by one
    return _parsed_one_by_one(cells, parse)


def _parsed_one_by_one(cells: Cells, parse: Any) -> tuple[NDArray[np.float64], list[int]]:
    values = np.full(len(cells), np.nan)
    unreadable: list[int] = []
    for row, cell in enumerate(cells):
        if is_absent(cell):
            continue
        try:
            values[row] = _number(cell, parse)
        except (ValueError, TypeError):
            unreadable.append(row)
    return values, unreadable


def _number(cell: object, parse: Any) -> float:
    if isinstance(cell, bool | np.bool_):
        raise TypeError("a truth value is not a number")
    try:
        return float(parse(cell) if isinstance(cell, str) else cell)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def _outside(
    values: NDArray[np.float64], cells: Cells, column: Column, position: int
) -> list[Problem]:
    bad = np.isinf(values)
    if column.domain != "any":
        bad |= values < 0
    if column.domain == "positive":
        bad |= values == 0
    if column.domain == "share":
        bad |= values > 1
    absurd = ~bad & (np.abs(values) > _LARGEST) & (column.domain != "any")
    if column.domain == "positive":
        absurd |= ~bad & (values < 1 / _LARGEST)
    must = _DOMAIN_WORDS[column.domain]
    return [
        Problem(
            row,
            position,
            f"found {cell_text(cells[row]):.60}, which is no {column.name}; correct it, or remove "
            "the row"
            if absurd[row]
            else f"found {cell_text(cells[row]):.60}, but {column.name} must be {must}",
        )
        for row in np.flatnonzero(bad | absurd).tolist()
    ]
