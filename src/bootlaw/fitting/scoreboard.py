"""The outcome of a contest of laws, best first, as data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from numpy.typing import ArrayLike

from bootlaw.fitting.contestants import NotApplicable
from bootlaw.fitting.ensemble import LEAST_WEIGHT, EnsembleForecast, mixed_forecast
from bootlaw.fitting.result import Fit
from bootlaw.fitting.scores import Fits

FEW_ROWS = 20
"""Held-out rows below which weights and small differences of error mean little."""


@dataclass(frozen=True)
class ComparisonRow:
    """One law's score.

    Attributes
    ----------
    law, n_params : its key and the number of its parameters.
    rms_log_in, rms_log_out : root mean square log error over the fitted and over the held-out
        rows; None where the law could not be fitted.
    rms_log_all : the same in a fit to all rows.
    coverage90_out : share of held-out rows inside their 90 % prediction interval; None without
        bootstrap or where a fit did not converge.
    weight : stacking weight; the weights of all fitted laws sum to 1. They say how to mix the
        laws for these held-out rows, not how probable a law is, and on a handful of rows they
        say next to nothing.
    tie : whether the held-out rows cannot tell the law from the best one, which ties with
        itself; False where only one law could be fitted.
    status, reason : the worst status of the law's fits, and why it is not ``converged``.
    rms_log_out_se : standard error of rms_log_out from the scatter between trunks (between rows
        where fewer than three trunks are known); None with a single held-out row.
    behind, behind_se : rms_log_out less that of the best law, and its uncertainty, the laws
        paired row by row.
    aicc : of the fit to all rows, see `bootlaw.fitting.information`; None where it has no value.
        Only differences between laws on the same rows mean something.
    """

    law: str
    n_params: int
    rms_log_in: float | None
    rms_log_out: float | None
    coverage90_out: float | None
    weight: float | None
    tie: bool
    status: str
    rms_log_all: float | None = None
    reason: str | None = None
    rms_log_out_se: float | None = None
    behind: float | None = None
    behind_se: float | None = None
    aicc: float | None = None


@dataclass(frozen=True)
class Comparison:
    """A contest of laws on the same rows.

    Attributes
    ----------
    rows : the laws, smallest held-out error first, those that could not be fitted last.
    n_in : rows in a fit, the fewest where there are several.
    n_out : held-out rows, of all folds together.
    method : the method of the rows.
    n_folds : fits per law, each with other rows held out.
    along : the column along which an expanding window grew, None for other hold-outs.
    not_applicable : laws of the catalogue that did not enter, each with the reason.
    fits : law -> its fit to all rows, without replicates.
    contest : makes those fits with replicates, for a forecast.
    constants : columns with one value in all rows, which a forecast takes from here.
    forecast : of the laws together, where it was asked for.
    remarks : what is odd about the rows themselves, in words.
    """

    holdout: str
    rows: tuple[ComparisonRow, ...]
    n_in: int
    n_out: int
    method: str
    n_folds: int = 1
    along: str | None = None
    not_applicable: tuple[NotApplicable, ...] = ()
    fits: Mapping[str, Fit] = field(default_factory=dict, repr=False, compare=False)
    contest: Fits | None = field(default=None, repr=False, compare=False)
    constants: Mapping[str, float] = field(default_factory=dict, repr=False, compare=False)
    forecast: EnsembleForecast | None = field(default=None, repr=False, compare=False)
    remarks: tuple[str, ...] = ()

    @property
    def fitted(self) -> tuple[ComparisonRow, ...]:
        """The laws that could be fitted, best first."""
        return tuple(row for row in self.rows if row.rms_log_out is not None)

    @property
    def any_fitted(self) -> bool:
        """Whether any law could be fitted."""
        return bool(self.fitted)

    @property
    def is_contest(self) -> bool:
        """Whether there are at least two laws to compare."""
        return len(self.fitted) > 1

    @property
    def only_law_fitted(self) -> bool:
        """Whether one law alone was entered, and could be fitted."""
        return len(self.rows) == len(self.fitted) == 1

    @property
    def weights(self) -> dict[str, float]:
        """Law -> stacking weight, of the laws that could be fitted."""
        return {row.law: row.weight for row in self.fitted if row.weight is not None}

    def ensemble(
        self, columns: Mapping[str, ArrayLike], *, level: float = 0.95
    ) -> EnsembleForecast:
        """Return what the laws, mixed by their stacking weights, expect of new runs.

        The laws are those fitted to all rows; one that all rows cannot identify is left out and
        the other weights are scaled up. See `bootlaw.fitting.ensemble.mixed_forecast`.

        Parameters
        ----------
        columns : name -> (n,) or a number, for the laws' variables; a column that has one value
            in all rows of the contest may be left out.
        level : share of new runs inside the interval.

        Raises
        ------
        InputError
            When a column is missing, or the laws have no value there.
        UndeterminedError
            When no law with a weight could be fitted.
        """
        usable = {
            key: weight
            for key, weight in self.weights.items()
            if weight > LEAST_WEIGHT and self.fits[key].status != "not_identifiable"
        }
        fits = [self._with_replicates(key) for key in usable]
        asked = self._with_constants(columns, fits)
        return mixed_forecast(fits, list(usable.values()), asked, level)

    def with_forecast(self, columns: Mapping[str, ArrayLike], *, level: float = 0.95) -> Comparison:
        """Return the comparison with `ensemble`'s answer in its document and summary."""
        return replace(self, forecast=self.ensemble(columns, level=level))

    def _with_replicates(self, key: str) -> Fit:
        fit = self.fits[key]
        return fit if self.contest is None else self.contest.of_all_rows(fit.law, replicates=True)

    def _with_constants(
        self, columns: Mapping[str, ArrayLike], fits: list[Fit]
    ) -> dict[str, ArrayLike]:
        needed = {name for fit in fits for name in fit.law.variables}
        constants = {n: v for n, v in self.constants.items() if n in needed and n not in columns}
        return {**columns, **constants}

    @property
    def notes(self) -> list[str]:
        """What to bear in mind of this contest whatever its outcome, in words."""
        if self.n_out == 1:
            one = "1 held-out row cannot tell laws apart: all tie, and weights mean nothing"
            return [one, *self.remarks]
        if self.n_out < FEW_ROWS:
            few = f"{self.n_out} held-out rows are few"
            return [f"{few}: weights and small differences mean little", *self.remarks]
        return [*self.remarks]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``compare``."""
        return {
            "holdout": self.holdout,
            "method": self.method,
            "n_in": self.n_in,
            "n_out": self.n_out,
            "n_folds": self.n_folds,
            "along": self.along,
            "rows": [asdict(row) for row in self.rows],
            "notes": self.notes,
            "not_applicable": [asdict(law) for law in self.not_applicable],
            "ensemble": None if self.forecast is None else ensemble_document(self.forecast),
        }

    def summary(self) -> str:
        """Return a table for people and the outcome in words."""
        from bootlaw.fitting.scoreboard_text import summarise

        return summarise(self)


def ensemble_document(forecast: EnsembleForecast) -> dict[str, Any]:
    """Return the weights and the forecasts as plain data."""
    return {"weights": dict(forecast.weights), "forecasts": forecast.to_json()}
