"""What the questions of ``bootlaw plan`` are asked with in common."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.assignments import fixed_value, unique
from bootlaw.cli.numbers import level, positive_number
from bootlaw.cli.output import add_json_option
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.source import Source


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add what the answer rests on: a fit on disk, or published coefficients by name."""
    parser.add_argument(
        "fit",
        nargs="?",
        metavar="FIT.json",
        help="written by bootlaw fit --out, or several laws averaged by bootlaw compare --out",
    )
    parser.add_argument(
        "--law",
        metavar="PRESET",
        help="published coefficients instead of a fit, such as liew2025-upcycling-upcycled "
        "(bootlaw laws lists them)",
    )


def add_scratch(parser: argparse.ArgumentParser) -> None:
    """Add the law of runs from scratch, where the fit holds none."""
    parser.add_argument(
        "--scratch",
        metavar="FIT.json|PRESET",
        help="a one-stage law (power, chinchilla) of runs from scratch: a fit or a preset",
    )


def add_variables(parser: argparse.ArgumentParser, *, several_sizes: bool = False) -> None:
    """Add the variables of laws other than tokens."""
    parser.add_argument(
        "--params",
        type=positive_numbers if several_sizes else positive_number,
        metavar="N[,N...]" if several_sizes else "N",
        help="non-embedding parameters, for laws that read the size, e.g. 1.3B",
    )
    parser.add_argument(
        "--at",
        type=fixed_value,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another column that the law reads, e.g. replay=0.05",
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the level of intervals and ``--json``."""
    parser.add_argument("--level", type=level, metavar="P", help="level of the interval, e.g. 0.9")
    add_json_option(parser)


def source(args: argparse.Namespace) -> Source:
    """Return what the answer rests on; InputError unless exactly one thing was named."""
    from bootlaw.laws import preset
    from bootlaw.planning.source import as_source

    if (args.fit is None) == (args.law is None):
        found = "neither" if args.fit is None else "both"
        raise InputError(
            f"name either a FIT.json or --law PRESET, found {found} "
            f"(see bootlaw plan {args.question} --help)"
        )
    return as_source(preset(args.law)) if args.fit is None else _fit(args.fit)


def scratch(args: argparse.Namespace) -> Source | None:
    """Return the law of runs from scratch; None where none was named."""
    from bootlaw.planning.source import as_source

    return None if args.scratch is None else as_source(args.scratch)


def at(args: argparse.Namespace) -> dict[str, float]:
    """Return the other columns that were given; InputError for one that was given twice."""
    try:
        return {name: float(str(value)) for name, value in unique(args.at, "--at").items()}
    except argparse.ArgumentTypeError as error:
        raise InputError(str(error)) from None


def _fit(path: str) -> Source:
    """Return the fit in a file; a preset's name in its place gets the hint that it wants --law."""
    from pathlib import Path

    from bootlaw.laws import preset_names
    from bootlaw.planning.source import as_source

    if path in preset_names() and not Path(path).exists():
        raise InputError(f"{path} is the name of published coefficients: write --law {path}")
    return as_source(Path(path))


def positive_numbers(text: str) -> list[float]:
    """Argparse type: numbers above zero, as 1B,10B or evenly in the logarithm as 1B:1T:13."""
    if ":" not in text:
        return [positive_number(part) for part in text.split(",")]
    parts = text.split(":")
    if len(parts) != 3 or not parts[2].isdigit() or not 2 <= int(parts[2]) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form LOW:HIGH:COUNT, 1B:1T:13")
    low, high, count = positive_number(parts[0]), positive_number(parts[1]), int(parts[2])
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]
