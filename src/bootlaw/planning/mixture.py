"""How much old text to replay in a second stage on new text."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity, words
from bootlaw.planning.extrapolation import ROUNDING
from bootlaw.planning.mixture_answer import Mix, MixtureShare
from bootlaw.planning.share_curves import ShareCurve, share_curve
from bootlaw.planning.source import AnySource, as_source
from bootlaw.planning.verdict import LARGEST_DISAGREEMENT, percentile_interval

Floats = NDArray[np.float64]

POINTS = 2001
"""Shares looked at; between them the optimum is found by interpolation."""

FLAT = 0.01
"""A new-domain loss up to this share above the best counts as no worse."""

STEP = 0.01
"""The change of the share whose price is told."""


def mixture_share(
    new: AnySource,
    old: AnySource,
    *,
    tokens_stage2: float,
    max_old_loss: float,
    params: float | None = None,
    tokens_stage1: float | None = None,
    search: tuple[float, float] = (0.0, 1.0),
    level: float | None = None,
) -> MixtureShare:
    """Return the replay share with the lowest new-domain loss that keeps the old one in bounds.

    Both losses are laws of the replay share, such as D-CPT (Que et al., arXiv 2406.01375), each
    fitted to the losses on its own text. Replicates of the two are paired in order; those of
    separate fits are independent. A source without replicates goes with each of the other's.

    Parameters
    ----------
    new, old : fits, their paths, or presets of laws that read the column ``replay``, of the
        losses on the new domain's text and on the old one's.
    tokens_stage2 : D2, raw tokens, replayed ones included.
    max_old_loss : the limit of the old-domain loss, nats per token.
    params, tokens_stage1 : N and D1, where a law reads them.
    search : the least and the greatest replay share to look at.
    level : of the interval; that of `new` by default.

    Raises
    ------
    InputError
        When a number makes no sense, or a law does not read the replay share.
    """
    sources = {"new": as_source(new), "old": as_source(old)}
    tokens_stage2 = validity.check_tokens(D2, tokens_stage2)
    given = {D2: tokens_stage2, N: params, D1: tokens_stage1}
    known = {
        name: validity.check_tokens(name, value)
        for name, value in given.items()
        if value is not None
    }
    level = sources["new"].level if level is None else level
    max_old_loss, search, level = checked_question(max_old_loss, search, level)
    curves = [share_curve(source, known, role) for role, source in sources.items()]
    basis = f"{curves[0].label} of the new text and {curves[1].label} of the old"
    question = MixtureShare(basis, tokens_stage2, max_old_loss, level, search)
    broken = [source.broken for source in sources.values() if source.broken is not None]
    if broken:
        return replace(question, reasons=tuple(broken))
    return best_share(question, curves[0], curves[1])


def checked_question(
    max_old_loss: float, search: tuple[float, float], level: float
) -> tuple[float, tuple[float, float], float]:
    """Return the limit, the shares and the level; InputError where one makes no sense."""
    limit = validity.check_tokens("max_old_loss", max_old_loss)
    search = validity.check_range(search, "replay")
    if not 0 <= search[0] < search[1] <= 1:
        raise InputError(
            f"the range of replay {search[0]:g} to {search[1]:g} makes no sense; give two shares "
            "of the tokens between 0 and 1, the lower one first"
        )
    return limit, search, validity.check_level(level)


def best_share(question: MixtureShare, new: ShareCurve, old: ShareCurve) -> MixtureShare:
    """Return the question with its answer filled in."""
    shares = np.linspace(*question.search, POINTS)
    new_loss, old_loss = _paired(new.losses(shares), old.losses(shares))
    n_curves = len(new_loss)
    optima, binding = _optima(_Grid(shares, new_loss, old_loss, question.max_old_loss))
    answer = replace(question, warnings=_warnings(new, old, n_curves))
    if not math.isfinite(optima[0]):
        return _impossible(answer, shares, new_loss[0], old_loss[0], optima[1:])
    best = _mix(float(optima[0]), new, old)
    lower, upper = _interval(optima[1:], question.level)
    at_best = _paired(new_loss, old.losses(np.array([best.replay])))[1]
    kept = at_best[1:, 0] <= question.max_old_loss * (1 + 1e-9)
    missing = _share(np.isinf(optima[1:]))
    return replace(
        answer,
        best=best,
        binding=bool(binding[0]),
        lower=lower,
        upper=upper,
        kept=_share(kept),
        impossible=missing,
        flat=_flat(shares, new_loss[0], old_loss[0], best, question.max_old_loss),
        price=_prices(best, question.search, new, old),
        reasons=_disagreement(missing, "keep the limit at no share"),
        warnings=(
            *_at_the_end(best.replay, bool(binding[0]), question.search),
            *_untried(best.replay, new, old),
            *answer.warnings,
        ),
    )


def _paired(new: Floats, old: Floats) -> tuple[Floats, Floats]:
    """Return as many curves of either kind; a lone point estimate goes with every replicate."""
    n_curves = max(len(new), len(old)) if 1 in (len(new), len(old)) else min(len(new), len(old))
    wide = [np.repeat(one, n_curves, axis=0) if len(one) == 1 else one for one in (new, old)]
    return wide[0][:n_curves], wide[1][:n_curves]


@dataclass(frozen=True)
class _Grid:
    """Losses (k, n) of k curves at n shares, and whether they keep the limit."""

    shares: Floats
    new: Floats
    old: Floats
    limit: float

    @cached_property
    def keeps(self) -> NDArray[np.bool_]:
        """(k, n) Whether a share keeps the limit."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.isfinite(self.new) & (self.old <= self.limit))

    @cached_property
    def best(self) -> NDArray[np.intp]:
        """(k,) The place of the best share looked at."""
        return np.asarray(np.argmin(np.where(self.keeps, self.new, np.inf), axis=1))

    def beside(self, step: int) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Return whether there is a share beside the best one, and its place (k,)."""
        place = self.best + step
        inside = (place >= 0) & (place < self.shares.size)
        return inside, np.clip(place, 0, self.shares.size - 1)


def _optima(grid: _Grid) -> tuple[Floats, NDArray[np.bool_]]:
    """Return (k,) the best share of each curve, inf where none keeps the limit, and whether
    the limit decides it.

    Where it does, the share at which the old loss reaches the limit, between two points looked
    at; else the lowest point of the parabola through the best point and its neighbours.
    """
    found = np.where(grid.keeps.any(axis=1), grid.shares[grid.best], np.inf)
    free, at_limit = _lowest(grid), _crossings(grid)
    binding = np.isfinite(found) & np.isfinite(at_limit)
    found = np.where(np.isfinite(found) & np.isfinite(free), free, found)
    return np.where(binding, at_limit, found), binding


def _crossings(grid: _Grid) -> Floats:
    """Return (k,) where the old loss reaches the limit, NaN where the new loss rises that way."""
    rows = np.arange(len(grid.new))
    found = np.full(len(grid.new), np.nan)
    for step in (1, -1):
        inside, place = grid.beside(step)
        decides = inside & ~grid.keeps[rows, place]
        decides &= grid.new[rows, place] < grid.new[rows, grid.best]
        here, there = grid.old[rows, grid.best], grid.old[rows, place]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = (grid.limit - here) / (there - here)
            between = grid.shares[grid.best] + part * (grid.shares[place] - grid.shares[grid.best])
        found = np.where(decides, between, found)
    return found


def _lowest(grid: _Grid) -> Floats:
    """Return (k,) the lowest point of the parabola through the best share, NaN without one."""
    rows = np.arange(len(grid.new))
    (has_left, left), (has_right, right) = grid.beside(-1), grid.beside(1)
    inside = has_left & has_right & grid.keeps[rows, left] & grid.keeps[rows, right]
    low, high = grid.new[rows, left], grid.new[rows, right]
    bend = low - 2 * grid.new[rows, grid.best] + high
    width = grid.shares[1] - grid.shares[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        lowest = grid.shares[grid.best] + width * (low - high) / (2 * bend)
    # A straight curve has no lowest point.
    return np.where(inside & (bend > 0), lowest, np.nan)


def _mix(replay: float, new: ShareCurve, old: ShareCurve) -> Mix:
    at = np.array([replay])
    return Mix(replay, float(new.losses(at)[0, 0]), float(old.losses(at)[0, 0]))


def _impossible(
    answer: MixtureShare, shares: Floats, new_loss: Floats, old_loss: Floats, replicates: Floats
) -> MixtureShare:
    place = int(np.nanargmin(old_loss))
    possible = _share(np.isfinite(replicates))
    return replace(
        answer,
        nearest=Mix(float(shares[place]), float(new_loss[place]), float(old_loss[place])),
        impossible=None if possible is None else 1 - possible,
        reasons=_disagreement(possible, "keep the limit at some share, the point estimate at none"),
    )


def _disagreement(share: float | None, what: str) -> tuple[str, ...]:
    if share is None or share <= LARGEST_DISAGREEMENT:
        return ()
    return (f"{words.per_cent(share)} of the replicates {what}",)


def _share(mask: NDArray[np.bool_]) -> float | None:
    return float(np.mean(mask)) if mask.size else None


def _interval(replicates: Floats, level: float) -> tuple[float | None, float | None]:
    if not replicates.size:
        return None, None
    ends = percentile_interval(replicates, level)
    return ends[0] if math.isfinite(ends[0]) else None, ends[1] if math.isfinite(ends[1]) else None


def _flat(
    shares: Floats, new_loss: Floats, old_loss: Floats, best: Mix, limit: float
) -> tuple[float, float]:
    """Return the shares next to the best one that are as good within `FLAT`."""
    with np.errstate(invalid="ignore"):
        good = (new_loss <= best.new_loss * (1 + FLAT)) & (old_loss <= limit)
    place = int(np.argmin(np.abs(shares - best.replay)))
    low = high = place
    while low > 0 and good[low - 1]:
        low -= 1
    while high < shares.size - 1 and good[high + 1]:
        high += 1
    return min(float(shares[low]), best.replay), max(float(shares[high]), best.replay)


def _prices(
    best: Mix, search: tuple[float, float], new: ShareCurve, old: ShareCurve
) -> tuple[Mix, ...]:
    beside = (best.replay - STEP, best.replay + STEP)
    return tuple(_mix(share, new, old) for share in beside if search[0] <= share <= search[1])


def _at_the_end(replay: float, binding: bool, search: tuple[float, float]) -> tuple[str, ...]:
    """Return a warning where the shares looked at end before the new-domain loss rises."""
    if binding or search[0] == 0 == replay or replay not in search:
        return ()
    side = "less" if replay == search[0] else "more"
    return (
        f"replay {words.per_cent(replay)} is where the shares looked at end, and {side} may be "
        "better still",
    )


def _untried(replay: float, new: ShareCurve, old: ShareCurve) -> tuple[str, ...]:
    """Return a warning where the share lies outside those that the runs tried."""
    tried = [curve.tried for curve in (new, old) if curve.tried is not None]
    if not tried:
        return ()
    low, high = max(ends[0] for ends in tried), min(ends[1] for ends in tried)
    slack = 10**ROUNDING - 1
    if low - slack <= replay <= high + slack:
        return ()
    return (
        f"replay {words.per_cent(replay)} is outside the shares that the runs tried, "
        f"{words.per_cent(low)} to {words.per_cent(high)}: it rests on the form of the laws",
    )


def _warnings(new: ShareCurve, old: ShareCurve, n_curves: int) -> tuple[str, ...]:
    silent = () if n_curves > 1 else ("no interval: the curves have no replicates",)
    found = (*new.beyond, *old.beyond, *silent, *new.warnings, *old.warnings)
    return tuple(dict.fromkeys(found))
