"""Numbers as people write them: ``1.3B``, ``300e9``, ``2T``."""

from __future__ import annotations

import argparse
import math

_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}


def parse_number(text: str) -> float:
    """Return the number written as `text`, with an optional suffix k, M, B (or G) or T.

    Raises
    ------
    ValueError
        When `text` is not such a number, or not finite.
    """
    stripped = text.strip().replace("_", "")
    factor = _SUFFIXES.get(stripped[-1:].lower())
    value = float(stripped[:-1]) * factor if factor else float(stripped)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def positive_number(text: str) -> float:
    """Argparse type: a number above zero."""
    return _checked(text, minimum=0.0, strict=True)


def non_negative_number(text: str) -> float:
    """Argparse type: zero or a number above it."""
    return _checked(text, minimum=0.0, strict=False)


def _checked(text: str, *, minimum: float, strict: bool) -> float:
    try:
        value = parse_number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number; write it like 1.3B, 300e9 or 2T"
        ) from None
    if value < minimum or (strict and value == minimum):
        bound = "above" if strict else "at least"
        raise argparse.ArgumentTypeError(f"{text!r} must be {bound} {minimum:g}")
    return value


def human(value: float) -> str:
    """Return `value` with three significant digits and a suffix: ``1.3B``, ``250k``."""
    for factor, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g}{suffix}"
    return f"{value:.3g}"
