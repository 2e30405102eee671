"""The losses to expect over a grid of bases, lengths and sizes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import words
from bootlaw.planning.arrays import row_of
from bootlaw.planning.forecast import Forecast, UndeterminedForecastError, forecast
from bootlaw.planning.grids import Cell, page
from bootlaw.planning.source import AnySource, as_source

HEADING = ("N", "D1", "D2", "loss", "interval", "decades out")


@dataclass(frozen=True)
class ForecastGrid:
    """Forecasts over a grid.

    Attributes
    ----------
    rows : a forecast, or why there is none, for each size, D1 and D2, D2 innermost.
    """

    rows: tuple[Forecast | UndeterminedForecastError, ...]

    @property
    def determined(self) -> bool:
        """Whether there is a forecast anywhere on the grid."""
        return any(isinstance(row, Forecast) for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan forecast`` over a grid."""
        return {"rows": [row.to_json() for row in self.rows]}

    def summary(self) -> str:
        """Return the grid as a table, each warning once below it."""
        return page(HEADING, [_cell(row.to_json()) for row in self.rows])


def forecast_grid(
    fit: AnySource,
    *,
    tokens_stage1: ArrayLike,
    tokens_stage2: ArrayLike,
    params: ArrayLike | None = None,
    level: float | None = None,
    at: Mapping[str, float] | None = None,
) -> ForecastGrid:
    """Return the forecast of every D1, D2 and size.

    `bootlaw.planning.forecasts` has the numbers alone, without words and by the thousand.

    Parameters
    ----------
    tokens_stage1, tokens_stage2 : D1 and D2, raw tokens, one or many.
    params : sizes of the model; by default the one that was fitted.
    level, at : as for `bootlaw.forecast`.

    Raises
    ------
    InputError
        As `bootlaw.forecast`, and for an empty grid.
    """
    source = as_source(fit)
    bases, lengths = row_of(D1, tokens_stage1), row_of(D2, tokens_stage2)
    sizes: list[float] | list[None] = [None] if params is None else row_of(N, params)
    rows: list[Forecast | UndeterminedForecastError] = []
    for size, base, length in itertools.product(sizes, bases, lengths):
        asked = {"tokens_stage1": base, "tokens_stage2": length, "params": size}
        try:
            rows.append(forecast(source, level=level, at=at, **asked))  # type: ignore[arg-type]
        except UndeterminedForecastError as refusal:
            rows.append(refusal)
    if not rows:
        raise InputError("a grid of forecasts needs at least one D1, one D2 and one size")
    return ForecastGrid(tuple(rows))


def _cell(row: Mapping[str, Any]) -> Cell:
    size = "" if row.get(N) is None else words.tokens(row[N])
    base, length = words.tokens(row[D1]), words.tokens(row[D2])
    beyond = max(row["extrapolation"].values(), default=0.0)
    known = row["lower"] is not None and row["upper"] is not None
    return Cell(
        place=f"{f'N = {size}, ' if size else ''}D1 = {base}, D2 = {length}",
        texts=(
            size,
            base,
            length,
            "-" if row["loss"] is None else f"{row['loss']:.4f}",
            f"{row['lower']:.4f} to {row['upper']:.4f}" if known else "",
            f"{beyond:.1f}" if row["extrapolation"] else "",
        ),
        reasons=row["reasons"],
        warnings=row["warnings"],
        extrapolation=row["extrapolation"],
    )
