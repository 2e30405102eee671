"""Rows on their way into a fit: those still in, and those left out with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.runs import RunTable

Mask = NDArray[np.bool_]

BY_WHERE = "left out by --where"


@dataclass(frozen=True)
class FitRows:
    """The rows that a fit uses.

    Attributes
    ----------
    table : those rows.
    n_dropped : how many of the table's rows were left out.
    method : the method that was fitted.
    reasons : reason -> number of rows left out for it.
    """

    table: RunTable
    n_dropped: int
    method: str
    reasons: dict[str, int]


class Selection:
    """The rows still in, and those left out by reason."""

    def __init__(self, table: RunTable) -> None:
        self.table = table
        self.keep = np.ones(len(table), dtype=bool)
        self.left: dict[str, Mask] = {}

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were left out for each reason."""
        return {reason: int(mask.sum()) for reason, mask in self.left.items()}

    def drop(self, mask: Mask, reason: str) -> None:
        """Leave out the rows in `mask` (n,) that are still in."""
        leaving = self.keep & mask
        if leaving.any():
            self.left[reason] = self.left.get(reason, np.zeros_like(leaving)) | leaving
            self.keep &= ~mask

    def drop_lowest(self, share: float, target: str = "loss") -> None:
        """Drop a share of the rows still in, those with the lowest targets."""
        kept = np.flatnonzero(self.keep)
        lowest = kept[np.argsort(self.table.numbers(target)[kept], kind="stable")]
        mask = np.zeros(len(self.table), dtype=bool)
        mask[lowest[: int(np.ceil(share * kept.size))]] = True
        self.drop(mask, f"lowest losses (--drop-lowest {share:g})")

    def rows(self, method: str) -> FitRows:
        """Return the rows still in."""
        n_dropped = int((~self.keep).sum())
        return FitRows(self.table.select(self.keep), n_dropped, method, self.reasons)


def why(selection: Selection) -> str:
    """Return what was left out and why, in brackets; nothing where nothing was."""
    why = "; ".join(f"{count} {reason}" for reason, count in selection.reasons.items())
    return f" ({why})" if why else ""


def filled(values: NDArray[np.generic]) -> Mask:
    """Return (n,) True where a column has a value."""
    return np.asarray(values != "") if values.dtype == object else np.asarray(values == values)


def distinct(values: Sequence[object] | NDArray[np.generic]) -> list[str]:
    """Return the distinct values in order, as words."""
    return [f"{v:.10g}" if isinstance(v, float) else str(v) for v in sorted(set(values))]
