"""``--forecast``: the runs that a contest of laws is asked about."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from bootlaw.cli.numbers import non_negative_number

POSITIONS = ("tokens_stage1", "tokens_stage2", "params")
"""What numbers without a name stand for, in order."""


def add_forecast_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--forecast``, which may be repeated."""
    parser.add_argument(
        "--forecast",
        action="append",
        type=parse_run,
        metavar="D1,D2[,N]",
        help="expected loss of this run from all laws together, such as 300B,20B or "
        "D1=300B,D2=20B,replay=0.1; may be repeated",
    )


def parse_run(text: str) -> dict[str, float]:
    """Argparse type: ``300B,20B`` or ``D1=300B,D2=20B`` as column -> number."""
    run: dict[str, float] = {}
    for place, part in enumerate(text.split(",")):
        name, equals, number = part.rpartition("=")
        if not equals and place >= len(POSITIONS):
            raise argparse.ArgumentTypeError(
                f"{text!r} has more than {len(POSITIONS)} numbers; name them, D1=300B,D2=20B"
            )
        column = _column(name.strip()) if equals else POSITIONS[place]
        if column in run:
            raise argparse.ArgumentTypeError(f"{text!r} gives {column} twice")
        run[column] = non_negative_number(number.strip())
    return run


def _column(name: str) -> str:
    from bootlaw.runs.schema import column_named

    known = column_named(name)
    if known is None:
        return name
    return "tokens_stage2" if known.name == "tokens" else known.name


def forecast_columns(args: argparse.Namespace) -> list[Mapping[str, list[float]]]:
    """Return all runs asked for as columns of one length: a list of one table, or of none.

    Raises
    ------
    InputError
        When the runs name different columns.
    """
    from bootlaw.errors import InputError

    runs: list[dict[str, float]] = args.forecast or []
    if not runs:
        return []
    if any(set(run) != set(runs[0]) for run in runs):
        raise InputError("every --forecast must give the same columns, such as D1,D2")
    return [{name: [run[name] for run in runs] for name in runs[0]}]
