"""Numbers as people write them: ``1.3B``, ``300e9``, ``2T``."""

from __future__ import annotations

import argparse
import math


def parse_number(text: str) -> float:
    """Return the number written as `text`, with an optional suffix k, M, B (or G) or T.

    Raises
    ------
    ValueError
        When `text` is not such a number, or not finite.
    """
    # On first use: only a command that is given a number needs the room, and numpy with it.
    from bootlaw.runs.quantities import parse_quantity

    value = parse_quantity(text.replace("_", ""))
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def positive_number(text: str) -> float:
    """Argparse type: a number above zero."""
    return _checked(text, minimum=0.0, strict=True)


def non_negative_number(text: str) -> float:
    """Argparse type: zero or a number above it."""
    return _checked(text, minimum=0.0, strict=False)


def whole_number(text: str) -> int:
    """Argparse type: a whole number above zero."""
    value = positive_number(text)
    if not value.is_integer():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number")
    return int(value)


def level(text: str) -> float:
    """Argparse type: the level of an interval, between 0 and 1."""
    return _share(text, "0.95", zero=False)


def share(text: str) -> float:
    """Argparse type: a share from 0 to below 1."""
    return _share(text, "0.1", zero=True)


def delta(text: str) -> float | str:
    """Argparse type: a Huber threshold above zero, or ``auto``."""
    return text if text == "auto" else positive_number(text)


def _share(text: str, example: str, *, zero: bool) -> float:
    try:
        value = parse_number(text)
    except ValueError:
        value = -1.0
    if not (0 < value < 1 or (zero and value == 0)):
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1, such as {example}")
    return value


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
