"""How much old text to replay, from one's own runs evaluated on both texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting import Fit, fit
from bootlaw.laws.names import D2, N
from bootlaw.planning import validity, words
from bootlaw.planning.mixture import best_share, checked_question
from bootlaw.planning.mixture_answer import MixtureShare
from bootlaw.planning.mixture_rows import (
    asked_size,
    levels,
    near,
    of_size,
    of_text,
    tried_shares,
    usable_rows,
)
from bootlaw.planning.share_curves import REPLAY, ShareCurve, share_curve
from bootlaw.planning.share_table import interpolated_curve, why_not_interpolated
from bootlaw.planning.source import as_source
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]

SIZE = "A*N^-al + "
SHARES = {
    "new": "B*(1 - replay)^eta*D2^-be + C_r*(1 - replay + K)^-ga + E",
    "old": "B*replay^eta*D2^-be + C_r*(replay + K)^-ga + E",
}
"""The D-CPT law (Que et al., arXiv 2406.01375) in the share of the text whose loss it is: new
text is 1 - replay of the stage-2 tokens, old text is replay. Runs of one size need no N term."""

FEWEST_LEVELS = 3
"""Levels of a variable that an exponent of it needs: two points fit any power."""

SPARE = 2
"""Rows that a law must have beyond its parameters."""

COARSE = 0.005
"""A share that moves by more with the way of interpolating hangs on it."""


def mixture_from_runs(
    table: Any,
    *,
    new: str,
    old: str,
    tokens_stage2: float,
    max_old_loss: float,
    params: float | None = None,
    method: str | None = None,
    where: str | None = None,
    search: tuple[float, float] | None = None,
    bootstrap: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> MixtureShare:
    """Return the best replay share from runs that were evaluated on both texts.

    The D-CPT law is fitted to the losses on each text. Where the rows are too few for it, or
    cannot tell its parameters, the losses of the runs at the asked D2 and size are interpolated
    between the shares that were tried; the seeds' scatter then gives the interval.

    Parameters
    ----------
    table : a run table, or anything that `read_runs` takes, with the columns ``replay`` and
        ``eval_data``: two rows for each run, one per text.
    new, old : values of ``eval_data``: the new domain's held-out text and the old one's.
    tokens_stage2, max_old_loss : see `bootlaw.planning.mixture.mixture_share`.
    params : N, where the runs have several.
    method, where : which rows; D1 must be the same in all of them.
    search : the least and the greatest replay share to look at; those tried, by default.
    bootstrap, seed : refits or draws for the interval, and their seed.

    Raises
    ------
    InputError
        When the table lacks a column or a text, or holds several methods or bases.
    """
    tokens_stage2 = validity.check_tokens("tokens_stage2", tokens_stage2)
    rows = usable_rows(read_runs(table, where=where), (new, old), method)
    size = asked_size(rows, params)
    tried = tried_shares(rows)
    search = tried if search is None else search
    max_old_loss, search, level = checked_question(max_old_loss, search, level)
    found = _curves(rows, (new, old), _Asked(tokens_stage2, size, bootstrap, seed, level))
    question = MixtureShare(found.basis, tokens_stage2, max_old_loss, level, search)
    if found.curves is None:
        return replace(question, reasons=found.notes)
    if found.straight is not None:
        inside = (max(search[0], tried[0]), min(search[1], tried[1]))
        if not inside[0] < inside[1]:
            raise InputError(
                f"the runs tried replay {words.per_cent(tried[0])} to {words.per_cent(tried[1])} "
                "only; search there"
            )
        question = replace(question, search=inside)
    answer = best_share(question, *found.curves)
    notes = (*found.notes, *_coarse(answer, question, found))
    return replace(answer, warnings=(*notes, *answer.warnings))


def _coarse(answer: MixtureShare, question: MixtureShare, found: _Found) -> tuple[str, ...]:
    """Return a warning where the answer hangs on how the runs are interpolated."""
    if found.straight is None or answer.best is None:
        return ()
    other = best_share(question, *found.straight).best
    if other is not None and abs(other.replay - answer.best.replay) <= COARSE:
        return ()
    where = "none" if other is None else words.per_cent(other.replay)
    return (
        f"straight lines between the runs would give {where}: the shares tried lie far apart, "
        "and the interval does not hold that; run one in between",
    )


@dataclass(frozen=True)
class _Asked:
    tokens_stage2: float
    size: float | None
    bootstrap: int
    seed: int
    level: float


@dataclass(frozen=True)
class _Found:
    """The curves of the new and the old text, and how they were come by."""

    basis: str
    curves: tuple[ShareCurve, ShareCurve] | None
    notes: tuple[str, ...] = ()
    straight: tuple[ShareCurve, ShareCurve] | None = None
    """The same runs joined by straight lines, where they were interpolated."""


def _curves(rows: RunTable, texts: tuple[str, str], asked: _Asked) -> _Found:
    """Return the curves of fitted laws, else interpolated ones, else why there are none."""
    parts = {role: of_text(rows, text) for role, text in zip(SHARES, texts, strict=True)}
    fits: list[Fit] = []
    for role, part in parts.items():
        found = _fitted(part, role, asked)
        if isinstance(found, str):
            return _interpolated(parts, asked, f"the D-CPT law of the {role} text: {found}")
        fits.append(found)
    given = {D2: asked.tokens_stage2, **({} if asked.size is None else {N: asked.size})}
    curves = [_law_curve(one, given, role) for one, role in zip(fits, SHARES, strict=True)]
    basis = f"the D-CPT law, fitted to {len(parts['new'])} rows on {texts[0]} and "
    return _Found(f"{basis}{len(parts['old'])} on {texts[1]}", (curves[0], curves[1]))


def _law_curve(found: Fit, given: dict[str, float], role: str) -> ShareCurve:
    """Return the curve of a fitted law, called by its text instead of its formula."""
    source = as_source(found)
    label = f"the D-CPT law of the {role} text"
    called = tuple(warning.replace(source.label, label) for warning in source.warnings)
    return share_curve(replace(source, label=label, warnings=called), given, role)


def _fitted(part: RunTable, role: str, asked: _Asked) -> Fit | str:
    """Return the fitted law, or why the rows do not allow it."""
    has_sizes = N in part and bool(np.isfinite(part.numbers(N)).all())
    n_sizes = len(levels(part, N)) if has_sizes else 1
    if n_sizes > 1 and n_sizes < FEWEST_LEVELS:
        part, n_sizes = of_size(part, asked.size), 1
    for name in (D2, REPLAY):
        count = len(levels(part, name))
        if count < FEWEST_LEVELS:
            return (
                f"its rows have {count} level{'s' if count > 1 else ''} of {name}, and it needs 3"
            )
    formula = f"formula:reuse: {SIZE if n_sizes > 1 else ''}{SHARES[role]}"
    n_params = 9 if n_sizes > 1 else 7
    if len(part) < n_params + SPARE:
        return f"its {len(part)} rows are too few for {n_params} parameters"
    found = fit(
        part, formula, bootstrap=asked.bootstrap, seed=asked.seed, level=asked.level, remarks=True
    )
    if found.status != "converged":
        why = "; ".join(d.message for d in found.diagnostics if d.severity == "error")
        return f"its rows do not determine it ({why or found.status})"
    return found


def _interpolated(parts: dict[str, RunTable], asked: _Asked, why: str) -> _Found:
    here = {
        role: near(of_size(part, asked.size), D2, asked.tokens_stage2)
        for role, part in parts.items()
    }
    for role, part in here.items():
        missing = why_not_interpolated(part)
        if missing is not None:
            reason = (
                f"no law and no interpolation: {why}; and of the {role} text {missing} at "
                f"{words.tokens(asked.tokens_stage2)} stage-2 tokens"
            )
            return _Found("the runs", None, (reason,))
    note = f"interpolated between the shares tried, at this D2 alone: {why}"
    basis = f"{len(here['new'])} and {len(here['old'])} rows, interpolated"
    smooth, straight = (_joined(here, asked, straight=how) for how in (False, True))
    return _Found(basis, smooth, (note,), straight)


def _joined(
    here: dict[str, RunTable], asked: _Asked, *, straight: bool
) -> tuple[ShareCurve, ShareCurve]:
    # Straight lines are for comparing the point estimates.
    n_draws = 0 if straight else asked.bootstrap
    new, old = (
        interpolated_curve(here[role], n_draws, asked.seed + place, straight=straight)
        for place, role in enumerate(SHARES)
    )
    return new, old
