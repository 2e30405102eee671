"""``bootlaw fit``: fit one law to a table of runs."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.cli.assignments import add_parameter_options, unique
from bootlaw.cli.numbers import delta, level, share
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
    _add_law_and_rows(parser)
    _add_objective(parser)
    add_parameter_options(parser)
    _add_intervals(parser)
    parser.add_argument(
        "--out",
        metavar="FIT.json",
        help="write the fit here, for bootlaw plan; those of several methods as FIT.METHOD.json",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def _add_law_and_rows(parser: argparse.ArgumentParser) -> None:
    """What is fitted to which rows."""
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
    parser.add_argument(
        "--method",
        help="fit the rows of this method: cpt, stack, ...; several, as cpt,stack, are fitted "
        "together with one E and one law from scratch, a fit each (parameters a3[cpt], ...)",
    )
    parser.add_argument("--where", metavar="EXPR", help="rows to fit, \"method == 'stack'\"")
    parser.add_argument(
        "--drop-lowest",
        type=share,
        default=0.0,
        metavar="F",
        help="leave out this share of the rows, those with the lowest losses (0)",
    )


def _add_objective(parser: argparse.ArgumentParser) -> None:
    """What is minimised."""
    parser.add_argument(
        "--delta",
        type=delta,
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
    parser.add_argument("--weights", metavar="COLUMN", help="weights of the rows")
    parser.add_argument(
        "--errors", metavar="COLUMN", help="known standard errors of the losses, such as loss_se"
    )


def _add_intervals(parser: argparse.ArgumentParser) -> None:
    """How sure the answer is."""
    parser.add_argument(
        "--bootstrap",
        type=_count,
        default=0,
        metavar="N",
        help="refits to resampled tables for the intervals, 50 or more, such as 1000 (none)",
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
        help="a profile interval as well of this parameter, or of the loss at D1=1B,D2=20B (may "
        "be repeated)",
    )
    parser.add_argument(
        "--level", type=level, default=0.95, metavar="P", help="coverage of intervals (0.95)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (0)")


def run(args: argparse.Namespace) -> int:
    """Fit, print and save; return the exit code of the status."""
    from bootlaw.fitting.document import require_writable
    from bootlaw.runs import read_numbers, read_runs

    for path in out_paths(args.out, methods_of(args.method)).values():
        require_writable(path)
    table = read_runs(args.table) if args.target == "loss" else read_numbers(args.table)
    for note in table.notes:
        say(f"bootlaw fit: note: {note}")
    fits = _fits(args, table)
    for method, path in out_paths(args.out, tuple(fits)).items():
        fits[method].save(path)
        say(f"bootlaw fit: wrote {path}")
    results = list(fits.values())
    if args.json:  # the summary for people holds them already
        for result in results:
            _say_remarks(result)
    documents = [result.to_json() for result in results]
    document = documents[0] if len(documents) == 1 else {"methods": documents}
    emit(args, document, "\n\n".join(result.summary() for result in results))
    return max(_EXIT_CODES[result.status] for result in results)


def methods_of(text: str | None) -> tuple[str, ...]:
    """Return the methods that were named, one or several with commas."""
    return tuple(name.strip() for name in (text or "").split(","))


def out_paths(out: str | None, methods: tuple[str, ...]) -> dict[str, Path]:
    """Return method -> the file of its fit; none where none was asked for."""
    if not out:
        return {}
    path = Path(out)
    if len(methods) == 1:
        return {methods[0]: path}
    plain = {name: re.sub(r"[^\w.-]", "-", name) for name in methods}
    return {name: path.with_name(f"{path.stem}.{plain[name]}{path.suffix}") for name in methods}


def _fits(args: argparse.Namespace, table: RunTable) -> dict[str, Fit]:
    """Return the fit asked for, or one for each of several methods."""
    from bootlaw.errors import InputError
    from bootlaw.fitting import fit, fit_jointly

    methods, law, options = methods_of(args.method), _law(args, table), _options(args)
    if len(methods) == 1:
        one = fit(table, law, method=args.method, target=args.target, **options)
        return {methods[0]: one}
    if args.target != "loss":
        raise InputError("several methods share an irreducible loss: leave out --target")
    return fit_jointly(table, law, methods, **options)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    names = (
        "where", "bootstrap", "delta", "loss", "scale", "level", "resample", "seed",
        "drop_lowest", "weights", "errors", "profile",
    )  # fmt: skip
    return {**{name: getattr(args, name) for name in names}, **_parameters(args)}


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
