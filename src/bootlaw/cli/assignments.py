"""What the command line says of single parameters: ``--fix E=1.69``, ``--bound a1=0:1``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from bootlaw.cli.numbers import parse_number


def add_parameter_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that fix, tie, bound, guess or know parameters; each may be repeated."""
    options = (
        ("--fix", "NAME=VALUE", fixed_value, "hold a parameter at a value"),
        ("--tie", "NAME=OTHER", tie, "make a parameter equal to another one"),
        ("--bound", "NAME=LO:HI", bounds, "keep a parameter between two values; either may be ''"),
        ("--prior", "NAME=MEAN:SD", prior, "what is known of a parameter beforehand"),
        ("--start", "NAME=VALUE", fixed_value, "start from here too (give every parameter)"),
    )
    group = parser.add_argument_group("single parameters (each may be given several times)")
    for flag, metavar, kind, words in options:
        group.add_argument(
            flag, metavar=metavar, type=kind, action="append", default=[], help=words
        )


def fixed_value(text: str) -> tuple[str, float]:
    """Argparse type: NAME=VALUE."""
    name, value = _split(text, "E=1.69")
    return name, _number(value, text, "E=1.69")


def tie(text: str) -> tuple[str, str]:
    """Argparse type: NAME=OTHER."""
    return _split(text, "a2=a1")


def bounds(text: str) -> tuple[str, tuple[float | None, float | None]]:
    """Argparse type: NAME=LO:HI with either end left out."""
    name, ends = _split(text, "a1=0:1")
    low, colon, high = ends.partition(":")
    if not colon or not (low or high):
        raise argparse.ArgumentTypeError(f"{text!r} is not a pair of bounds; write a1=0:1 or E=:2")
    return name, tuple(_number(end, text, "a1=0:1") if end else None for end in (low, high))  # type: ignore[return-value]


def prior(text: str) -> tuple[str, tuple[float, float]]:
    """Argparse type: NAME=MEAN:SD."""
    name, ends = _split(text, "E=1.7:0.1")
    mean, colon, deviation = ends.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} has no standard deviation; write E=1.7:0.1")
    example = "E=1.7:0.1"
    return name, (_number(mean, text, example), _number(deviation, text, example))


def unique(pairs: Iterable[tuple[str, object]], flag: str) -> dict[str, object]:
    """Return the pairs as a dictionary; refuse a parameter that was named twice."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise argparse.ArgumentTypeError(f"{flag} names {name} twice; give it once")
        found[name] = value
    return found


def _split(text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form {example}")
    return name.strip(), value.strip()


def _number(text: str, whole: str, example: str) -> float:
    try:
        return parse_number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} in {whole!r} is not a number; write it like {example}"
        ) from None
