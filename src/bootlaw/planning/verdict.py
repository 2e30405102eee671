"""Who wins where, and whether the data can tell.

A break-even is left *undetermined* by these rules, each of which gives its reason in words:

1. **Replicates disagree**: more than 20 % of the bootstrap replicates give another verdict
   (a crossing from reuse to scratch, one the other way only, reuse always wins, scratch always
   wins) than the point estimate.
2. **Far and wide**: the crossing, whichever way it goes, lies more than one decade of D2 outside
   the data, and its interval is open at an end or spans more than two decades.
3. **Too close to call**: over the whole fitted range of D2 the two laws never differ by more
   than the residual scale of the fits, so that the form's own misfit decides.
4. **Rests on little**: without replicates, the gap that the verdict rests on (the smaller of the
   largest gaps on both sides of the crossing, or the smallest gap where there is none) is below
   the residual scale of the fits, or below 1 % of the loss for published coefficients.
5. **Out of sight**: what was asked, or the crossing, lies more than three decades outside the
   data. The search ends there, so that "no crossing" is a word about D2 that may be planned with.

Rule 1 needs replicates, rule 2 takes an unknown interval for an open one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning import words
from bootlaw.planning.crossings import Zeros

if TYPE_CHECKING:
    from bootlaw.planning.source import Source

Verdict = Literal["crossing", "reuse_always_wins", "scratch_always_wins"]

VERDICTS: tuple[Verdict, ...] = ("crossing", "reuse_always_wins", "scratch_always_wins")

LARGEST_DISAGREEMENT = 0.2
FAR_DECADES = 1.0
WIDE_DECADES = 2.0
ROUNDING = 1e-9
OUT_OF_SIGHT_DECADES = 3.0
"""Decades beyond the data from which no plan may be acted on."""

PUBLISHED_ERROR = 0.01
"""Log error taken for published coefficients, which come rounded and without a covariance: laws
of this kind miss real tables by 0.3 to 1.6 % (root mean square)."""


def own_error(*sources: Source) -> float:
    """Return the log error that an answer without replicates is taken to have.

    That of published coefficients where some are, else the largest residual scale; NaN where
    none is known.
    """
    if any(source.published for source in sources):
        return PUBLISHED_ERROR
    return float(np.fmax.reduce([source.residual_scale for source in sources]))


def verdicts(zeros: Zeros) -> list[Verdict]:
    """Return one verdict per curve of reuse minus scratch."""
    crossed = zeros.count() > 0
    return [
        "crossing" if some else "scratch_always_wins" if above else "reuse_always_wins"
        for some, above in zip(crossed, zeros.starts_above, strict=True)
    ]


def percentile_interval(positions: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the ends of the percentile interval of values that may be infinite.

    Each end is an order statistic, the outer one of the two that it lies between: there is no
    way to interpolate towards infinity.
    """
    ordered = np.sort(positions)
    tail = (1 - level) / 2 * (ordered.size - 1)
    return float(ordered[math.floor(tail)]), float(ordered[math.ceil(ordered.size - 1 - tail)])


def disagreement(point: Verdict | None, agreement: float | None) -> str | None:
    """Return the reason of rule 1, None where the replicates agree well enough.

    Parameters
    ----------
    agreement : share of the replicates that agree; None without any.
    """
    if point is None or agreement is None or 1 - agreement <= LARGEST_DISAGREEMENT + ROUNDING:
        return None
    return (
        f"{words.per_cent(1 - agreement)} of the bootstrap replicates give another verdict than "
        f"{point.replace('_', ' ')}"
    )


def far_and_wide(decades: float, interval: tuple[float, float] | None) -> str | None:
    """Return the reason of rule 2, for a crossing `decades` outside the data.

    `interval` is in tokens, its ends 0 or infinite where it is open; None where it is unknown.
    """
    if interval is None:
        if decades <= FAR_DECADES:
            return None
        return f"the crossing lies {decades:.1f} decades outside the data and has no interval"
    lower, upper = interval
    closed = lower > 0 and upper < math.inf
    span = math.log10(upper / lower) if closed else math.inf
    if decades <= FAR_DECADES or span <= WIDE_DECADES:
        return None
    width = f"spans {span:.1f} decades" if math.isfinite(span) else "has an open end"
    return f"the crossing lies {decades:.1f} decades outside the data and its interval {width}"


def too_close(largest_log_gap: float, residual_scale: float) -> str | None:
    """Return the reason of rule 3, None where the laws are further apart than the residuals.

    A residual scale that is not known (NaN, no row to spare) gives no reason.
    """
    if not largest_log_gap <= residual_scale:
        return None
    return (
        f"over the fitted D2 the two laws differ by {words.per_cent(largest_log_gap)} at most, "
        f"less than the residual scale of the fit ({words.per_cent(residual_scale)})"
    )


def rests_on_little(log_gap: float, loss: float, error: float) -> str | None:
    """Return the reason of rule 4, None where the gap that decides exceeds the error.

    Parameters
    ----------
    log_gap : |ln reuse - ln scratch| that the verdict rests on.
    loss : nats per token there.
    error : log error of the laws; NaN where unknown, which gives no reason.
    """
    if not log_gap < error:
        return None
    nats = loss * log_gap
    return (
        f"the verdict rests on a gap of {nats:.3f} nats ({words.per_cent(log_gap)} of the loss), "
        f"below the laws' own error of {words.per_cent(error)}"
    )


def out_of_sight(extrapolation: Mapping[str, float]) -> tuple[str, ...]:
    """Return the reasons of rule 5, one for each variable more than three decades outside.

    Parameters
    ----------
    extrapolation : variable -> decades beyond the fitted range.
    """
    return tuple(
        f"{words.VARIABLES.get(name, name)} lie {decades:.1f} decades outside the data; do runs in "
        "between first"
        for name, decades in extrapolation.items()
        if decades > OUT_OF_SIGHT_DECADES
    )
