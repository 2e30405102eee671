"""What is said of a break-even: the crossings, their interval, and why the data cannot tell."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bootlaw.laws.names import D1, D2
from bootlaw.planning import remarks, verdict
from bootlaw.planning.answers import Breakeven, Crossing, Interval
from bootlaw.planning.closed_form import closed_form_breakeven
from bootlaw.planning.crossings import Zeros, find_zeros
from bootlaw.planning.decisive import decisive_gap
from bootlaw.planning.duel import Duel
from bootlaw.planning.extrapolation import decades_beyond, extrapolation_warnings
from bootlaw.planning.first_losses import FirstLosses
from bootlaw.planning.source import POINT


def answered(question: Breakeven, duel: Duel, zeros: Zeros, found: FirstLosses) -> Breakeven:
    """Return a question with its answer filled in.

    Parameters
    ----------
    zeros : every crossing of the point estimate.
    found : (1, 1 + r), where the replicates have their first.
    """
    position = float(zeros.first_rising()[0])
    tokens = math.exp(position) if math.isfinite(position) else None
    crossings = _crossings(zeros)
    at = tokens if tokens is not None or not crossings else crossings[0].tokens
    kind = verdict.verdicts(zeros)[0]
    form, form_reason = closed_form_breakeven(duel, question.stage1)
    answer = replace(
        question,
        verdict=kind,
        tokens=tokens,
        loss=None if tokens is None else _reuse_loss(duel, position),
        interval=_interval(found, question.level),
        turn=None if at is None or tokens is not None else _turn(duel, question),
        crossings=crossings,
        closed_form=form,
        closed_form_reason=form_reason,
        extrapolation=_extrapolation(duel, at, question.search),
    )
    return replace(
        answer,
        reasons=_reasons(answer, duel, at),
        warnings=_warnings(duel, at, answer.interval, question.search),
    )


def _reuse_loss(duel: Duel, position: float) -> float:
    return float(duel.reuse_loss(POINT, np.array([[position]]))[0, 0])


def _crossings(zeros: Zeros) -> tuple[Crossing, ...]:
    return tuple(
        Crossing(math.exp(position), "reuse", "scratch")
        if rising
        else Crossing(math.exp(position), "scratch", "reuse")
        for position, rising in zip(zeros.position, zeros.rising, strict=True)
    )


def _turn(duel: Duel, question: Breakeven) -> tuple[float, float] | None:
    """Return the interval of the D2 at which scratch first loses.

    Replicates in which it never does count as infinite, those in which reuse leads throughout as 0.
    """
    if duel.n_replicates == 0:
        return None
    low, high = (math.log(end) for end in question.search)
    zeros = find_zeros(duel.gap, 1 + duel.n_replicates, low, high)
    first = np.full(zeros.starts_above.size, np.inf)
    falls = ~zeros.rising
    np.minimum.at(first, zeros.curve[falls], zeros.position[falls])
    always_reuse = ~zeros.starts_above & (zeros.count() == 0)
    positions = np.where(always_reuse, -np.inf, first)[1:]
    lower, upper = verdict.percentile_interval(positions, question.level)
    return math.exp(lower), math.exp(upper)


def _interval(found: FirstLosses, level: float) -> Interval | None:
    """Return the interval over the replicates."""
    kinds = found.kinds[0, 1:]
    if not kinds.size:
        return None
    lower, upper = verdict.percentile_interval(found.positions[0, 1:], level)
    shares = {kind: float(np.mean(kinds == i)) for i, kind in enumerate(verdict.VERDICTS)}
    without = float(np.mean(np.isinf(found.first[0, 1:])))
    return Interval(math.exp(lower), math.exp(upper), shares, without)


def _reasons(answer: Breakeven, duel: Duel, at: float | None) -> tuple[str, ...]:
    """Return why the data cannot tell."""
    interval, beyond = answer.interval, answer.extrapolation or {}
    scale = float(np.fmax(duel.reuse.residual_scale, duel.rival.residual_scale))
    reasons = [
        verdict.disagreement(answer.verdict, answer.agreement),
        verdict.too_close(duel.largest_log_gap(), scale),
    ]
    if at is not None:
        decades = max(beyond.get(D2, 0.0), beyond["tokens_scratch"])
        ends = None if interval is None else (interval.lower, interval.upper)
        reasons.append(verdict.far_and_wide(decades, answer.turn or ends))
    if interval is None:
        error = verdict.own_error(duel.reuse, duel.rival)
        reasons.append(verdict.rests_on_little(*decisive_gap(duel, answer.search, at), error))
    reasons += verdict.out_of_sight(beyond)
    return tuple(reason for reason in reasons if reason is not None)


def _asked(duel: Duel, at: float | None, search: tuple[float, float]) -> dict[str, float]:
    """Return where reuse is asked: at a crossing, else at the searched D2 nearest to its runs."""
    if at is None:
        low, high = duel.reuse.ranges.get(D2, search)
        at = min(max(search[0], low), search[1]) if search[0] <= high else search[0]
    return {D1: duel.tokens_stage1, **duel.reuse_at, D2: at}


def _extrapolation(duel: Duel, at: float | None, search: tuple[float, float]) -> dict[str, float]:
    beyond = decades_beyond(duel.reuse.ranges, _asked(duel, at, search))
    return {**beyond, "tokens_scratch": remarks.scratch_decades(duel, at, search)}


def _warnings(
    duel: Duel, at: float | None, interval: Interval | None, search: tuple[float, float]
) -> tuple[str, ...]:
    asked = _asked(duel, at, search)
    return (
        *extrapolation_warnings(duel.reuse.ranges, asked),
        *remarks.scratch_warnings(duel, at, search),
        *(remarks.width_warnings(duel, asked, at) if at is not None else ()),
        *(remarks.search_warning(duel.reuse, search) if at is None else ()),
        *((remarks.no_interval(duel.reuse, duel.rival),) if interval is None else ()),
        *remarks.source_warnings(duel.reuse, duel.rival),
    )
