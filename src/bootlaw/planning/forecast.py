"""The loss to expect from one planned run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootlaw.errors import UndeterminedError
from bootlaw.fitting.comparable import joint_form
from bootlaw.laws.names import D1, D2
from bootlaw.planning import notes, validity, words
from bootlaw.planning.bases import at_bases
from bootlaw.planning.extrapolation import (
    decades_beyond,
    extrapolation_warnings,
    if_the_law_holds,
    unearned_warnings,
)
from bootlaw.planning.paired import Part
from bootlaw.planning.question import given_variables, other_size, refuse_unread, settled
from bootlaw.planning.remarks import no_interval, source_warnings
from bootlaw.planning.source import AnySource, Shares, Source, as_source, shares_document
from bootlaw.planning.verdict import out_of_sight


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
    given : what was asked beside the tokens, such as ``params``.
    laws : key and weight of each law that it rests on.
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
    given: Mapping[str, float] = field(default_factory=dict)
    laws: Shares = ()

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan forecast``."""
        return {
            "status": "ok",
            "reasons": [],
            "law": self.law,
            "laws": shares_document(self.laws),
            "tokens_stage1": self.tokens_stage1,
            "tokens_stage2": self.tokens_stage2,
            **self.given,
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
        size = (
            f" at {words.tokens(self.given['params'])} parameters" if "params" in self.given else ""
        )
        answer = f"loss {self.loss:.4f} nats per token {start}{size}{interval} ({self.law})"
        return "\n".join([answer, *notes.lines(self.warnings)])


class UndeterminedForecastError(UndeterminedError):
    """Why a fit has no forecast at a point; `to_json` is the document that says so."""

    def __init__(
        self, reason: str, source: Source, asked: Mapping[str, float], level: float
    ) -> None:
        super().__init__(reason)
        self.law = source.law.key
        self.laws = source.shares
        self.asked = dict(asked)
        self.level = level
        self.extrapolation = decades_beyond(source.ranges, self.asked)
        self.warnings = source_warnings(source)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``plan forecast``, with reasons in the place of numbers."""
        return {
            "status": "undetermined",
            "reasons": [str(self)],
            "law": self.law,
            "laws": shares_document(self.laws),
            **self.asked,
            "loss": None,
            "lower": None,
            "upper": None,
            "level": self.level,
            "extrapolation": self.extrapolation,
            "warnings": list(self.warnings),
        }


def forecast(
    fit: AnySource,
    *,
    tokens_stage1: float,
    tokens_stage2: float,
    params: float | None = None,
    level: float | None = None,
    at: Mapping[str, float] | None = None,
) -> Forecast:
    """Return the loss that `fit` expects at (D1, D2[, N]), with an interval for a new run.

    The interval is that of the mixture, over the bootstrap replicates, of log-normal
    distributions around each replicate's prediction, with the fit's residual scale: what the
    parameters and the noise of a single run leave open, and beyond the data what the law missed
    when its largest levels were held out (`Fit.misfits`).

    Parameters
    ----------
    fit : a converged fit, the path of one, or published coefficients by name.
    tokens_stage1 : D1, raw tokens; 0 asks the scratch part of a ``+scratch`` law, or a
        one-stage law.
    tokens_stage2 : D2, raw tokens.
    params : N, non-embedding parameters, for laws that read it; by default the one size that
        was fitted.
    level : share of new runs inside the interval; the fit's own level by default.
    at : other columns that the law reads, such as ``replay``.

    Raises
    ------
    InputError
        When a number makes no sense, or a variable of the law is not known.
    UndeterminedForecastError
        When the fit did not converge, the law does not hold at this point, or the point lies more
        than three decades outside the data.
    """
    source = as_source(fit)
    level = source.level if level is None else level
    level = validity.check_level(level)
    tokens_stage1 = validity.check_tokens(D1, tokens_stage1, zero_allowed=True)
    tokens_stage2 = validity.check_tokens(D2, tokens_stage2)
    given = given_variables(params, at)
    asked = {D1: tokens_stage1, D2: tokens_stage2, **given}
    if source.broken is not None:
        raise UndeterminedForecastError(source.broken, source, asked, level)
    refuse_unread(given, source)
    others = settled(source, given)
    source = at_bases(source, tokens_stage1, others)
    part: Part = "reuse" if tokens_stage1 > 0 else "scratch"
    reason = _refusal(source, part, tokens_stage1, given, others)
    if reason is not None:
        raise UndeterminedForecastError(reason, source, asked, level)
    return _answer(source, part, {**asked, **others}, given, level)


def _answer(
    source: Source,
    part: Part,
    asked: Mapping[str, float],
    given: Mapping[str, float],
    level: float,
) -> Forecast:
    read = {name: asked[name] for name in (*source.law.variables, D2) if name in asked}
    for reason in out_of_sight(decades_beyond(source.ranges, read)):
        raise UndeterminedForecastError(reason, source, {**asked}, level)
    interval = source.interval(read, part, level)
    silent = () if interval is not None else (no_interval(source),)
    lower, upper = (None, None) if interval is None else (float(end[0]) for end in interval)
    return Forecast(
        law=source.law.key,
        tokens_stage1=asked[D1],
        tokens_stage2=asked[D2],
        loss=float(source.loss(read, part)[0, 0]),
        lower=lower,
        upper=upper,
        level=level,
        extrapolation=decades_beyond(source.ranges, read),
        warnings=(
            *extrapolation_warnings(source.ranges, read),
            *unearned_warnings(source, read, part),
            *silent,
            *source_warnings(source),
        ),
        given=dict(given),
        laws=source.shares,
    )


def _refusal(
    source: Source,
    part: Part,
    tokens_stage1: float,
    given: Mapping[str, float],
    others: Mapping[str, float],
) -> str | None:
    """Return why the source has no answer here, None where it has one."""
    law = source.law
    if part == "scratch" and not source.answers(part):
        return (
            f"the law {law.key} was fitted to rows with D1 > 0 and says nothing about "
            f"training from scratch; fit {joint_form(law)}, or the power law on scratch rows"
        )
    if not source.answers(part):
        return f"the law {law.key} has one stage only; ask it with --tokens-stage1 0"
    return other_size(source, given) or validity.invalid_at(source, tokens_stage1, others)
