"""``bootlaw fit``: fit one law to a table of runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.cli.numbers import positive_number
from bootlaw.cli.output import add_json_option, emit, say

if TYPE_CHECKING:
    from bootlaw.fitting import Fit

_LEAST_BOOTSTRAP = 50
"""`bootlaw.fitting.fit.LEAST_BOOTSTRAP`, without importing numpy for ``--help``."""

_EXIT_CODES = {"converged": 0, "not_converged": 1, "not_identifiable": 3}


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "fit",
        help="fit one law to a table of runs",
        description="Fit one law to a table of runs. Exit code 3 where the rows cannot tell its "
        "parameters, 1 where the optimum could not be verified.",
    )
    parser.add_argument("table", metavar="TABLE", help="runs as .csv, .jsonl or .parquet")
    parser.add_argument(
        "--law", default="bootstrapped", help="key of the law, see bootlaw laws (%(default)s)"
    )
    parser.add_argument("--method", help="fit the rows of this method: cpt, stack, ...")
    parser.add_argument("--where", metavar="EXPR", help="rows to fit, \"method == 'stack'\"")
    parser.add_argument(
        "--bootstrap",
        type=_count,
        default=0,
        metavar="N",
        help="refits to resampled tables for the intervals, 50 or more, such as 1000 (none)",
    )
    parser.add_argument(
        "--drop-lowest",
        type=_share,
        default=0.0,
        metavar="F",
        help="leave out this share of the rows, those with the lowest losses (0)",
    )
    parser.add_argument(
        "--delta",
        type=positive_number,
        default=1e-3,
        help="log residual where the loss turns from quadratic to linear (%(default)s)",
    )
    parser.add_argument(
        "--level", type=_level, default=0.95, metavar="P", help="coverage of intervals (0.95)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (0)")
    parser.add_argument("--out", metavar="FIT.json", help="write the fit here, for bootlaw plan")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, print and save; return the exit code of the status."""
    from bootlaw.fitting import fit
    from bootlaw.fitting.document import require_writable
    from bootlaw.runs import read_runs

    if args.out:
        require_writable(Path(args.out))
    table = read_runs(args.table)
    for note in table.notes:
        say(f"bootlaw fit: note: {note}")
    result = fit(
        table,
        args.law,
        method=args.method,
        where=args.where,
        bootstrap=args.bootstrap,
        delta=args.delta,
        level=args.level,
        seed=args.seed,
        drop_lowest=args.drop_lowest,
    )
    if args.json:  # the summary for people holds them already
        _say_remarks(result)
    if args.out:
        result.save(args.out)
        say(f"bootlaw fit: wrote {args.out}")
    emit(args, result.to_json(), result.summary())
    return _EXIT_CODES[result.status]


def _say_remarks(result: Fit) -> None:
    for diagnostic in result.diagnostics:
        say(f"bootlaw fit: {diagnostic.severity}: {diagnostic.message}")


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    if 0 < int(text) < _LEAST_BOOTSTRAP:
        raise argparse.ArgumentTypeError(
            f"{text} refits are too few for an interval: give 0 for none, or "
            f"{_LEAST_BOOTSTRAP} or more"
        )
    return int(text)


def _level(text: str) -> float:
    return _between(text, "0.95", include_zero=False)


def _share(text: str) -> float:
    return _between(text, "0.1", include_zero=True)


def _between(text: str, example: str, *, include_zero: bool) -> float:
    """Return a number from 0 to below 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (0 < value < 1 or (include_zero and value == 0)):
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1, such as {example}")
    return value
