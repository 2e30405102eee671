"""``bootlaw plan forecast``: the loss of one planned run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import non_negative_number, positive_number
from bootlaw.cli.output import emit
from bootlaw.cli.plan import options

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser("forecast", help="expected loss with an interval")
    options.add_source(parser)
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
        help="tokens of the second stage, or of the only one",
    )
    options.add_variables(parser)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the expected loss of one run; return 3 when the law has none to give."""
    from bootlaw.planning import UndeterminedForecastError, forecast

    try:
        answer = forecast(
            options.source(args),
            tokens_stage1=args.tokens_stage1,
            tokens_stage2=args.tokens_stage2,
            params=args.params,
            level=args.level,
            at=options.at(args),
        )
    except UndeterminedForecastError as refusal:
        emit(args, refusal.to_json(), f"no answer\n  undetermined: {refusal}")
        return refusal.exit_code
    emit(args, answer.to_json(), answer.summary())
    return 0
