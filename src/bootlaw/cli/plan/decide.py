"""``bootlaw plan decide``: every option side by side, at equal budget."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import parse_number, positive_number
from bootlaw.cli.output import emit
from bootlaw.cli.plan import costs, options
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.decision import Known
    from bootlaw.planning.source import AnySource

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser("decide", help="reuse or restart: every option at equal budget")
    options.add_source(parser)
    options.add_scratch(parser)
    _add_question(parser)
    options.add_variables(parser)
    costs.add_shapes(parser)
    costs.add_hardware(parser)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the options side by side; return 3 when no law can be asked."""
    from bootlaw.planning import decide

    on = costs.hardware(args)
    if args.unit is not None and args.budget is None:
        raise InputError("--unit is of --budget; leave it out, or give the budget")
    budget = (
        None if args.budget is None else costs.budget_flops(args.budget, args.unit or "flops", on)
    )
    answer = decide(
        _reuse(args),
        tokens_stage1=args.tokens_stage1,
        budget=budget,
        tokens_stage2=args.tokens_stage2,
        params=args.params,
        params_base=args.params_base,
        scratch=options.scratch(args),
        stage1=args.stage1,
        base_cost=args.base_cost,
        base_loss=args.base_loss,
        base_law=args.base_law,
        others=_others(args.other),
        serving_params=args.serving_params,
        shape=costs.shape(args.model_config, args.sequence_length),
        shape_base=costs.shape(args.base_config, args.sequence_length),
        on=on,
        level=args.level,
        at=options.at(args),
    )
    emit(args, answer.to_json(), answer.summary())
    return 3 if answer.status == "undetermined" else 0


def _add_question(parser: argparse.ArgumentParser) -> None:
    _add_budget(parser)
    add = parser.add_argument
    add(
        "--reuse",
        action="append",
        default=[],
        type=_method,
        metavar="METHOD=FIT.json",
        help="another way of reuse with a fit of its own, e.g. stack=stack.json",
    )
    add(
        "--base-cost",
        type=positive_number,
        default=1.0,
        metavar="X",
        help="FLOPs per token of the base over those of the final model, if no size says it",
    )
    add("--params-base", type=positive_number, metavar="N", help="parameters of the base")
    add(
        "--base-loss",
        type=positive_number,
        metavar="L",
        help="loss of the base itself on the target text, nats per token",
    )
    add(
        "--base-law",
        metavar="FIT.json|PRESET",
        help="instead of --base-loss: a law of such bases on the target text",
    )
    add(
        "--other",
        action="append",
        default=[],
        type=_known,
        metavar="NAME=LOSS[:N]",
        help="a model taken as it is, such as a larger public checkpoint, with its measured loss",
    )
    add(
        "--serving-params",
        type=positive_number,
        metavar="N",
        help="a size to consider from scratch because it is cheap to serve",
    )


def _add_budget(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--tokens-stage1",
        type=positive_number,
        required=True,
        metavar="D1",
        help="tokens of the base",
    )
    add("--budget", type=positive_number, metavar="X", help="what may be spent, e.g. 1e21")
    add("--unit", choices=costs.BUDGET_UNITS, help="of --budget (default: flops)")
    add(
        "--tokens-stage2",
        type=positive_number,
        metavar="D2",
        help="instead of --budget: tokens that the final model may be trained on",
    )
    add(
        "--stage1",
        choices=("free", "paid"),
        default="free",
        help="free: the base exists; paid: it comes out of the budget (default: free)",
    )


def _reuse(args: argparse.Namespace) -> AnySource | dict[str, AnySource]:
    if not args.reuse:
        return options.source(args)
    found: dict[str, AnySource] = {}
    if args.fit is not None or args.law is not None:
        first = options.source(args)
        found[first.method or "reuse"] = first
    for method, path in args.reuse:
        if method in found:
            raise InputError(f"--reuse names {method} twice, or the first fit is of it; once each")
        found[method] = path
    return found


def _others(named: list[tuple[str, Known]]) -> dict[str, Known]:
    names = [name for name, _ in named]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"--other names {twice} twice; give each model a name of its own")
    return dict(named)


def _method(text: str) -> tuple[str, str]:
    method, equals, path = text.partition("=")
    if not equals or not method or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form stack=stack.json")
    return method, path


def _known(text: str) -> tuple[str, Known]:
    from bootlaw.planning.decision import Known

    name, _, numbers = text.rpartition("=")
    loss, _, size = numbers.partition(":")
    try:
        return name or _nameless(), Known(parse_number(loss), parse_number(size) if size else None)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form NAME=LOSS or NAME=LOSS:PARAMETERS"
        ) from None


def _nameless() -> str:
    raise ValueError
