"""The threshold budget: D* against the sunk cost of the base and the size of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, N
from bootlaw.planning import words
from bootlaw.planning.answers import Breakeven
from bootlaw.planning.arrays import row_of
from bootlaw.planning.breakeven import breakeven_grid
from bootlaw.planning.cost import Cost
from bootlaw.planning.grids import Cell, page
from bootlaw.planning.source import AnySource

HEADING = ("N", "D1", "D*", "interval", "closed form", "FLOPs", "days", "money", "verdict")


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
        return page(HEADING, [_cell(row) for row in self.rows])


def threshold(
    fit: AnySource,
    *,
    tokens_stage1: ArrayLike,
    params: ArrayLike | None = None,
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
    bases = row_of(D1, tokens_stage1)
    sizes: list[float] | list[None] = [None] if params is None else row_of(N, params)
    cells = [(base, size) for size in sizes for base in bases]
    if not cells:
        raise InputError("a threshold needs at least one D1 and one size")
    return Threshold(breakeven_grid(fit, cells, scratch=scratch, **options))


def _cell(row: Breakeven) -> Cell:
    size = "" if row.params is None else words.tokens(row.params)
    base = words.tokens(row.tokens_stage1)
    return Cell(
        place=f"{f'N = {size}, ' if size else ''}D1 = {base}",
        texts=(
            size,
            base,
            "-" if row.tokens is None else words.tokens(row.tokens),
            "" if row.interval is None or row.tokens is None else str(row.interval),
            "-" if row.closed_form is None else words.tokens(row.closed_form),
            *_costs(row.cost),
            row.status.replace("_", " "),
        ),
        reasons=row.reasons,
        warnings=row.warnings,
        extrapolation=row.extrapolation or {},
    )


def _costs(cost: Cost | None) -> tuple[str, str, str]:
    if cost is None:
        return "", "", ""
    money = "" if cost.money is None else f"{words.count(float(cost.money))} {cost.currency}"
    days = "" if cost.days is None else f"{float(cost.days):.3g}"
    return f"{float(cost.flops):.3g}", days, money
