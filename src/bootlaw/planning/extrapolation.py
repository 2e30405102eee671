"""How far beyond its data a fit is asked, in decades and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bootlaw.planning import words
from bootlaw.planning.paired import Part
from bootlaw.planning.source import Source

SLIGHT = 0.05
"""Up to 12 % beyond the data counts as inside them: no warning."""

ROUNDING = math.log10(1.01)
"""Less than 1 % beyond the data is none: runs end on whole batches, people ask round numbers."""

FAR = 1.0
"""Decades from which an interval says little: it holds only if the law's form does, and laws
that fit the same data equally well part from each other there."""


FAR_STEPS = 3.0
"""Steps of the hold-outs beyond which the width of an interval grows by assumption."""


def decades_beyond(
    ranges: Mapping[str, tuple[float, float]], asked: Mapping[str, float]
) -> dict[str, float]:
    """Return, for each variable, the decades between the value asked and the fitted range.

    0 inside the range and within 1 % of it, positive on either side; variables without a range
    are left out.
    """
    return {
        name: _decades(value, *ranges[name])
        for name, value in asked.items()
        if name in ranges and value > 0
    }


def extrapolation_warnings(
    ranges: Mapping[str, tuple[float, float]], asked: Mapping[str, float]
) -> tuple[str, ...]:
    """Return one warning for each variable asked beyond the data, graver the further it is."""
    beyond = decades_beyond(ranges, asked)
    return tuple(
        _warning(name, asked[name], ranges[name], decades)
        for name, decades in beyond.items()
        if decades > SLIGHT
    )


def unearned_warnings(source: Source, asked: Mapping[str, float], part: Part) -> tuple[str, ...]:
    """Return one warning for each variable along which an interval has not earned its width.

    Earned is what `Fit.misfits` saw: the law held out at its largest levels and what it missed.
    Below the data nothing is held out.
    """
    if not source.has_intervals:
        return ()
    found = (
        _unearned(source, name, asked[name], decades, part)
        for name, decades in decades_beyond(source.ranges, asked).items()
        if decades > SLIGHT
    )
    return tuple(warning for warning in found if warning is not None)


def _unearned(source: Source, name: str, value: float, decades: float, part: Part) -> str | None:
    variable = words.VARIABLES.get(name, name)
    runs = " of runs from scratch" if part == "scratch" and source.law.is_two_stage else ""
    seen = [one for one in source.misfits if one.variable == name and one.covers(part)]
    if seen and value > source.ranges[name][1]:
        steps = decades / seen[0].decades
        if steps <= FAR_STEPS:
            return None
        return (
            f"hold-outs along {variable}{runs} reached {seen[0].decades:.2g} decades; "
            f"{decades:.2g} decades are {steps:.2g} times as far, where the interval's width grows "
            "by assumption"
        )
    why = "too few levels to hold any out" if value > source.ranges[name][1] else "below the data"
    missing = f"the interval's width along {variable}{runs} is not earned in hold-outs ({why})"
    if decades <= FAR / 2:
        return f"{missing}: it may be somewhat too narrow"
    if decades <= FAR:
        return f"{missing}: take it for the least that it can be"
    return (
        f"{missing}: at {decades:.1f} decades it says nothing of the law's own error, which may "
        "be several times as wide; do not decide on it"
    )


def _decades(value: float, low: float, high: float) -> float:
    at = math.log10(value)
    beyond = max(at - math.log10(high), math.log10(low) - at if low > 0 else 0.0)
    return beyond if beyond >= ROUNDING else 0.0


def if_the_law_holds(extrapolation: Mapping[str, float]) -> str:
    """Return the condition to print beside a level, empty up to a decade beyond the data."""
    return " if the law holds" if max(extrapolation.values(), default=0.0) > FAR else ""


def _warning(name: str, value: float, fitted: tuple[float, float], decades: float) -> str:
    low, high = fitted
    where = (
        f"{words.tokens(value)} {words.VARIABLES.get(name, name)} is {10**decades:.3g} times "
        + ("above" if value > high else "below")
        + f" the fitted range {words.tokens(low)} to {words.tokens(high)}"
    )
    if decades <= FAR / 2:
        return f"{where}: a mild extrapolation"
    if decades <= FAR:
        return f"{where}: an extrapolation; check it with a run in between"
    return (
        f"{where}: {decades:.1f} decades out, where the interval holds only if the law itself "
        "does; other laws that fit these data as well may differ by more"
    )
