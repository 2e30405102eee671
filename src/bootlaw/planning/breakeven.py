"""How long a second stage may be before starting over does as well."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity
from bootlaw.planning.answers import Breakeven
from bootlaw.planning.breakeven_answer import answered
from bootlaw.planning.cost import Hardware, Size, training_cost
from bootlaw.planning.crossings import find_zeros
from bootlaw.planning.duel import Duel, point_gaps
from bootlaw.planning.first_losses import Questions, first_losses
from bootlaw.planning.question import given_variables, other_size
from bootlaw.planning.source import AnySource, Source, as_source
from bootlaw.planning.verdict import OUT_OF_SIGHT_DECADES

Floats = NDArray[np.float64]
Stage1 = Literal["free", "paid"]

BLOCK = 1024
"""Questions that are worked on at a time."""

BELOW_DATA = 10.0
ABOVE_DATA = 10**OUT_OF_SIGHT_DECADES
"""The search runs from a tenth of the smallest fitted D2 to as far as a verdict may be given."""

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
    ln D2, for the point estimate, and for every bootstrap replicate the first change from reuse
    to scratch (`bootlaw.planning.first_losses`). The interval is the percentile interval of
    these; replicates without one count as infinite. See `bootlaw.planning.verdict` for when the
    answer is ``undetermined``; so is it for every fit that is not converged, whether or not a
    scratch law was given.

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
        fitted D2 to 1,000 times the largest, for published coefficients 1e6 to 1e16 tokens.
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
    grid = breakeven_grid(
        fit,
        [(tokens_stage1, params)],
        scratch=scratch,
        stage1=stage1,
        base_cost=base_cost,
        search=search,
        level=level,
        at=at,
        shape=shape,
        on=on,
    )
    return grid[0]


def breakeven_grid(
    fit: AnySource,
    cells: Sequence[tuple[float, float | None]],
    *,
    scratch: AnySource | None = None,
    stage1: Stage1 = "free",
    base_cost: float = 1.0,
    search: tuple[float, float] | None = None,
    level: float | None = None,
    at: Mapping[str, float] | None = None,
    shape: Size | None = None,
    on: Hardware | None = None,
) -> tuple[Breakeven, ...]:
    """Return what `breakeven` does for each of some (D1, N), all replicates of all at once.

    Parameters
    ----------
    cells : (D1, N); N is given for all of them or for none.
    """
    reuse = as_source(fit)
    level = validity.check_level(reuse.level if level is None else level)
    cells = [_checked_cell(*cell) for cell in cells]
    validity.check_stage1(stage1)
    base_cost = validity.check_tokens("base_cost", base_cost)
    low, high = default_range(reuse) if search is None else validity.check_tokens_range(search)
    rival = None if scratch is None else as_source(scratch)
    cost = base_cost if stage1 == "paid" else 0.0
    ends = (math.log(low), math.log(high))
    others = given_variables(None, at)
    answers: list[Breakeven] = []
    for start in range(0, len(cells), BLOCK):
        block = cells[start : start + BLOCK]
        blank = [
            Breakeven(
                reuse.law.key,
                stage1_tokens,
                stage1,
                (low, high),
                level,
                None,
                (),
                params=params,
                laws=reuse.shares,
            )
            for stage1_tokens, params in block
        ]
        if reuse.broken is not None:
            answers += [replace(one, reasons=(reuse.broken,)) for one in blank]
            continue
        questions = Questions(reuse, rival, _columns(block), cost, ends, others)
        answers += [_priced(*found, shape, on) for found in _answers(blank, questions)]
    return tuple(answers)


def _answers(blank: Sequence[Breakeven], questions: Questions) -> list[tuple[Breakeven, Duel]]:
    """Return the answers in place of the blanks, each with its duel."""
    duels = [questions.duel(number) for number in range(len(questions))]
    refused = [_refusal(duel, questions.given_at(i)) for i, duel in enumerate(duels)]
    answers = [
        replace(one, reasons=() if reason is None else (reason,), laws=duel.reuse.shares)
        for one, duel, reason in zip(blank, duels, refused, strict=True)
    ]
    able = np.flatnonzero([reason is None for reason in refused])
    if able.size:
        zeros = find_zeros(point_gaps([duels[i] for i in able]), able.size, *questions.ends)
        found = first_losses(questions.take(able))
        for place, i in enumerate(able.tolist()):
            answers[i] = answered(answers[i], duels[i], zeros.only(place), found.take(place))
    return list(zip(answers, duels, strict=True))


def _columns(cells: Sequence[tuple[float, float | None]]) -> dict[str, Floats]:
    """Return D1 and, where sizes are given, N as arrays."""
    sizes = [params for _, params in cells if params is not None]
    stage1 = {D1: np.array([float(tokens_stage1) for tokens_stage1, _ in cells])}
    return {**stage1, N: np.array([float(size) for size in sizes])} if sizes else stage1


def _priced(answer: Breakeven, duel: Duel, shape: Size | None, on: Hardware | None) -> Breakeven:
    """Return an answer with the cost of a second stage of D* tokens, where a size is known."""
    size = next((s for s in (shape, answer.params, duel.only_size) if s is not None), None)
    if answer.tokens is None or size is None:
        return answer
    return replace(answer, cost=training_cost(answer.tokens, size, on))


def _checked_cell(tokens_stage1: Any, params: Any) -> tuple[float, float | None]:
    """Return D1 and N as floats; InputError where one makes no sense."""
    stage1 = validity.check_tokens(D1, tokens_stage1)
    return stage1, validity.check_optional(N, params)


def default_range(reuse: Source) -> tuple[float, float]:
    """Return the lowest and the highest D2 that are searched unless a question says others."""
    if D2 not in reuse.ranges:
        return PUBLISHED_SEARCH
    low, high = reuse.ranges[D2]
    return low / BELOW_DATA, high * ABOVE_DATA


def _refusal(duel: Duel, given: Mapping[str, float]) -> str | None:
    """Return why the two laws have no answer, None where they have one.

    Laws that do not read the size must be of one.
    """
    own = {} if duel.only_size is None else {N: duel.only_size}
    return (
        duel.rival.broken
        or other_size(duel.reuse, given)
        or other_size(duel.rival, {**own, **given})
        or validity.invalid_at(duel.reuse, duel.tokens_stage1, duel.reuse_at)
        or validity.invalid_scratch(duel.rival)
    )
