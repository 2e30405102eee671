"""``bootlaw fit``: fit one law to a table of runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.cli.assignments import add_parameter_options, unique
from bootlaw.cli.numbers import positive_number
from bootlaw.cli.output import add_json_option, emit, say

if TYPE_CHECKING:
    from bootlaw.fitting import Fit
    from bootlaw.laws import Law
    from bootlaw.runs import RunTable

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
    parser.add_argument("--law", help="key of the law, see bootlaw laws (default: bootstrapped)")
    parser.add_argument(
        "--formula",
        metavar="TEXT",
        help='a law of your own, "A*D1^-a1*D2^(-a2+a3*log(D1)) + E": capitals are amounts '
        "above 0, small letters are free",
    )
    parser.add_argument(
        "--target",
        default="loss",
        metavar="COLUMN",
        help="the column to predict (loss); another one may stand in any table of numbers",
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
        type=_delta,
        default=1e-3,
        help="log residual where the loss turns from quadratic to linear (%(default)s); auto: "
        "1.345 robust standard deviations of the residuals",
    )
    parser.add_argument(
        "--loss",
        choices=("huber", "squared", "student-t"),
        default="huber",
        help="what is summed over the rows (%(default)s)",
    )
    parser.add_argument(
        "--scale",
        choices=("log", "level"),
        default="log",
        help="residuals of logarithms or of the values themselves (%(default)s)",
    )
    parser.add_argument(
        "--resample",
        default="auto",
        metavar="HOW",
        help="how replicates are made: auto, random-effects, wild, trunks or pairs (auto)",
    )
    parser.add_argument(
        "--profile",
        metavar="NAME",
        action="append",
        default=[],
        help="a profile interval of this parameter as well (may be repeated)",
    )
    parser.add_argument("--weights", metavar="COLUMN", help="weights of the rows")
    parser.add_argument(
        "--errors", metavar="COLUMN", help="known standard errors of the losses, such as loss_se"
    )
    add_parameter_options(parser)
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
    from bootlaw.runs import read_numbers, read_runs

    if args.out:
        require_writable(Path(args.out))
    table = read_runs(args.table) if args.target == "loss" else read_numbers(args.table)
    for note in table.notes:
        say(f"bootlaw fit: note: {note}")
    result = fit(
        table,
        _law(args, table),
        method=args.method,
        where=args.where,
        target=args.target,
        bootstrap=args.bootstrap,
        delta=args.delta,
        loss=args.loss,
        scale=args.scale,
        level=args.level,
        resample=args.resample,
        seed=args.seed,
        drop_lowest=args.drop_lowest,
        weights=args.weights,
        errors=args.errors,
        profile=args.profile,
        **_parameters(args),
    )
    if args.json:  # the summary for people holds them already
        _say_remarks(result)
    if args.out:
        result.save(args.out)
        say(f"bootlaw fit: wrote {args.out}")
    emit(args, result.to_json(), result.summary())
    return _EXIT_CODES[result.status]


def _law(args: argparse.Namespace, table: RunTable) -> str | Law:
    from bootlaw import laws
    from bootlaw.errors import InputError

    if args.formula is None:
        return args.law or "bootstrapped"
    if args.law is not None:
        raise InputError("--law and --formula are both given; choose one")
    law = laws.from_formula(args.formula, columns=numeric_columns(table))
    columns, names = (", ".join(found) or "none" for found in (law.variables, law.names))
    say(f"bootlaw fit: note: the formula reads columns {columns} and fits {names}")
    return law


def numeric_columns(table: RunTable) -> tuple[str, ...]:
    """Return the columns of numbers, which formulas may name."""
    return tuple(name for name, values in table.columns.items() if values.dtype != object)


def _parameters(args: argparse.Namespace) -> dict[str, Any]:
    from bootlaw.errors import InputError

    flags = {"fixed": "fix", "tied": "tie", "bounds": "bound", "priors": "prior", "start": "start"}
    try:
        return {name: unique(getattr(args, flag), f"--{flag}") for name, flag in flags.items()}
    except argparse.ArgumentTypeError as error:
        raise InputError(str(error)) from None


def _delta(text: str) -> float | str:
    return text if text == "auto" else positive_number(text)


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
