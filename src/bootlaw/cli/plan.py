"""``bootlaw plan``: answers from fitted laws."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import non_negative_number, parse_number, positive_number
from bootlaw.cli.output import add_json_option, emit
from bootlaw.errors import InputError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the command's parser and those of its questions."""
    parser = subparsers.add_parser("plan", help="what loss to expect, and where scratch catches up")
    questions = parser.add_subparsers(dest="question", metavar="QUESTION", required=True)
    _add_forecast(questions)
    _add_breakeven(questions)


def run_forecast(args: argparse.Namespace) -> int:
    """Print the expected loss of one run; return 3 when the fit has none to give."""
    from bootlaw.fitting import Fit
    from bootlaw.planning import UndeterminedForecastError, forecast

    try:
        answer = forecast(
            Fit.load(args.fit),
            tokens_stage1=args.tokens_stage1,
            tokens_stage2=args.tokens_stage2,
            level=args.level,
        )
    except UndeterminedForecastError as refusal:
        emit(args, refusal.to_json(), f"no answer\n  undetermined: {refusal}")
        return refusal.exit_code
    emit(args, answer.to_json(), answer.summary())
    return 0


def run_breakeven(args: argparse.Namespace) -> int:
    """Print where starting over catches up; return 3 when the data cannot tell."""
    from bootlaw.fitting import Fit
    from bootlaw.planning import breakeven

    answer = breakeven(
        Fit.load(args.fit),
        tokens_stage1=args.tokens_stage1,
        scratch=None if args.scratch is None else Fit.load(args.scratch),
        stage1=args.stage1,
        base_cost=args.base_cost,
        search=_search(args.range),
        level=args.level,
    )
    emit(args, answer.to_json(), answer.summary())
    return 3 if answer.status == "undetermined" else 0


def _search(written: Sequence[str] | None) -> tuple[float, float] | None:
    """Return the range; a complaint shows its numbers as they were written."""
    if written is None:
        return None
    low, high = (parse_number(text) for text in written)
    if low >= high:
        raise InputError(
            f"argument --range: {written[0]} to {written[1]} is empty; give the lower number "
            "first (see bootlaw plan breakeven --help)"
        )
    return low, high


def _checked_text(text: str) -> str:
    positive_number(text)
    return text


def _level(text: str) -> float:
    level = positive_number(text)
    if level >= 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1, e.g. 0.95")
    return level


def _add_forecast(questions: Subparsers) -> None:
    parser = questions.add_parser("forecast", help="expected loss with an interval")
    _add_fit(parser)
    parser.add_argument(
        "--tokens-stage1",
        type=non_negative_number,
        required=True,
        metavar="D1",
        help="tokens of the base, e.g. 300B; 0 asks about training from scratch",
    )
    parser.add_argument(
        "--tokens-stage2",
        type=positive_number,
        required=True,
        metavar="D2",
        help="tokens of the second stage",
    )
    _add_common(parser)
    parser.set_defaults(run=run_forecast)


def _add_breakeven(questions: Subparsers) -> None:
    parser = questions.add_parser("breakeven", help="where starting over catches up with reuse")
    _add_fit(parser)
    parser.add_argument(
        "--tokens-stage1",
        type=positive_number,
        required=True,
        metavar="D1",
        help="tokens of the base",
    )
    parser.add_argument(
        "--scratch", type=Path, metavar="FIT.json", help="a power fit to the scratch rows"
    )
    parser.add_argument(
        "--stage1",
        choices=("free", "paid"),
        default="free",
        help="paid: scratch gets the compute of stage 1 as well (default: free)",
    )
    parser.add_argument(
        "--base-cost",
        type=positive_number,
        default=1.0,
        metavar="X",
        help="FLOPs per token of the base over those of the final model (default: 1)",
    )
    parser.add_argument(
        "--range",
        type=_checked_text,
        nargs=2,
        metavar=("LO", "HI"),
        help="stage-2 tokens to search between",
    )
    _add_common(parser)
    parser.set_defaults(run=run_breakeven)


def _add_fit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fit", type=Path, metavar="FIT.json", help="written by bootlaw fit --out")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--level", type=_level, metavar="P", help="level of the interval, e.g. 0.9")
    add_json_option(parser)
