"""How long a second stage may be before starting over does as well."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting import Fit
from bootlaw.planning import validity, verdict
from bootlaw.planning.answers import Breakeven, Crossing, Interval
from bootlaw.planning.closed_form import closed_form_breakeven
from bootlaw.planning.crossings import Zeros, find_zeros
from bootlaw.planning.duel import Duel, make_duel
from bootlaw.planning.extrapolation import decades_beyond, extrapolation_warnings
from bootlaw.planning.forecast import NO_INTERVAL

Stage1 = Literal["free", "paid"]

BELOW_DATA = 10.0
ABOVE_DATA = 1e4
"""The search runs from a tenth of the smallest fitted D2 to 10,000 times the largest."""


def breakeven(
    fit: Fit,
    *,
    tokens_stage1: float,
    scratch: Fit | None = None,
    stage1: Stage1 = "free",
    base_cost: float = 1.0,
    search: tuple[float, float] | None = None,
    level: float | None = None,
) -> Breakeven:
    """Return where, as D2 grows, starting over reaches a loss no worse than reuse.

    Every crossing of the two laws in the searched range is found numerically, to 1e-10 in
    ln D2, for the point estimate and for every bootstrap replicate. The interval is the
    percentile interval of the first change from reuse to scratch; replicates without one count
    as infinite. See `bootlaw.planning.verdict` for when the answer is ``undetermined``.

    Parameters
    ----------
    fit : a ``+scratch`` fit, whose two parts share E; or a fit of reuse runs with `scratch`.
    tokens_stage1 : D1 of the base, raw tokens.
    scratch : a fit of the one-stage ``power`` law to the scratch rows of the same model.
    stage1 : ``free`` where the base exists already: scratch gets D2 tokens; ``paid`` where it
        must be trained: scratch gets equal compute, D2 + `base_cost` x D1 tokens.
    base_cost : FLOPs per token of the base over those of the final model: 1 for continued
        pretraining, about 0.5 for a base grown by a factor of two.
    search : the lowest and the highest D2 to look at; by default from a tenth of the smallest
        fitted D2 to 10,000 times the largest.
    level : of the interval; the fit's own level by default.

    Raises
    ------
    InputError
        When a number makes no sense, or the laws cannot be set against each other.
    """
    level = fit.level if level is None else level
    _check(tokens_stage1, stage1, base_cost, search, level)
    head_start = base_cost * tokens_stage1 if stage1 == "paid" else 0.0
    duel = make_duel(fit, scratch, tokens_stage1, head_start)
    low, high = search or _default_range(fit)
    question = (fit.law.key, tokens_stage1, stage1, (low, high), level)
    refused = _refusal(duel)
    if refused is not None:
        return Breakeven(*question, verdict=None, reasons=(refused,))
    zeros = find_zeros(duel.gap, 1 + duel.n_replicates, math.log(low), math.log(high))
    return _answer(Breakeven(*question, verdict=None, reasons=()), duel, zeros)


def _check(
    tokens_stage1: float,
    stage1: str,
    base_cost: float,
    search: tuple[float, float] | None,
    level: float,
) -> None:
    validity.check_level(level)
    validity.check_tokens("tokens_stage1", tokens_stage1)
    if stage1 not in ("free", "paid"):
        raise InputError(f"stage1 is {stage1!r}; it must be 'free' or 'paid'")
    if not (math.isfinite(base_cost) and base_cost > 0):
        raise InputError(f"base_cost is {base_cost:g}; it must be a finite number above zero")
    if search is not None and not 0 < search[0] < search[1] < math.inf:
        raise InputError(
            f"the range {search[0]:g} to {search[1]:g} is empty; give the lower number of "
            "stage-2 tokens first, both above zero"
        )


def _default_range(fit: Fit) -> tuple[float, float]:
    low, high = fit.ranges["tokens_stage2"]
    return low / BELOW_DATA, high * ABOVE_DATA


def _refusal(duel: Duel) -> str | None:
    return (
        validity.unusable(duel.fit)
        or validity.unusable(duel.rival)
        or validity.invalid_at(duel.fit, duel.tokens_stage1)
        or validity.invalid_scratch(duel.rival)
    )


def _answer(question: Breakeven, duel: Duel, zeros: Zeros) -> Breakeven:
    """Return the question with its answer filled in."""
    position = float(zeros.first_rising()[0])
    tokens = math.exp(position) if math.isfinite(position) else None
    asked = {"tokens_stage1": duel.tokens_stage1}
    if tokens is not None:
        asked["tokens_stage2"] = tokens
    kinds = verdict.verdicts(zeros)
    interval = _interval(zeros, kinds[1:], question.level)
    form, form_reason = closed_form_breakeven(duel.fit, duel.tokens_stage1, question.stage1)
    return replace(
        question,
        verdict=kinds[0],
        reasons=_reasons(duel, kinds, interval, tokens),
        tokens=tokens,
        loss=None if tokens is None else _reuse_loss(duel, position),
        interval=interval,
        crossings=_crossings(zeros),
        closed_form=form,
        closed_form_reason=form_reason,
        extrapolation=decades_beyond(duel.fit.ranges, asked),
        warnings=_warnings(duel.fit, asked, interval, question.search),
    )


def _reuse_loss(duel: Duel, position: float) -> float:
    point = np.zeros(1, dtype=np.intp)
    return float(duel.reuse_loss(point, np.array([[position]]))[0, 0])


def _crossings(zeros: Zeros) -> tuple[Crossing, ...]:
    own = zeros.curve == 0
    return tuple(
        Crossing(math.exp(position), "reuse", "scratch")
        if rising
        else Crossing(math.exp(position), "scratch", "reuse")
        for position, rising in zip(zeros.position[own], zeros.rising[own], strict=True)
    )


def _interval(zeros: Zeros, found: list[verdict.Verdict], level: float) -> Interval | None:
    """Return the interval over the replicates, which are all curves but the first."""
    if not found:
        return None
    lower, upper = verdict.percentile_interval(verdict.breakeven_positions(zeros)[1:], level)
    shares = {kind: found.count(kind) / len(found) for kind in verdict.VERDICTS}
    without = float(np.mean(np.isinf(zeros.first_rising()[1:])))
    return Interval(math.exp(lower), math.exp(upper), shares, without)


def _reasons(
    duel: Duel,
    kinds: list[verdict.Verdict],
    interval: Interval | None,
    tokens: float | None,
) -> tuple[str, ...]:
    scale = float(np.fmax(duel.fit.residual_scale, duel.rival.residual_scale))
    reasons = [
        verdict.disagreement(kinds[0], kinds[1:]),
        verdict.too_close(duel.largest_log_gap(), scale),
    ]
    if interval is not None and tokens is not None:
        decades = decades_beyond(duel.fit.ranges, {"tokens_stage2": tokens})["tokens_stage2"]
        reasons.append(verdict.far_and_wide(decades, interval.lower, interval.upper))
    return tuple(reason for reason in reasons if reason is not None)


def _warnings(
    fit: Fit, asked: dict[str, float], interval: Interval | None, search: tuple[float, float]
) -> tuple[str, ...]:
    warnings = list(extrapolation_warnings(fit.ranges, asked))
    if "tokens_stage2" not in asked:
        beyond = decades_beyond(fit.ranges, {"tokens_stage2": search[1]})["tokens_stage2"]
        if beyond > 0:
            warnings.append(
                f"the search reached {beyond:.1f} decades beyond the fitted D2, where the "
                "verdict rests on the form of the laws"
            )
    if interval is None:
        warnings.append(NO_INTERVAL)
    return tuple(warnings)
