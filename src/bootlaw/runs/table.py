"""The run table: one row per training run and evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError


@dataclass(frozen=True, eq=False)
class RunTable:
    """Training runs in the units of the schema, as `read_runs` returns them."""

    columns: Mapping[str, NDArray[Any]]
    """Numbers as float64 (NaN = absent), text as object arrays of str ("" = absent)."""
    source: str
    """Path of the file, or ``<table>``."""
    row_numbers: NDArray[np.int64]
    """Shape (n,): 1-based line or record in the source, for messages."""
    notes: tuple[str, ...] = ()
    """Aliases applied and units converted, for standard error."""
    row_word: str = "row"
    """What `row_numbers` count: ``line`` of a text file, ``row`` of anything else."""

    def __post_init__(self) -> None:
        for name, values in self.columns.items():
            if values.shape != self.row_numbers.shape:
                raise ValueError(f"column {name!r} has shape {values.shape}, not {len(self)} rows")

    def __len__(self) -> int:
        return len(self.row_numbers)

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column of numbers, shape (n,), NaN where absent.

        Raises
        ------
        InputError
            When the table has no such column, or it holds text.
        """
        values = self._column(column)
        if values.dtype == object:
            raise InputError(f"{self.source}: column '{column}' holds text, not numbers")
        return values

    def text(self, column: str) -> NDArray[np.object_]:
        """Return a column of text, shape (n,), empty strings where absent.

        Raises
        ------
        InputError
            When the table has no such column, or it holds numbers.
        """
        values = self._column(column)
        if values.dtype != object:
            raise InputError(f"{self.source}: column '{column}' holds numbers, not text")
        return values

    def select(self, keep: NDArray[np.bool_]) -> RunTable:
        """Return the table of the rows where `keep`, shape (n,), is true."""
        return RunTable(
            {name: values[keep] for name, values in self.columns.items()},
            self.source,
            self.row_numbers[keep],
            self.notes,
            self.row_word,
        )

    def where(self, expression: str) -> RunTable:
        """Return the rows for which `expression` holds: ``method == stack and D2 > 1M``.

        Raises
        ------
        InputError
            When the expression cannot be read, or keeps no row.
        """
        from bootlaw.runs.where import matching_rows, values_compared

        keep = matching_rows(expression, self)
        if not keep.any():
            shown = " ".join(expression.split())
            there = "".join(f"; {values}" for values in values_compared(expression, self))
            raise InputError(
                f"{self.source}: '{shown:.200}' keeps none of the {len(self)} rows{there}"
            )
        return self.select(keep)

    def place(self, index: int) -> str:
        """Return where row `index` (0-based) stands in the source: ``runs.csv, line 14``."""
        return f"{self.source}, {self.row_word} {self.row_numbers[index]}"

    def _column(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            found = known_columns(self.columns, near=name)
            raise InputError(f"{self.source}: no column '{name}'; {found}")
        return self.columns[name]


def known_columns(names: Iterable[str], *, near: str) -> str:
    """Return the known names as a phrase, led by the one most like `near` if there is one."""
    from difflib import get_close_matches

    known = [str(name) for name in names]
    close = get_close_matches(near, known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}the table has {', '.join(known)}"
