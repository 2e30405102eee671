"""Numbers as the page writes them: tokens, losses, intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval, which are None where none was computed."""

    value: float
    lower: float | None = None
    upper: float | None = None

    @property
    def known(self) -> bool:
        """Whether both ends are finite numbers."""
        ends = (self.lower, self.upper)
        return all(end is not None and math.isfinite(end) for end in ends)

    @property
    def holds_zero(self) -> bool:
        """Whether zero lies inside the interval; only for an interval that is known."""
        assert self.lower is not None
        assert self.upper is not None
        return self.lower <= 0 <= self.upper

    @property
    def half_width(self) -> float:
        """Half the width of the interval, NaN where it is not known."""
        if self.lower is None or self.upper is None:
            return math.nan
        return (self.upper - self.lower) / 2


def interval_of(value: float, replicates: NDArray[np.float64], level: float) -> Interval:
    """Return `value` with the central `level` quantiles of `replicates`, shape (R,).

    Without finite replicates the ends are None.
    """
    finite = replicates[np.isfinite(replicates)]
    if finite.size < 2:
        return Interval(value)
    lower, upper = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(lower), float(upper))


def tokens(count: float) -> str:
    """Return a count with three significant digits and a suffix: ``250k``, ``1.32M``."""
    if not math.isfinite(count):
        return "–"
    for factor, suffix in _SUFFIXES:
        if abs(count) >= factor * 0.9995:
            return f"{_three_digits(count / factor)}{suffix}"
    return _three_digits(count)


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, without exponent where it is readable."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 6:
        return _minus(f"{value:.{max(0, digits - 1 - size)}f}")
    return _minus(f"{value:.{digits - 1}e}")


def nats(value: float | None) -> str:
    """Return a loss in nats per token with three decimals."""
    return "–" if value is None or not math.isfinite(value) else _minus(f"{value:.3f}")


def percent(share: float | None, decimals: int = 2) -> str:
    """Return a share as a percentage: 0.0064 -> ``0.64 %``."""
    if share is None or not math.isfinite(share):
        return "–"
    return _minus(f"{100 * share:.{decimals}f} %")


def with_interval(interval: Interval, digits: int = 3) -> str:
    """Return ``0.034 [0.021, 0.046]``; all three with the decimals of the value."""
    if not interval.known:
        return number(interval.value, digits)
    assert interval.lower is not None
    assert interval.upper is not None
    scale = max(abs(interval.value), interval.half_width)
    decimals = max(0, digits - 1 - math.floor(math.log10(scale))) if scale > 0 else digits
    if decimals > 5 or scale >= 1e6:
        ends = f"{number(interval.lower, digits)}, {number(interval.upper, digits)}"
        return f"{number(interval.value, digits)} [{ends}]"
    value, lower, upper = (
        _minus(f"{part:.{decimals}f}") for part in (interval.value, interval.lower, interval.upper)
    )
    return f"{value} [{lower}, {upper}]"


def tokens_with_interval(interval: Interval) -> str:
    """Return ``1.4M [1.1M, 2.3M]``; an open end is written as unbounded."""
    if interval.lower is None and interval.upper is None:
        return tokens(interval.value)
    lower = "0" if interval.lower is None else tokens(interval.lower)
    upper = "no upper end" if _unbounded(interval.upper) else tokens(interval.upper or 0.0)
    return f"{tokens(interval.value)} [{lower}, {upper}]"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Return ``1 run`` or ``3 runs``."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def listing(items: list[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _three_digits(value: float) -> str:
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e" in text else text


def _unbounded(end: float | None) -> bool:
    return end is None or not math.isfinite(end)


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
