"""One law fitted to the rows of a split and asked for the held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw import fit
from bootlaw.errors import UndeterminedError
from bootlaw.fitting import Misfit, interval_beyond, misfit
from bootlaw.laws import Law
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]

LEVEL = 0.9
REPLICATES = 200


@dataclass(frozen=True)
class Recipe:
    """A law and how it is fitted."""

    name: str
    law: str | Law
    options: dict[str, Any] = field(default_factory=dict)

    def fitted(self, table: RunTable, **more: Any) -> Any:
        """Return the fit to a table."""
        return fit(table, self.law, **{"delta": "auto", **self.options, **more})

    def missed(self, fitted: RunTable, held_out: RunTable) -> Floats:
        """Return ln predicted - ln observed (n,) on held-out rows."""
        return log_errors(self.fitted(fitted).predict(held_out), held_out)


@dataclass(frozen=True, eq=False)
class Forecast:
    """Predictions of held-out rows.

    Attributes
    ----------
    errors : (n,) ln predicted - ln observed.
    covered : (n,) whether the 90 % interval of a new run holds the observed loss.
    bare : (n,) the same without the misfit, from residuals and parameter spread alone.
    """

    predicted: Floats
    lower: Floats
    upper: Floats
    errors: Floats
    covered: NDArray[np.bool_]
    bare: NDArray[np.bool_]


def forecast(
    recipe: Recipe, fitted: RunTable, held_out: RunTable, misfits: Sequence[Misfit]
) -> Forecast:
    """Return the forecast of the held-out rows with intervals that include the misfits."""
    # The runs of these tables share no trunk, so rows are resampled.
    found = recipe.fitted(fitted, bootstrap=REPLICATES, resample="pairs")
    predicted = found.predict(held_out)
    lower, upper = interval_beyond(found, held_out, misfits, level=LEVEL)
    bare = interval_beyond(found, held_out, (), level=LEVEL)
    return _judged(predicted, lower, upper, _inside(held_out, *bare), held_out)


def average(forecasts: Sequence[Forecast], held_out: RunTable) -> Forecast:
    """Return the geometric mean of forecasts and of the ends of their intervals."""

    def mean(values: Sequence[Floats]) -> Floats:
        return np.exp(np.mean(np.log(values), axis=0))

    return _judged(
        mean([one.predicted for one in forecasts]),
        mean([one.lower for one in forecasts]),
        mean([one.upper for one in forecasts]),
        np.all([one.bare for one in forecasts], axis=0),
        held_out,
    )


def misfit_or_none(recipe: Recipe, table: RunTable, variable: str) -> Misfit | None:
    """Return the misfit of a recipe along a variable, None where the rows cannot show it."""
    try:
        return misfit(table, recipe.law, variable, **{"delta": "auto", **recipe.options})
    except UndeterminedError:
        return None


def log_errors(predicted: Floats, table: RunTable) -> Floats:
    """Return ln predicted - ln observed, (n,)."""
    return np.log(predicted / table.numbers("loss"))


def rms(values: Any) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def _judged(
    predicted: Floats, lower: Floats, upper: Floats, bare: NDArray[np.bool_], table: RunTable
) -> Forecast:
    errors = log_errors(predicted, table)
    return Forecast(predicted, lower, upper, errors, _inside(table, lower, upper), bare)


def _inside(table: RunTable, lower: Floats, upper: Floats) -> NDArray[np.bool_]:
    losses = table.numbers("loss")
    return (lower <= losses) & (losses <= upper)
