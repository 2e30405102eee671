"""Numbers as cells of a table hold them, read and written without loss."""

from __future__ import annotations

import math

SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_EXACT_INTEGERS = 2.0**53  # above it, neighbouring integers share one float64


def parse_quantity(text: str) -> float:
    """Return the number written as `text`, with an optional suffix k, M, B (or G) or T.

    A comma is refused: ``2,345`` is 2345 in one country and 2.345 in another.

    Raises
    ------
    ValueError
        When `text` is not such a number.
    """
    stripped = text.strip()
    factor = SUFFIXES.get(stripped[-1:].lower())
    return float(stripped[:-1]) * factor if factor else float(stripped)


def format_number(value: float) -> str:
    """Return the shortest text that reads back as exactly `value`; integers without ``.0``."""
    number = float(value)
    negative_zero = number == 0 and math.copysign(1.0, number) < 0
    if number.is_integer() and abs(number) < _EXACT_INTEGERS and not negative_zero:
        return str(int(number))
    return repr(number)


def short(value: float) -> str:
    """Return `value` with four significant digits and a suffix, for people: ``249.9k``."""
    for factor, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if factor <= abs(value) < 1e16:
            return f"{value / factor:.4g}{suffix}"
    return f"{value:.4g}"
