"""``bootlaw compare``: the contest of laws on one table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.forecasts import add_forecast_option, forecast_columns
from bootlaw.cli.numbers import delta
from bootlaw.cli.output import add_json_option, emit, say
from bootlaw.errors import InputError, UndeterminedError

if TYPE_CHECKING:
    from bootlaw.fitting import Comparison, Comparisons
    from bootlaw.laws import Law
    from bootlaw.runs import RunTable

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

HOLDOUTS = ("lowest-loss", "largest-d1", "largest-d2", "largest-n", "expanding", "kfold")
"""`bootlaw.fitting.holdouts.HOLDOUTS`, without importing numpy for ``--help``."""

ALL = "all"
DEFAULT_HOLDOUT = "lowest-loss"
PLANNING_HOLDOUTS = "largest-d1,largest-d2"
"""`bootlaw.fitting.average.HOLDOUTS`: plans reach beyond the runs in both."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "compare",
        help="which law predicts held-out runs best",
        description="Fit laws to the same rows and score them on the same held-out rows.",
    )
    parser.add_argument("table", metavar="TABLE", help="run table: CSV, JSONL or Parquet")
    parser.add_argument(
        "--laws", metavar="A,B", help="keys of the laws, all for those that apply (default: all)"
    )
    parser.add_argument(
        "--formula",
        action="append",
        metavar="TEXT",
        help='a law of your own beside them, "A*D1^-a*D2^-b + E"; may be repeated',
    )
    parser.add_argument("--method", metavar="NAME", help="use the rows of this method")
    parser.add_argument("--where", metavar="EXPR", help="use the rows that match")
    parser.add_argument(
        "--holdout",
        metavar="NAME[,NAME]",
        help=f"rows to hold out: {', '.join(HOLDOUTS)}, expanding:COLUMN, or {ALL} that the rows "
        f"allow (default: {DEFAULT_HOLDOUT}; with --out {PLANNING_HOLDOUTS}; with --no-shift all)",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write the laws, fitted to all rows and averaged by their held-out errors, for "
        "bootlaw plan; by default those that read nothing but tokens and the model's size",
    )
    parser.add_argument(
        "--no-shift",
        action="store_true",
        help="does the main law beat total tokens where stage 2 continues on the same text?",
    )
    _add_fit_options(parser)
    add_forecast_option(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def _add_fit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delta",
        type=delta,
        default=1e-3,
        metavar="X",
        help="Huber threshold (%(default)s); auto: each fit's own, 1.345 robust standard "
        "deviations of its residuals",
    )
    parser.add_argument(
        "--bootstrap",
        type=_count,
        default=200,
        metavar="N",
        help="replicates for prediction intervals and their coverage (0: none, else 50 or more)",
    )
    parser.add_argument("--seed", type=_count, default=0, metavar="N", help="random seed")


def run(args: argparse.Namespace) -> int:
    """Print the contest; return 0, or 3 when fewer than two of several laws could be fitted."""
    from bootlaw.runs import read_runs

    if args.no_shift and (args.laws or args.formula or args.forecast or args.out):
        raise InputError(
            "--no-shift compares laws of its own: leave out --laws, --formula, --forecast and "
            "--out (see bootlaw compare --help)"
        )
    table = read_runs(args.table)
    for note in table.notes:
        say(f"bootlaw compare: note: {note}")
    return _run_control(args, table) if args.no_shift else _run_contest(args, table)


def _run_contest(args: argparse.Namespace, table: RunTable) -> int:
    asked = forecast_columns(args)
    _require_writable(args.out)
    found = _contest(args, table)
    decided = found.is_contest or found.only_law_fitted
    for columns in asked:
        try:
            found = found.with_forecast(columns)
        except UndeterminedError as error:
            say(f"bootlaw compare: {error}")
            decided = False
    if args.out is None:
        emit(args, found.to_json(), found.summary())
        return 0 if decided else 3
    return _with_average(args, table, found, decided)


def _require_writable(path: str | None) -> None:
    """Refuse a file that could not be written before anything is worked out."""
    from pathlib import Path

    from bootlaw.fitting.document import require_writable

    if path is not None:
        require_writable(Path(path))


def _with_average(
    args: argparse.Namespace, table: RunTable, found: Comparison | Comparisons, decided: bool
) -> int:
    """Print the contest, and write the average of its laws; 3 where there is none."""
    from bootlaw.fitting.average import average_of

    try:
        average = average_of(
            found,
            table,
            where=args.where,
            delta=args.delta,
            bootstrap=args.bootstrap,
            seed=args.seed,
        )
    except UndeterminedError as error:
        emit(args, found.to_json(), found.summary())
        say(f"bootlaw compare: {error}; nothing was written")
        return 3
    average.save(args.out)
    document = {**found.to_json(), "average": average.weights_document(), "out": args.out}
    emit(args, document, f"{found.summary()}\n\n{average.summary()}\nwritten to {args.out}")
    return 0 if decided else 3


def _contest(args: argparse.Namespace, table: RunTable) -> Comparison | Comparisons:
    from bootlaw.fitting import compare

    usual = DEFAULT_HOLDOUT if args.out is None else PLANNING_HOLDOUTS
    names = _holdouts(args.holdout or usual)
    options = {
        "method": args.method,
        "where": args.where,
        "delta": args.delta,
        "bootstrap": args.bootstrap,
        "seed": args.seed,
    }
    if len(names) == 1:
        return compare(table, _laws(args, table), holdout=names[0], **options)
    return compare(table, _laws(args, table), holdout=names, **options)


def _run_control(args: argparse.Namespace, table: RunTable) -> int:
    from bootlaw.fitting.no_shift import no_shift

    found = no_shift(
        table,
        method=args.method,
        where=args.where,
        holdouts=_holdouts(args.holdout or ALL),
        delta=args.delta,
        bootstrap=args.bootstrap,
        seed=args.seed,
    )
    emit(args, found.to_json(), found.summary())
    return 3 if found.verdict == "undetermined" else 0


def _holdouts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    return HOLDOUTS if names == (ALL,) else names or (text,)


def _laws(args: argparse.Namespace, table: RunTable) -> list[str | Law] | None:
    """Return the laws named and the formulas; formulas alone join all laws that apply.

    With ``--out`` those that apply are the ones that a question about tokens and size can ask.
    """
    from bootlaw.fitting.average import plain_laws
    from bootlaw.laws import from_formula

    named = None if args.laws is None else [k.strip() for k in args.laws.split(",") if k.strip()]
    if named is None and args.out is not None:
        named = [law.key for law in plain_laws(table, args.method, args.where)]
    if not args.formula:
        return None if named is None else [*named]
    numbers = [name for name, values in table.columns.items() if values.dtype != object]
    formulas = [from_formula(text, columns=numbers) for text in args.formula]
    return [*(["all"] if named is None else named), *formulas]


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)
