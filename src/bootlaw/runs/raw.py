"""A table as it was found: headers and cells, before names and units mean anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError

Cells = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True)
class RawTable:
    """Headers, unique and not empty, and one sequence of cells for each."""

    source: str
    headers: tuple[str, ...]
    columns: tuple[Cells, ...]
    row_numbers: NDArray[np.int64]
    row_word: str
    notes: tuple[str, ...] = ()


def raw_table(
    source: str,
    headers: Sequence[object],
    columns: Sequence[Cells],
    *,
    row_numbers: Sequence[int] | NDArray[np.int64] | None = None,
    row_word: str = "row",
) -> RawTable:
    """Return the raw table, with a name for each nameless column.

    `row_numbers` are 1, 2, 3, ... by default.

    Raises
    ------
    InputError
        When two columns have one name, there are no rows, or lengths differ.
    """
    names, notes = _named(headers)
    _check_unique(source, names)
    count = len(columns[0]) if columns else 0
    if not count:
        raise InputError(f"{source}: the table has no rows; add one row for each training run")
    for name, cells in zip(names, columns, strict=True):
        if len(cells) != count:
            raise InputError(
                f"{source}: column '{name}' has {len(cells)} rows, column '{names[0]}' has {count}"
            )
    numbers = np.arange(1, count + 1) if row_numbers is None else np.asarray(row_numbers)
    return RawTable(source, names, tuple(columns), numbers, row_word, notes)


def _named(headers: Sequence[object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # Spreadsheets and data frames write their index as a column without a name.
    stripped = [" ".join(str(header).strip().splitlines()) for header in headers]
    names = tuple(name or f"column_{place}" for place, name in enumerate(stripped, 1))
    notes = tuple(
        f"column {place} has no name in the header; kept as column_{place}"
        for place, name in enumerate(stripped, 1)
        if not name
    )
    return names, notes


def _check_unique(source: str, names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name in seen:
            raise InputError(
                f"{source}: columns {seen[name]} and {place} are both named '{name}'; "
                "rename or remove one"
            )
        seen[name] = place
