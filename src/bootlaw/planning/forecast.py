"""The loss to expect from one planned run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit
from bootlaw.fitting.prediction import can_predict, prediction_interval
from bootlaw.fitting.rows import joint_form
from bootlaw.planning import validity, words
from bootlaw.planning.extrapolation import (
    decades_beyond,
    extrapolation_warnings,
    if_the_law_holds,
)
from bootlaw.planning.remarks import fit_warnings

NO_INTERVAL = "no interval: the fit has no bootstrap replicates (fit with --bootstrap 200)"


@dataclass(frozen=True)
class Forecast:
    """The loss a law expects at one point, and how far to trust it.

    Attributes
    ----------
    loss : nats per token.
    lower, upper : interval in which a new run falls with probability `level`; None without
        bootstrap replicates.
    extrapolation : decades beyond the fitted range per variable, 0 inside it.
    warnings : what a reader must know, in words.
    """

    law: str
    tokens_stage1: float
    tokens_stage2: float
    loss: float
    lower: float | None
    upper: float | None
    level: float
    extrapolation: Mapping[str, float]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan forecast``."""
        return {
            "status": "ok",
            "reasons": [],
            "law": self.law,
            "tokens_stage1": self.tokens_stage1,
            "tokens_stage2": self.tokens_stage2,
            "loss": self.loss,
            "lower": self.lower,
            "upper": self.upper,
            "level": self.level,
            "extrapolation": dict(self.extrapolation),
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the answer in words."""
        interval = (
            f", {words.per_cent(self.level)} of runs{if_the_law_holds(self.extrapolation)} "
            f"between {self.lower:.4f} and {self.upper:.4f}"
            if self.lower is not None and self.upper is not None
            else ""
        )
        start = (
            f"after {words.tokens(self.tokens_stage1)} + {words.tokens(self.tokens_stage2)} tokens"
            if self.tokens_stage1
            else f"from scratch on {words.tokens(self.tokens_stage2)} tokens"
        )
        answer = f"loss {self.loss:.4f} nats per token {start}{interval} ({self.law})"
        return "\n".join([answer, *(f"  note: {warning}" for warning in self.warnings)])


class UndeterminedForecastError(UndeterminedError):
    """Why a fit has no forecast at a point; `to_json` is the document that says so."""

    def __init__(
        self, reason: str, fit: Fit, tokens_stage1: float, tokens_stage2: float, level: float
    ) -> None:
        super().__init__(reason)
        self.law = fit.law.key
        self.asked = {"tokens_stage1": tokens_stage1, "tokens_stage2": tokens_stage2}
        self.level = level
        self.extrapolation = decades_beyond(fit.ranges, self.asked)
        self.warnings = fit_warnings(fit)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``plan forecast``, with reasons in the place of numbers."""
        return {
            "status": "undetermined",
            "reasons": [str(self)],
            "law": self.law,
            **self.asked,
            "loss": None,
            "lower": None,
            "upper": None,
            "level": self.level,
            "extrapolation": self.extrapolation,
            "warnings": list(self.warnings),
        }


def forecast(
    fit: Fit, *, tokens_stage1: float, tokens_stage2: float, level: float | None = None
) -> Forecast:
    """Return the loss that `fit` expects at (D1, D2), with an interval for a new run.

    The interval is that of the mixture, over the bootstrap replicates, of log-normal
    distributions around each replicate's prediction, with the fit's residual scale: what the
    parameters and the noise of a single run leave open, given that the law's form is right.

    Parameters
    ----------
    fit : a converged fit.
    tokens_stage1 : D1, raw tokens; 0 asks the scratch part of a ``+scratch`` law, or a
        one-stage law.
    tokens_stage2 : D2, raw tokens.
    level : share of new runs inside the interval; the fit's own level by default.

    Raises
    ------
    InputError
        When a number of tokens or the level makes no sense, or the law needs other variables.
    UndeterminedForecastError
        When the fit did not converge, or the law does not hold at this point.
    """
    level = fit.level if level is None else level
    validity.check_level(level)
    validity.check_tokens("tokens_stage1", tokens_stage1, zero_allowed=True)
    validity.check_tokens("tokens_stage2", tokens_stage2)
    reason = _refusal(fit, tokens_stage1)
    if reason is not None:
        raise UndeterminedForecastError(reason, fit, tokens_stage1, tokens_stage2, level)
    asked = asked_variables(fit, tokens_stage1, tokens_stage2)
    columns = {name: np.array([value]) for name, value in asked.items()}
    lower, upper = _interval(fit, columns, level)
    silent = () if lower is not None else (_why_no_interval(fit),)
    return Forecast(
        law=fit.law.key,
        tokens_stage1=tokens_stage1,
        tokens_stage2=tokens_stage2,
        loss=float(fit.predict(columns)[0]),
        lower=lower,
        upper=upper,
        level=level,
        extrapolation=decades_beyond(fit.ranges, asked),
        warnings=(*extrapolation_warnings(fit.ranges, asked), *silent, *fit_warnings(fit)),
    )


def asked_variables(fit: Fit, tokens_stage1: float, tokens_stage2: float) -> dict[str, float]:
    """Return a value for each variable of the law at one point.

    A variable other than the two token counts is known where the fit saw one value of it.
    """
    given = {"tokens_stage1": tokens_stage1, "tokens_stage2": tokens_stage2}
    return {
        name: given[name] if name in given else _only_value(fit, name) for name in fit.law.variables
    }


def _only_value(fit: Fit, variable: str) -> float:
    low, high = fit.ranges.get(variable, (0.0, 1.0))
    if low != high:
        raise InputError(
            f"the law {fit.law.key} also needs {variable}, which differs between the fitted "
            "rows; fit one value of it with --where"
        )
    return low


def _refusal(fit: Fit, tokens_stage1: float) -> str | None:
    """Return why the fit has no answer here, None where it has one."""
    reason = validity.unusable(fit) or validity.invalid_at(fit, tokens_stage1)
    two_stages = fit.law.is_two_stage
    if reason is None and two_stages and tokens_stage1 == 0 and not fit.law.has_scratch_part:
        reason = (
            f"the law {fit.law.key} was fitted to rows with D1 > 0 and says nothing about "
            f"training from scratch; fit {joint_form(fit.law)}, or the power law on scratch rows"
        )
    if reason is None and not two_stages and tokens_stage1 > 0:
        reason = f"the law {fit.law.key} has one stage only; ask it with --tokens-stage1 0"
    return reason


def _why_no_interval(fit: Fit) -> str:
    if len(fit.replicates) == 0:
        return NO_INTERVAL
    return "no interval: the fit has no row to spare, so the noise of a run is unknown"


def _interval(
    fit: Fit, columns: Mapping[str, np.ndarray], level: float
) -> tuple[float | None, float | None]:
    if not can_predict(fit):
        return None, None
    lower, upper = prediction_interval(fit.predict_replicates(columns), fit.residual_scale, level)
    return float(lower[0]), float(upper[0])
