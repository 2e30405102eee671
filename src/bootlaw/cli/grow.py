"""``bootlaw grow``: a larger model out of a trained one, proven on the spot."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bootlaw.cli.numbers import positive_number
from bootlaw.cli.output import add_json_option, emit, say
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.growth.compose import Step

_ARGUMENTS: tuple[tuple[str, str, str], ...] = (
    ("--factor", "X", "multiple of the depth (stack, interleave, identity) or width (tile)"),
    ("--layers", "L", "layers of the grown model"),
    ("--drop", "M", "overlap: layers dropped from either copy"),
    ("--where", "PLACE", "identity: new blocks interleaved or on top"),
    ("--noise-db", "DB", "tile: signal-to-noise ratio of the noise that breaks the symmetry"),
    ("--intermediate-size", "F", "widen_ffn: units of the FFN"),
    ("--mode", "HOW", "widen_ffn: duplicate or zero"),
    ("--hidden-size", "D", "pad_hidden: width of the grown model"),
    ("--experts", "E", "upcycle: experts a layer, pieces counted"),
    ("--top-k", "K", "upcycle: experts a token"),
    ("--granularity", "G", "upcycle: pieces into which each copy of the FFN is cut"),
    ("--noise", "X", "upcycle: noise in the experts, relative to their weights; tile: yes or no"),
    ("--drop-fraction", "R", "upcycle: share of each expert's units that starts anew"),
)
"""Options that become arguments of the operator: name, what stands for the value, meaning."""

_DESCRIPTION = """\
Grow a Hugging Face checkpoint. Operators: stack, interleave, overlap, identity (deeper), tile,
widen_ffn, pad_hidden (wider), upcycle (mixture of experts). Without --op, --goal names what you
want and the operator recommended for it is taken; with --dry-run nothing is written."""


def add_parser(subparsers: Any) -> None:
    """Add the command's options."""
    parser = subparsers.add_parser(
        "grow",
        help="grow a trained model, check what it preserves, say how to train on",
        description=_DESCRIPTION,
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="folder, or id on the hub")
    # Required even for a dry run: argparse takes an optional one only in front of the options.
    parser.add_argument("out", metavar="OUT", help="the new folder; it must not exist")
    parser.add_argument(
        "--revision", metavar="REV", help="branch, tag or commit of a checkpoint on the hub"
    )
    _add_operator_options(parser)
    _add_check_options(parser)
    _add_training_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def _add_operator_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("operator")
    group.add_argument("--op", metavar="OP", help="operator: NAME or NAME:argument=value,...")
    group.add_argument(
        "--then",
        action="append",
        default=[],
        metavar="OP",
        help="another operator after it, with its arguments; repeatable",
    )
    group.add_argument("--goal", metavar="GOAL", help="what you want, in place of --op")
    group.add_argument(
        "--target-params",
        type=positive_number,
        metavar="N",
        help="non-embedding parameters; the nearest shape that the operator reaches is taken",
    )
    group.add_argument(
        "--in-step",
        action="store_true",
        help="reach --target-params with tile and --op (stack, interleave, identity) together, "
        "depth and width in step",
    )
    for name, metavar, meaning in _ARGUMENTS:
        group.add_argument(name, metavar=metavar, help=meaning)
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other argument of the operator; repeatable",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers")


