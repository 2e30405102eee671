"""``bootlaw compare``: the contest of laws on one table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import positive_number
from bootlaw.cli.output import add_json_option, emit, say

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

HOLDOUTS = ("lowest-loss", "largest-d1", "largest-d2", "largest-n", "kfold")


def add_parser(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "compare",
        help="which law predicts held-out runs best",
        description="Fit several laws to the same rows and score them on the same held-out rows.",
    )
    parser.add_argument("table", metavar="TABLE", help="run table: CSV, JSONL or Parquet")
    parser.add_argument("--laws", metavar="A,B", help="keys of the laws (default: five)")
    parser.add_argument("--method", metavar="NAME", help="use the rows of this method")
    parser.add_argument("--where", metavar="EXPR", help="use the rows that match")
    parser.add_argument(
        "--holdout", choices=HOLDOUTS, default="lowest-loss", help="which rows to hold out"
    )
    parser.add_argument(
        "--delta", type=positive_number, default=1e-3, metavar="X", help="Huber threshold"
    )
    parser.add_argument(
        "--bootstrap",
        type=_count,
        default=200,
        metavar="N",
        help="replicates for the coverage of prediction intervals (0: none, else 50 or more)",
    )
    parser.add_argument("--seed", type=_count, default=0, metavar="N", help="random seed")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the contest; return 0, or 3 when fewer than two of several laws could be fitted."""
    from bootlaw.fitting import compare
    from bootlaw.runs import read_runs

    table = read_runs(args.table)
    for note in table.notes:
        say(f"bootlaw compare: note: {note}")
    comparison = compare(
        table,
        _keys(args.laws),
        method=args.method,
        where=args.where,
        holdout=args.holdout,
        delta=args.delta,
        bootstrap=args.bootstrap,
        seed=args.seed,
    )
    emit(args, comparison.to_json(), comparison.summary())
    return 0 if comparison.is_contest or comparison.only_law_fitted else 3


def _keys(text: str | None) -> list[str] | None:
    return None if text is None else [key.strip() for key in text.split(",") if key.strip()]


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)
