"""``bootlaw plan choose``: which checkpoint to start a second stage from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bootlaw.cli.numbers import positive_number, whole_number
from bootlaw.cli.output import emit
from bootlaw.cli.plan import costs, options
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.checkpoints import Checkpoint

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser(
        "choose",
        help="which of these checkpoints to start a second stage from",
        description="Rank checkpoints by the loss that they reach after a second stage: the "
        "public base models that bootlaw knows, those of them that --names lists, or those of "
        "a table of your own. --list shows them without a law.",
    )
    options.add_source(parser)
    parser.add_argument(
        "--checkpoints", metavar="FILE.csv", help="a table of your own, columns as in the docs"
    )
    parser.add_argument("--names", metavar="A,B", help="only these checkpoints")
    parser.add_argument("--list", action="store_true", help="print the checkpoints and stop")
    parser.add_argument(
        "--tokens-stage2",
        type=positive_number,
        metavar="D2",
        help="tokens of the second stage, for every checkpoint",
    )
    parser.add_argument(
        "--budget",
        type=positive_number,
        metavar="X",
        help="instead: what the second stage may cost; larger models get fewer tokens",
    )
    parser.add_argument(
        "--unit",
        choices=costs.BUDGET_UNITS,
        default="flops",
        help="of --budget (default: flops)",
    )
    parser.add_argument(
        "--params",
        type=positive_number,
        metavar="N",
        help="the final size that checkpoints are grown to; for a law that does not read the "
        "size, that of the bases it was fitted to",
    )
    parser.add_argument(
        "--max-params",
        type=positive_number,
        metavar="N",
        help="the most parameters that one token may use, for serving",
    )
    parser.add_argument("--tokenizer", metavar="NAME", help="tokenizer of the runs behind the law")
    parser.add_argument(
        "--schedule-state",
        choices=("stable", "cooled", "mid"),
        help="learning-rate state of the bases behind the law",
    )
    parser.add_argument(
        "--outside",
        action="store_true",
        help="rank distilled, pruned, post-trained, continued and grown models and mixtures of "
        "experts too",
    )
    parser.add_argument(
        "--rows",
        type=whole_number,
        default=20,
        metavar="K",
        help="lines of the table (default: 20)",
    )
    costs.add_hardware(parser)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the ranking; return 3 when the law can be asked about no checkpoint."""
    from bootlaw.planning.choose import choose_checkpoint

    known = _checkpoints(args)
    if args.list:
        emit(args, {"checkpoints": [one.to_json() for one in known]}, _listing(known))
        return 0
    if (args.tokens_stage2 is None) == (args.budget is None):
        raise InputError(
            "say what the second stage gets with --tokens-stage2 or --budget, one of the two "
            "(see bootlaw plan choose --help)"
        )
    on = costs.hardware(args)
    answer = choose_checkpoint(
        known,
        options.source(args),
        tokens_stage2=args.tokens_stage2,
        budget=None if args.budget is None else costs.budget_flops(args.budget, args.unit, on),
        params=args.params,
        max_params=args.max_params,
        tokenizer=args.tokenizer,
        schedule_state=args.schedule_state,
        outside=args.outside,
        on=on,
        level=args.level,
    )
    emit(args, answer.to_json(), answer.summary(args.rows))
    return 3 if answer.status == "undetermined" else 0


def _checkpoints(args: argparse.Namespace) -> tuple[Checkpoint, ...]:
    from bootlaw.planning.checkpoints import (
        named_checkpoints,
        public_checkpoints,
        read_checkpoints,
    )

    known = read_checkpoints(args.checkpoints) if args.checkpoints else public_checkpoints()
    if args.names is None:
        return known
    names = [name.strip() for name in args.names.split(",") if name.strip()]
    if not names:
        raise InputError("argument --names: names no checkpoint; write --names pythia-1b,OLMo-1B")
    return named_checkpoints(names, known)


def _listing(known: tuple[Checkpoint, ...]) -> str:
    from bootlaw.planning import words

    def count(value: float | None) -> str:
        return "" if value is None else words.tokens(value)

    def row(one: Checkpoint) -> tuple[Any, ...]:
        per_param = "" if one.tokens_per_param is None else f"{one.tokens_per_param:.3g}"
        return (
            *(one.name, count(one.params), count(one.tokens), per_param),
            *(one.schedule_state, one.tokenizer, one.kind, one.licence),
        )

    head = ("name", "params", "D1", "D1/N", "rate", "tokenizer", "kind", "licence")
    rows = [head, *(row(one) for one in known)]
    widths = [max(len(line[place]) for line in rows) for place in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in rows
    )