def _add_check_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("check and output")
    group.add_argument("--dry-run", action="store_true", help="show what would be made, and stop")
    group.add_argument(
        "--check",
        choices=["auto", "on", "off"],
        default="auto",
        help="compare parent and grown model on a fixed batch (auto: if memory allows)",
    )
    group.add_argument(
        "--check-dtype",
        choices=["auto", "float64", "float32", "float16", "bfloat16"],
        default="auto",
        help="arithmetic of the check (auto: float32, or what is stored if memory is short)",
    )
    group.add_argument("--check-text", metavar="FILE", help="text for the check instead of ours")
    group.add_argument(
        "--hash",
        choices=["full", "sample", "off"],
        default="sample",
        help="how the parent's weights are hashed for the receipt (sample: parts of each tensor)",
    )
    group.add_argument("--shard-size", metavar="SIZE", default="5GB", help="largest weight file")


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what train.toml is written from")
    group.add_argument(
        "--optimizer",
        "--optimiser",
        choices=["auto", "carry", "reset", "reset+warmup"],
        default="auto",
        help="what becomes of the parent's optimiser state",
    )
    group.add_argument(
        "--precision",
        choices=["mixed", "float32", "bfloat16"],
        default="mixed",
        help="of training, for the memory that it takes",
    )
    group.add_argument(
        "--freeze", action="store_true", help="train only what is new, where the operator says what"
    )
    for name, metavar, meaning in (
        ("--tokens", "D2", "tokens that you will train on"),
        ("--parent-lr", "LR", "peak learning rate of the parent"),
        ("--parent-batch-tokens", "N", "tokens an update of the parent"),
    ):
        group.add_argument(name, type=positive_number, metavar=metavar, help=meaning)
    group.add_argument(
        "--parent-schedule",
        choices=["stable", "cooled"],
        help="whether the parent's rate was still at its plateau or cooled down",
    )


def run(args: argparse.Namespace) -> int:
    """Grow, or show what would be grown."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise InputError(f"growth needs {' and '.join(missing)}: pip install 'bootlaw[train]'")
    from bootlaw.growth.grow import grow_checkpoint
    from bootlaw.growth.onward import Known
    from bootlaw.growth.recommend import GOALS
    from bootlaw.growth.request import GrowRequest
    from bootlaw.growth.summary import goals_text, receipt_text

    if args.op is None and args.goal is None:
        if not args.dry_run:
            raise InputError(_what_to_do())
        goals = [entry.document() for entry in GOALS.values()]
        emit(args, {"status": "planned", "goals": goals}, goals_text())
        return 0
    receipt = grow_checkpoint(
        GrowRequest(
            parent=args.checkpoint,
            out=args.out,
            steps=_steps(args),
            goal=args.goal,
            revision=args.revision,
            target_params=None if args.target_params is None else round(args.target_params),
            in_step=args.in_step,
            seed=args.seed,
            dry_run=args.dry_run,
            check=args.check,
            check_dtype=args.check_dtype,
            check_text=args.check_text,
            hash=args.hash,
            shard_size=args.shard_size,
            optimizer=args.optimizer,
            precision=args.precision,
            freeze=args.freeze,
            known=Known(
                peak_lr=args.parent_lr,
                batch_tokens=_whole(args.parent_batch_tokens),
                schedule_state=args.parent_schedule,
                tokens=_whole(args.tokens),
            ),
        ),
        say=say,
    )
    emit(args, receipt.document(), receipt_text(receipt))
    return 0


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _steps(args: argparse.Namespace) -> tuple[Step, ...]:
    """Return the operators asked for; options without a place of their own are the first's."""
    from bootlaw.growth.compose import Step
    from bootlaw.growth.request import argument_name, parse_step, parse_value

    given = {
        argument_name(name.removeprefix("--")): parse_value(value)
        for name, _, _ in _ARGUMENTS
        if (value := getattr(args, argument_name(name.removeprefix("--")))) is not None
    }
    for text in args.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set {text}: write NAME=VALUE")
        given[argument_name(name)] = parse_value(value)
    if args.op is None:
        if given or args.then:
            raise InputError("--goal chooses operator and arguments; leave them out, or give --op")
        return ()
    first = parse_step(args.op)
    twice = sorted(set(first.arguments) & set(given))
    if twice:
        raise InputError(f"{twice[0]} is given twice, in --op {args.op} and as an option")
    return (
        Step(first.operator, {**first.arguments, **given}),
        *(parse_step(text) for text in args.then),
    )


def _what_to_do() -> str:
    from bootlaw.growth.operators import OPERATORS
    from bootlaw.growth.recommend import GOALS

    return (
        f"name an operator (--op {', '.join(OPERATORS)}) or a goal (--goal {', '.join(GOALS)}; "
        "`bootlaw grow CHECKPOINT OUT --dry-run` explains them)"
    )
