"""Answers over a grid as a table, with what a reader must know below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bootlaw.planning import notes

MOST_LINES = 12
"""Reasons that are printed below a table."""


@dataclass(frozen=True)
class Cell:
    """One answer: where it stands in the grid, and what qualifies it.

    Attributes
    ----------
    texts : the cells of its line in the table.
    """

    place: str
    texts: Sequence[str]
    reasons: Sequence[str]
    warnings: Sequence[str]
    extrapolation: Mapping[str, float]

    @property
    def decades(self) -> float:
        """The decades between it and the runs, at most."""
        return max(self.extrapolation.values(), default=0.0)


def page(heading: Sequence[str], cells: Sequence[Cell]) -> str:
    """Return the table without empty columns, the first reasons, and each warning once.

    Warnings that hold for some answers only are those of the one furthest beyond the runs.
    """
    table = [heading, *(cell.texts for cell in cells)]
    kept = [i for i in range(len(heading)) if any(row[i] for row in table[1:])]
    widths = {i: max(len(row[i]) for row in table) for i in kept}
    lines = ["  ".join(row[i].rjust(widths[i]) for i in kept).rstrip() for row in table]
    every = [set(cell.warnings) for cell in cells]
    common = [note for note in cells[0].warnings if all(note in own for own in every)]
    return "\n".join([*lines, *_doubts(cells), *notes.lines(common), *_furthest(cells, common)])


def _furthest(cells: Sequence[Cell], common: Sequence[str]) -> list[str]:
    """Return the warnings that one answer has beside the common ones, under its place."""
    warned = [cell for cell in cells if set(cell.warnings) - set(common)]
    if not warned:
        return []
    last = max(warned, key=lambda cell: cell.decades)
    own = notes.lines(note for note in last.warnings if note not in common)
    return [f"  furthest beyond the runs, {last.place}:", *own]


def _doubts(cells: Sequence[Cell]) -> list[str]:
    found = [f"{cell.place}: {reason}" for cell in cells for reason in cell.reasons]
    more = len(found) - MOST_LINES
    shown = [f"  undetermined at {reason}" for reason in found[:MOST_LINES]]
    return [*shown, f"  and {more} more such reasons (--json has all)"] if more > 0 else shown
