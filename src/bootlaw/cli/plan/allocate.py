"""``bootlaw plan allocate``: how to split a budget, or the least one for a loss."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import non_negative_number, parse_number, positive_number
from bootlaw.cli.output import emit
from bootlaw.cli.plan import costs, options
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.allocation import Route
    from bootlaw.planning.cost import ModelShape

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_NUMBERS = (
    ("--min-params", "N", "the smallest size to choose"),
    ("--max-params", "N", "the largest size to choose"),
    ("--unique-stage1", "U", "tokens that stage 1 has without repeating"),
    ("--unique-stage2", "U", "tokens that stage 2 (or the only one) has without repeating"),
    ("--deadline", "DAYS", "days in which training must end on the hardware"),
)


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser(
        "allocate", help="how to split a budget over stages and sizes, or the least one for a loss"
    )
    options.add_source(parser)
    options.add_scratch(parser)
    parser.add_argument(
        "--reuse",
        action="append",
        default=[],
        type=_reuse,
        metavar="METHOD=FIT.json[:G]",
        help="another way of reuse with a fit and a growth factor of its own, e.g. "
        "stack=stack.json:2",
    )
    _add_budget(parser)
    _add_base(parser)
    for name, metavar, text in _NUMBERS:
        parser.add_argument(name, type=positive_number, metavar=metavar, help=text)
    parser.add_argument(
        "--inference-tokens",
        type=non_negative_number,
        default=0.0,
        metavar="T",
        help="tokens served over the model's life, paid from the budget",
    )
    options.add_variables(parser)
    costs.add_shapes(parser)
    costs.add_hardware(parser)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the best plans; return 3 when there is none to act on."""
    from bootlaw.planning import allocate

    shape = costs.shape(args.model_config, args.sequence_length)
    growth_factor, base_cost = _base(args, shape)
    answer = allocate(
        options.source(args),
        budget=args.budget,
        unit=args.unit,
        target_loss=args.target_loss,
        scratch=options.scratch(args),
        others=[_route(*way, shape=shape) for way in args.reuse],
        params=args.params,
        params_base=args.params_base,
        tokens_stage1=args.tokens_stage1,
        stage1=args.stage1,
        growth_factor=growth_factor,
        base_cost=base_cost,
        min_params=args.min_params,
        max_params=args.max_params,
        unique_tokens_stage1=args.unique_stage1,
        unique_tokens_stage2=args.unique_stage2,
        deadline=args.deadline,
        inference_tokens=args.inference_tokens,
        shape=shape,
        hardware=costs.hardware(args),
        level=args.level,
        at=options.at(args),
    )
    emit(args, answer.to_json(), answer.summary())
    return 3 if answer.status == "undetermined" else 0


def _reuse(text: str) -> tuple[str, str, float]:
    method, equals, rest = text.partition("=")
    path, _, factor = rest.rpartition(":")
    try:
        grown = parse_number(factor) if path else 1.0
    except ValueError:
        grown, path = 1.0, rest
    if not equals or not method or not rest:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form stack=stack.json:2")
    return method, path or rest, grown


def _route(method: str, path: str, factor: float, *, shape: ModelShape | None) -> Route:
    """Return another way of reuse."""
    from dataclasses import replace

    from bootlaw.planning import Route, as_source

    return Route(replace(as_source(path), method=method), "reuse", factor, shape=shape)


def _base(args: argparse.Namespace, shape: ModelShape | None) -> tuple[float | None, float | None]:
    """Return the growth factor and the base's cost per token, from numbers or from two configs."""
    base = costs.shape(args.base_config, args.sequence_length)
    if base is None:
        return args.growth_factor, args.base_cost
    if shape is None or args.growth_factor is not None or args.base_cost is not None:
        raise InputError(
            "--base-config says what the base costs against --model-config: name both, and leave "
            "out --growth-factor and --base-cost"
        )
    return shape.params / base.params, base.flops_per_token / shape.flops_per_token


def _add_budget(parser: argparse.ArgumentParser) -> None:
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--budget", type=positive_number, metavar="X", help="what may be spent")
    asked.add_argument(
        "--target-loss",
        type=positive_number,
        metavar="L",
        help="a loss in nats per token to reach as cheaply as possible",
    )
    parser.add_argument(
        "--unit",
        choices=("flops", "tokens", "device-hours", "money", "days"),
        default="flops",
        help="of the budget (default: flops)",
    )


def _add_base(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tokens-stage1",
        type=positive_number,
        metavar="D1",
        help="tokens of a base that is given; chosen without it",
    )
    parser.add_argument(
        "--stage1",
        choices=("free", "paid"),
        help="paid: stage 1 is part of the budget; free: the base exists (default: free where "
        "--tokens-stage1 is given)",
    )
    parser.add_argument(
        "--params-base",
        type=positive_number,
        metavar="N",
        help="parameters of a base that is given",
    )
    parser.add_argument(
        "--growth-factor",
        type=positive_number,
        metavar="G",
        help="parameters of the final model over those of the base (default: 1)",
    )
    parser.add_argument(
        "--base-cost",
        type=positive_number,
        metavar="X",
        help="FLOPs per token of the base over those of the final model (default: by their sizes)",
    )
