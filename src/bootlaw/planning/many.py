"""Forecasts and break-evens by the thousand: arrays in, arrays out, no words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity, verdict
from bootlaw.planning.arrays import (
    asked_bases,
    blocks,
    points_of,
    usable,
    valid_for_reuse,
    valid_size,
)
from bootlaw.planning.bases import by_base
from bootlaw.planning.breakeven import Stage1, default_range
from bootlaw.planning.first_losses import FirstLosses, Questions, first_losses
from bootlaw.planning.paired import Part
from bootlaw.planning.source import AnySource, Source

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Losses to expect at n points.

    Attributes
    ----------
    loss : (n,) nats per token; NaN where the law has no answer (see `forecast` for the reason).
    lower, upper : (n,) ends between which a new run falls with probability `level`; NaN without
        replicates.
    """

    loss: Floats
    lower: Floats
    upper: Floats
    level: float


@dataclass(frozen=True, eq=False)
class Breakevens:
    """Where starting over catches up with reuse, at m questions.

    Attributes
    ----------
    tokens : (m,) the smallest D2 at which the winner changes from reuse to scratch; infinite
        where it never does, NaN where the law has no answer at this D1.
    lower, upper : (m,) percentile interval over the replicates at `level`; 0 for an end below
        the searched range, infinite beyond it, NaN without replicates.
    without_crossing : (m,) share of replicates that never change from reuse to scratch.
    verdict : (m,) of the point estimate: crossing, reuse_always_wins, scratch_always_wins; empty
        without an answer.
    agreement : (m,) share of the replicates with that verdict, at a crossing in that direction.
    """

    tokens: Floats
    lower: Floats
    upper: Floats
    without_crossing: Floats
    verdict: NDArray[np.str_]
    agreement: Floats
    level: float


def forecasts(
    fit: AnySource, columns: Mapping[str, ArrayLike], *, level: float | None = None
) -> Forecasts:
    """Return the losses to expect at n points at once, with intervals for new runs.

    What `bootlaw.planning.forecast` answers, without its words.

    Parameters
    ----------
    fit : a converged fit, the path of one, or published coefficients by name.
    columns : arrays (n,) or scalars of the law's variables, ``tokens_stage1`` (0 from scratch),
        ``tokens_stage2`` and others; a variable left out is known where one value was fitted.
    level : share of new runs inside; the fit's own level by default.

    Raises
    ------
    InputError
        When a number makes no sense, or a variable of the law is not known.
    UndeterminedError
        When the fit cannot be asked at all.
    """
    source = usable(fit)
    level = validity.check_level(source.level if level is None else level)
    points = points_of(source, columns)
    n = points[D2].size
    loss, lower, upper = (np.full(n, np.nan) for _ in range(3))
    from_scratch = points[D1] == 0
    parts: tuple[tuple[Part, NDArray[np.bool_]], ...] = (
        ("scratch", from_scratch),
        ("reuse", ~from_scratch & valid_for_reuse(source, points)),
    )
    for part, rows in parts:
        if source.answers(part):
            for at, laws in _asked(source, points, np.flatnonzero(rows)):
                losses = laws.loss({name: values[at] for name, values in points.items()}, part)
                loss[at] = losses[0]
                if laws.has_intervals:
                    lower[at], upper[at] = laws.ends(losses, level)
    return Forecasts(loss, lower, upper, level)


def _asked(
    source: Source, points: Mapping[str, Floats], rows: Indices
) -> Iterator[tuple[Indices, Source]]:
    """Give the rows piece by piece, each with the laws that speak of its bases."""
    others = {name: points[name] for name in source.law.variables if name not in (D1, D2)}
    for at in blocks(rows, len(source.params)):
        own = {name: values[at] for name, values in others.items()}
        for place, laws in by_base(source, points[D1][at], own):
            yield at[place], laws


def breakevens(
    fit: AnySource,
    *,
    tokens_stage1: ArrayLike,
    params: ArrayLike | None = None,
    scratch: AnySource | None = None,
    stage1: Stage1 = "free",
    base_cost: float = 1.0,
    search: tuple[float, float] | None = None,
    level: float | None = None,
) -> Breakevens:
    """Return the break-even at each of m (D1, N) at once, for all replicates.

    What `bootlaw.planning.breakeven` finds, without its words and without its reasons for
    `undetermined`; `agreement` and `without_crossing` say as much in numbers. See
    `bootlaw.planning.first_losses` for how exactly.

    Parameters
    ----------
    fit, scratch, stage1, base_cost, search, level : as for `breakeven`.
    tokens_stage1, params : (m,) arrays or scalars.

    Raises
    ------
    InputError
        When a number makes no sense, or the laws cannot be set against each other.
    UndeterminedError
        When a fit cannot be asked at all.
    """
    reuse = usable(fit)
    rival = None if scratch is None else usable(scratch)
    level = validity.check_level(reuse.level if level is None else level)
    validity.check_stage1(stage1)
    base_cost = validity.check_tokens("base_cost", base_cost)
    asked = asked_bases(tokens_stage1, params)
    low, high = default_range(reuse) if search is None else validity.check_tokens_range(search)
    cost = base_cost if stage1 == "paid" else 0.0
    found = first_losses(Questions(reuse, rival, asked, cost, (math.log(low), math.log(high))))
    return _summary(found, _can_be_asked(reuse, rival, asked), level)


def _can_be_asked(reuse: Source, rival: Source | None, asked: Mapping[str, Floats]) -> Bools:
    """Return (m,) whether both laws have an answer, as `breakeven` refuses questions."""
    scratch = reuse if rival is None else rival
    if validity.invalid_scratch(scratch) is not None:
        return np.zeros(asked[D1].size, dtype=bool)
    low, high = reuse.ranges.get(N, (0.0, 0.0))
    own = {N: np.full(asked[D1].size, low)} if low == high and low > 0 else {}
    return valid_for_reuse(reuse, asked) & valid_size(scratch, {**own, **asked})


def _summary(found: FirstLosses, valid: Bools, level: float) -> Breakevens:
    """Return the answers (m,) of the questions that the law can be asked."""
    names = np.array(verdict.VERDICTS)
    lower, upper, without = np.full((3, len(valid)), np.nan)
    if found.first.shape[1] > 1:
        lower, upper = _interval(found.positions[:, 1:], level)
        without = np.isinf(found.first[:, 1:]).mean(axis=1)
    with np.errstate(over="ignore"):
        numbers = [np.exp(found.first[:, 0]), lower, upper, without, found.agreement]
    tokens, lower, upper, without, agreement = (np.where(valid, a, np.nan) for a in numbers)
    said = np.where(valid, names[found.kinds[:, 0]], "")
    return Breakevens(tokens, lower, upper, without, said, agreement, level)


def _interval(positions: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the ends (m,), tokens, of `verdict.percentile_interval` for positions (m, r)."""
    tail = (1 - level) / 2 * (positions.shape[1] - 1)
    low, high = math.floor(tail), math.ceil(positions.shape[1] - 1 - tail)
    ordered = np.partition(positions, (low, high), axis=1)
    with np.errstate(over="ignore"):
        return np.exp(ordered[:, low]), np.exp(ordered[:, high])
