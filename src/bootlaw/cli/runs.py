"""``bootlaw runs check TABLE``: what is in a run table and what is wrong with it."""

from __future__ import annotations

import argparse

from bootlaw.cli.output import add_json_option, emit, say


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``runs`` and its one verb, ``check``."""
    parser = subparsers.add_parser("runs", help="read a run table and say what is in it")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    check = verbs.add_parser("check", help="say what is in a run table and what is wrong with it")
    check.add_argument(
        "table", metavar="TABLE", help=".csv, .jsonl (each also .gz) or .parquet, one row per run"
    )
    check.add_argument(
        "--where",
        metavar="EXPR",
        help="check only these rows, for example 'method == stack and D2 >= 250k'",
    )
    add_json_option(check)
    check.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the check; return 0, with warnings too: a table that is wrong raises InputError."""
    from bootlaw.runs import check_runs, read_runs

    check = check_runs(read_runs(args.table, where=args.where))
    for note in check.notes:
        say(f"bootlaw runs: note: {note}")
    emit(args, check.to_json(), str(check))
    return 0
