"""``bootlaw plan breakeven``: where starting over catches up with reuse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import parse_number, positive_number
from bootlaw.cli.output import emit, say
from bootlaw.cli.plan import costs, options
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.threshold import Threshold

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser("breakeven", help="where starting over catches up with reuse")
    options.add_source(parser)
    options.add_scratch(parser)
    parser.add_argument(
        "--tokens-stage1",
        type=options.positive_numbers,
        required=True,
        metavar="D1[,D1...]",
        help="tokens of the base; several as 1B,10B or, evenly in the logarithm, 1B:1T:13",
    )
    parser.add_argument(
        "--stage1",
        choices=("free", "paid"),
        default="free",
        help="free: the base exists; paid: scratch gets the compute of stage 1 as well "
        "(default: free)",
    )
    parser.add_argument(
        "--base-cost",
        type=positive_number,
        metavar="X",
        help="FLOPs per token of the base over those of the final model "
        "(default: from the two configs, else 1)",
    )
    parser.add_argument(
        "--range",
        type=_checked_text,
        nargs=2,
        metavar=("LO", "HI"),
        help="stage-2 tokens to search between",
    )
    parser.add_argument(
        "--figure",
        type=Path,
        metavar="FILE.svg",
        help="draw D* against D1, a line for each size of --params N,N,...",
    )
    options.add_variables(parser, several_sizes=True)
    costs.add_shapes(parser)
    costs.add_hardware(parser)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print where starting over catches up; return 3 when the data cannot tell."""
    from bootlaw.planning.threshold import threshold

    found = threshold(
        options.source(args),
        tokens_stage1=args.tokens_stage1,
        params=args.params,
        scratch=options.scratch(args),
        stage1=args.stage1,
        base_cost=costs.base_cost(args),
        search=_search(args.range),
        level=args.level,
        at=options.at(args),
        shape=costs.shape(args.model_config, args.sequence_length),
        on=costs.hardware(args),
    )
    if args.figure is not None:
        _draw(found, args.figure)
    answer = found if len(found.rows) > 1 else found.rows[0]
    emit(args, answer.to_json(), answer.summary())
    return 0 if found.determined else 3


def _draw(found: Threshold, path: Path) -> None:
    from bootlaw.atomic import write_text
    from bootlaw.reports.figures.threshold import threshold_panel

    if path.suffix != ".svg":
        raise InputError(f"--figure {path}: the figure is an SVG; end its name in .svg")
    if not path.parent.is_dir():
        raise InputError(f"--figure {path}: the folder {path.parent} does not exist")
    write_text(path, threshold_panel(found).svg)
    say(f"bootlaw plan: wrote {path}")


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
