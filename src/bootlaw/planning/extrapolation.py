"""How far beyond its data a fit is asked, in decades and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bootlaw.planning import words

SLIGHT = 0.05
"""Up to 12 % beyond the data counts as inside them: no warning."""

ROUNDING = math.log10(1.01)
"""Less than 1 % beyond the data is none: runs end on whole batches, people ask round numbers."""

FAR = 1.0
"""Decades from which an interval says little: it holds only if the law's form does, and laws
that fit the same data equally well part from each other there."""


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


def _decades(value: float, low: float, high: float) -> float:
    beyond = max(math.log10(value / high), math.log10(low / value) if low > 0 else 0.0)
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
