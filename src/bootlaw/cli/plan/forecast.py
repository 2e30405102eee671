"""``bootlaw plan forecast``: the loss of a planned run, or of a grid of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import non_negative_number
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
        type=_bases,
        required=True,
        metavar="D1[,D1...]",
        help="tokens of the base, e.g. 300B; 0 asks about training from scratch; several as "
        "1B,10B or, evenly in the logarithm, 1B:1T:13",
    )
    parser.add_argument(
        "--tokens-stage2",
        type=options.positive_numbers,
        required=True,
        metavar="D2[,D2...]",
        help="tokens of the second stage, or of the only one; several in the same way",
    )
    options.add_variables(parser, several_sizes=True)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the expected loss of one run or of several; return 3 when the law has none to give."""
    from bootlaw.planning import Forecast, forecast_grid

    found = forecast_grid(
        options.source(args),
        tokens_stage1=args.tokens_stage1,
        tokens_stage2=args.tokens_stage2,
        params=args.params,
        level=args.level,
        at=options.at(args),
    )
    if len(found.rows) > 1:
        emit(args, found.to_json(), found.summary())
    elif isinstance(answer := found.rows[0], Forecast):
        emit(args, answer.to_json(), answer.summary())
    else:
        emit(args, answer.to_json(), f"no answer\n  undetermined: {answer}")
    return 0 if found.determined else 3


def _bases(text: str) -> list[float]:
    """Argparse type: numbers of tokens, 0 among them."""
    if ":" in text:
        return options.positive_numbers(text)
    return [non_negative_number(part) for part in text.split(",")]
