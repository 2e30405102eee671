"""How long a second stage may be before starting over does as well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2
from bootlaw.planning import remarks, validity, verdict, words
from bootlaw.planning.answers import Breakeven, Crossing, Interval
from bootlaw.planning.closed_form import closed_form_breakeven
from bootlaw.planning.cost import Hardware, Size, training_cost
from bootlaw.planning.crossings import Zeros, find_zeros
from bootlaw.planning.decisive import decisive_gap
from bootlaw.planning.duel import Duel, make_duel
from bootlaw.planning.extrapolation import decades_beyond, extrapolation_warnings
from bootlaw.planning.question import given_variables, other_size
from bootlaw.planning.source import POINT, AnySource, Source, as_source

Stage1 = Literal["free", "paid"]

BELOW_DATA = 10.0
ABOVE_DATA = 1e4
"""The search runs from a tenth of the smallest fitted D2 to 10,000 times the largest."""

PUBLISHED_SEARCH = (1e6, 1e16)
"""Searched where the range of the runs is unknown: beyond all text on either side."""


def breakeven(
    fit: AnySource,
    *,
    tokens_stage1: float,
    params: float | None = None,
    scratch: AnySource | None = None,
    stage1: Stage1 = "free",
    base_cost: float = 1.0,
    search: tuple[float, float] | None = None,
    level: float | None = None,
    at: Mapping[str, float] | None = None,
    shape: Size | None = None,
    on: Hardware | None = None,
) -> Breakeven:
    """Return where, as D2 grows, starting over reaches a loss no worse than reuse.

    Every crossing of the two laws in the searched range is found numerically, to 1e-10 in
    ln D2, for the point estimate and for every bootstrap replicate. The interval is the
    percentile interval of the first change from reuse to scratch; replicates without one count
    as infinite. See `bootlaw.planning.verdict` for when the answer is ``undetermined``; so is
    it for every fit that is not converged, whether or not a scratch law was given.

    Parameters
    ----------
    fit : a ``+scratch`` fit, whose two parts share E; or reuse runs with `scratch`. A fit, the
        path of one, or published coefficients by name.
    tokens_stage1 : D1 of the base, raw tokens.
    params : N, non-embedding parameters (of the dense base for the presets of upcycling), for
        laws that read it; by default the one size that was fitted.
    scratch : a one-stage law (``power``, ``chinchilla``) of runs from scratch.
    stage1 : ``free`` where the base exists already: scratch gets D2 tokens; ``paid`` where it
        must be trained: scratch gets equal compute, D2 + `base_cost` x D1 tokens.
    base_cost : FLOPs per token of the base over those of the final model: 1 for continued
        pretraining, about 0.5 for a base grown by a factor of two.
    search : the lowest and the highest D2 to look at; by default from a tenth of the smallest
        fitted D2 to 10,000 times the largest, for published coefficients 1e6 to 1e16 tokens.
    level : of the interval; the fit's own level by default.
    at : other columns that the laws read, such as ``replay``.
    shape : of the final model, for the cost of a second stage of D* tokens; by default 6 N FLOPs
        per token, where the size is known.
    on : hardware, for that cost in device-hours, days and money.

    Raises
    ------
    InputError
        When a number makes no sense, or the laws cannot be set against each other.
    """
    reuse = as_source(fit)
    level = reuse.level if level is None else level
    _check(tokens_stage1, stage1, base_cost, search, level)
    given = given_variables(params, at)
    low, high = search or default_range(reuse)
    question = Breakeven(
        reuse.law.key,
        tokens_stage1,
        stage1,
        (low, high),
        level,
        verdict=None,
        reasons=(),
        params=params,
    )
    if reuse.broken is not None:
        return replace(question, reasons=(reuse.broken,))
    head_start = base_cost * tokens_stage1 if stage1 == "paid" else 0.0
    rival = None if scratch is None else as_source(scratch)
    duel = make_duel(reuse, rival, tokens_stage1, head_start, given)
    refused = _refusal(duel, given)
    if refused is not None:
        return replace(question, reasons=(refused,))
    zeros = find_zeros(duel.gap, 1 + duel.n_replicates, math.log(low), math.log(high))
    answer = _answer(question, duel, zeros)
    size = shape if shape is not None else params if params is not None else duel.only_size
    if answer.tokens is None or size is None:
        return answer
    return replace(answer, cost=training_cost(answer.tokens, size, on))


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
            f"the range {words.tokens(search[0])} to {words.tokens(search[1])} is empty; give "
            "the lower number of stage-2 tokens first, both above zero"
        )


def default_range(reuse: Source) -> tuple[float, float]:
    """Return the lowest and the highest D2 that are searched unless a question says others."""
    if D2 not in reuse.ranges:
        return PUBLISHED_SEARCH
    low, high = reuse.ranges[D2]
    return low / BELOW_DATA, high * ABOVE_DATA


def _refusal(duel: Duel, given: Mapping[str, float]) -> str | None:
    return (
        duel.rival.broken
        or other_size(duel.reuse, given)
        or other_size(duel.rival, given)
        or validity.invalid_at(duel.reuse, duel.tokens_stage1, duel.reuse_at)
        or validity.invalid_scratch(duel.rival)
    )


def _answer(question: Breakeven, duel: Duel, zeros: Zeros) -> Breakeven:
    """Return the question with its answer filled in."""
    position = float(zeros.first_rising()[0])
    tokens = math.exp(position) if math.isfinite(position) else None
    crossings = _crossings(zeros)
    at = tokens if tokens is not None or not crossings else crossings[0].tokens
    extrapolation = _extrapolation(duel, at, question.search)
    kinds = verdict.verdicts(zeros)
    interval = _interval(zeros, kinds[1:], question.level)
    form, form_reason = closed_form_breakeven(duel, question.stage1)
    return replace(
        question,
        verdict=kinds[0],
        reasons=_reasons(duel, kinds, interval, extrapolation, question.search, tokens, at),
        tokens=tokens,
        loss=None if tokens is None else _reuse_loss(duel, position),
        interval=interval,
        crossings=crossings,
        closed_form=form,
        closed_form_reason=form_reason,
        extrapolation=extrapolation,
        warnings=_warnings(duel, at, interval, question.search),
    )


def _reuse_loss(duel: Duel, position: float) -> float:
    return float(duel.reuse_loss(POINT, np.array([[position]]))[0, 0])


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
    extrapolation: Mapping[str, float],
    search: tuple[float, float],
    tokens: float | None,
    at: float | None,
) -> tuple[str, ...]:
    """Return why the data cannot tell."""
    scale = float(np.fmax(duel.reuse.residual_scale, duel.rival.residual_scale))
    reasons = [
        verdict.disagreement(kinds[0], kinds[1:]),
        verdict.too_close(duel.largest_log_gap(), scale),
    ]
    if tokens is not None:
        decades = max(extrapolation.get(D2, 0.0), extrapolation["tokens_scratch"])
        ends = None if interval is None else (interval.lower, interval.upper)
        reasons.append(verdict.far_and_wide(decades, ends))
    if interval is None:
        error = verdict.own_error(duel.reuse, duel.rival)
        reasons.append(verdict.rests_on_little(*decisive_gap(duel, search, at), error))
    reasons += verdict.out_of_sight(extrapolation)
    return tuple(reason for reason in reasons if reason is not None)


def _asked(duel: Duel, at: float | None) -> dict[str, float]:
    asked = {D1: duel.tokens_stage1, **duel.reuse_at}
    return asked if at is None else {**asked, D2: at}


def _extrapolation(duel: Duel, at: float | None, search: tuple[float, float]) -> dict[str, float]:
    beyond = decades_beyond(duel.reuse.ranges, _asked(duel, at))
    return {**beyond, "tokens_scratch": remarks.scratch_decades(duel, at, search)}


def _warnings(
    duel: Duel, at: float | None, interval: Interval | None, search: tuple[float, float]
) -> tuple[str, ...]:
    return (
        *extrapolation_warnings(duel.reuse.ranges, _asked(duel, at)),
        *remarks.scratch_warnings(duel, at, search),
        *(remarks.width_warnings(duel, _asked(duel, at), at) if at is not None else ()),
        *(remarks.search_warning(duel.reuse, search) if at is None else ()),
        *((remarks.no_interval(duel.reuse, duel.rival),) if interval is None else ()),
        *remarks.source_warnings(duel.reuse, duel.rival),
    )
