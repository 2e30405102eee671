"""The threshold budget: D* against the sunk cost of the base and the size of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.planning import notes, words
from bootlaw.planning.answers import Breakeven
from bootlaw.planning.breakeven import breakeven_grid
from bootlaw.planning.cost import Cost
from bootlaw.planning.source import AnySource

MOST_LINES = 12
"""Reasons that are printed below a table."""


@dataclass(frozen=True)
class Threshold:
    """Break-evens over a grid of D1 and N, after Fig. 4 (right) of arXiv 2510.06548.

    Attributes
    ----------
    rows : one break-even for each size and D1, sizes outermost.
    """

    rows: tuple[Breakeven, ...]

    @property
    def determined(self) -> bool:
        """Whether the data can tell anywhere on the grid."""
        return any(row.status != "undetermined" for row in self.rows)

    @property
    def sizes(self) -> tuple[float | None, ...]:
        """The sizes asked about, in order."""
        return tuple(dict.fromkeys(row.params for row in self.rows))

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan breakeven`` over a grid."""
        return {"rows": [row.to_json() for row in self.rows]}

    def summary(self) -> str:
        """Return the grid as a table, each warning once below it."""
        heading = ["N", "D1", "D*", "interval", "closed form", "FLOPs", "days", "money", "verdict"]
        table = [heading, *(_cells(row) for row in self.rows)]
        kept = [i for i in range(len(heading)) if any(row[i] for row in table[1:])]
        widths = {i: max(len(row[i]) for row in table) for i in kept}
        lines = ["  ".join(row[i].rjust(widths[i]) for i in kept).rstrip() for row in table]
        return "\n".join([*lines, *self._doubts(), *notes.lines(self._common), *self._furthest()])

    @property
    def _common(self) -> tuple[str, ...]:
        """The warnings that every answer of the grid has."""
        rest = [set(row.warnings) for row in self.rows]
        return tuple(note for note in self.rows[0].warnings if all(note in own for own in rest))

    def _doubts(self) -> list[str]:
        """Return why cells are undetermined, the first few of them."""
        found = [f"{_place(row)}: {reason}" for row in self.rows for reason in row.reasons]
        more = len(found) - MOST_LINES
        shown = [f"  undetermined at {reason}" for reason in found[:MOST_LINES]]
        return [*shown, f"  and {more} more such reasons (--json has all)"] if more > 0 else shown

    def _furthest(self) -> list[str]:
        """Return the warnings of the cell that lies furthest beyond the runs."""
        last = max(self.rows, key=lambda row: max((row.extrapolation or {"": 0.0}).values()))
        own = [note for note in last.warnings if note not in self._common]
        if not own:
            return []
        return [f"  furthest beyond the runs, {_place(last)}:", *notes.lines(own)]


def threshold(
    fit: AnySource,
    *,
    tokens_stage1: Sequence[float],
    params: Sequence[float] | None = None,
    scratch: AnySource | None = None,
    **options: Any,
) -> Threshold:
    """Return the break-even for every D1 and every size.

    Parameters
    ----------
    tokens_stage1 : D1 of the bases, raw tokens.
    params : sizes of the model; by default the one that was fitted.
    options : of `bootlaw.breakeven`.

    Raises
    ------
    InputError
        As `bootlaw.breakeven`, and for an empty grid.
    """
    if not tokens_stage1 or params == []:
        raise InputError("a threshold needs at least one D1 and one size")
    cells = [(d1, size) for size in params or (None,) for d1 in tokens_stage1]
    return Threshold(breakeven_grid(fit, cells, scratch=scratch, **options))


def _cells(row: Breakeven) -> list[str]:
    return [
        "" if row.params is None else words.tokens(row.params),
        words.tokens(row.tokens_stage1),
        "-" if row.tokens is None else words.tokens(row.tokens),
        "" if row.interval is None or row.tokens is None else str(row.interval),
        "-" if row.closed_form is None else words.tokens(row.closed_form),
        *_costs(row.cost),
        row.status.replace("_", " "),
    ]


def _costs(cost: Cost | None) -> tuple[str, str, str]:
    if cost is None:
        return "", "", ""
    money = "" if cost.money is None else f"{words.count(float(cost.money))} {cost.currency}"
    days = "" if cost.days is None else f"{float(cost.days):.3g}"
    return f"{float(cost.flops):.3g}", days, money


def _place(row: Breakeven) -> str:
    size = "" if row.params is None else f"N = {words.tokens(row.params)}, "
    return f"{size}D1 = {words.tokens(row.tokens_stage1)}"
