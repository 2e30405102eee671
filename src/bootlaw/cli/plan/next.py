"""``bootlaw plan next``: which runs to do next, for the sake of one decision."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.cli.numbers import (
    non_negative_number,
    parse_number,
    positive_number,
    whole_number,
)
from bootlaw.cli.output import emit, say
from bootlaw.cli.plan import costs, options
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.fitting import Fit, LawAverage
    from bootlaw.planning.cost import Hardware
    from bootlaw.planning.pilots import Question
    from bootlaw.runs import RunTable

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

UNITS = ("tokens", "cost", *costs.BUDGET_UNITS)


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser(
        "next",
        help="which runs to do next, for one decision",
        description="Rank runs by the expected fall in the uncertainty of a decision per unit of "
        "cost. A fit that is not identifiable gets the runs that would determine it.",
    )
    parser.add_argument("fit", metavar="FIT.json", help="written by bootlaw fit --out, with "
                        "--bootstrap")  # fmt: skip
    parser.add_argument(
        "--table", metavar="TABLE", help="the runs that were fitted (default: where the fit says)"
    )
    _add_decision(parser)
    _add_runs(parser)
    options.add_scratch(parser)
    options.add_variables(parser)
    costs.add_shapes(parser)
    costs.add_hardware(parser)
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the runs to do next."""
    from bootlaw.fitting.average_document import load
    from bootlaw.planning.pilots import CostRules, next_runs

    fitted = load(Path(args.fit))
    on = costs.hardware(args)
    found = next_runs(
        fitted,
        _table(args, fitted),
        decision=_decision(args, fitted),
        scratch=_scratch(args),
        candidates=args.candidates,
        budget=_budget(args, on),
        batch=args.batch,
        rules=CostRules(args.cooldown, args.bases, costs.base_cost(args), tuple(args.base)),
        shape=costs.shape(args.model_config, args.sequence_length),
        on=on,
        noise=args.noise,
        level=args.level,
    )
    _require_unit(args, found.unit)
    emit(args, found.to_json(), found.summary())
    return 0


def _add_decision(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("decision")
    group.add_argument(
        "--decision",
        choices=("breakeven", "forecast", "optimum"),
        required=True,
        help="what the runs are to decide",
    )
    group.add_argument(
        "--tokens-stage1",
        type=non_negative_number,
        metavar="D1",
        help="tokens of the base (breakeven, forecast; 0 forecasts training from scratch)",
    )
    group.add_argument(
        "--tokens-stage2", type=positive_number, metavar="D2", help="tokens of the run (forecast)"
    )
    group.add_argument(
        "--stage1",
        choices=("free", "paid"),
        default="free",
        help="whether scratch gets the compute of stage 1 as well (breakeven; free)",
    )
    group.add_argument(
        "--range", nargs=2, metavar=("LO", "HI"), help="stage-2 tokens to search (breakeven)"
    )
    group.add_argument(
        "--total-tokens",
        type=positive_number,
        metavar="T",
        help="tokens to split between the stages (optimum)",
    )
    group.add_argument(
        "--flops",
        type=positive_number,
        metavar="C",
        help="compute for which to find the best size from scratch (optimum)",
    )
    group.add_argument(
        "--target",
        type=positive_number,
        metavar="X",
        help="uncertainty at which it is settled: factor of D* (breakeven, 1.25), standard "
        "deviation as a share of the loss (forecast, 0.005), share of the loss given away "
        "(optimum, 0.001)",
    )


def _add_runs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("runs")
    group.add_argument(
        "--candidates",
        metavar="TABLE",
        help="runs to choose from: the law's columns, and trunk, run and cost if it has them "
        "(default: a grid over the data and a decade beyond)",
    )
    group.add_argument(
        "--budget", type=positive_number, metavar="X", help="what the runs may cost together"
    )
    group.add_argument("--unit", choices=UNITS, help="of the budget (default: that of the costs)")
    group.add_argument("--batch", type=whole_number, default=1, metavar="K", help="most runs (1)")
    group.add_argument(
        "--cooldown",
        type=positive_number,
        default=0.2,
        metavar="F",
        help="share of a run that it does not share with its trunk (%(default)s)",
    )
    group.add_argument(
        "--bases",
        choices=("separate", "shared", "free"),
        default="separate",
        help="what new bases cost: their own training, tokens beyond the longest base, nothing "
        "(%(default)s)",
    )
    group.add_argument(
        "--base",
        type=positive_number,
        action="append",
        default=[],
        metavar="D1",
        help="tokens of a base that exists beside those of the table (may be repeated)",
    )
    group.add_argument(
        "--base-cost",
        type=positive_number,
        metavar="X",
        help="FLOPs per token of the base over those of the final model "
        "(default: from the two configs, else 1)",
    )
    group.add_argument(
        "--noise",
        type=positive_number,
        metavar="X",
        help="standard deviation of a run's log loss, where the fit cannot know it",
    )


def _decision(args: argparse.Namespace, fitted: Fit | LawAverage) -> Question:
    """Return the question; InputError for what it lacks."""
    import math

    from bootlaw.planning.pilots import (
        BreakevenQuestion,
        ForecastQuestion,
        size_question,
        split_question,
    )
    from bootlaw.planning.question import given_variables
    from bootlaw.planning.source import as_source

    given = given_variables(args.params, options.at(args))
    target: dict[str, Any] = {} if args.target is None else {"target": args.target}
    if args.decision == "breakeven":
        if args.target is not None:
            if args.target <= 1:
                raise InputError(f"argument --target: a factor above 1, not {args.target:g}")
            target = {"target": math.log(args.target)}
        stage1 = _needed(args, "tokens_stage1")
        return BreakevenQuestion(
            stage1,
            args.stage1,
            costs.base_cost(args),
            _search(args),
            given,
            **target,
        )
    if args.decision == "forecast":
        stages = _needed(args, "tokens_stage1"), _needed(args, "tokens_stage2")
        return ForecastQuestion(*stages, given, **target)
    if (args.total_tokens is None) == (args.flops is None):
        raise InputError("an optimum needs either --total-tokens or --flops")
    source = as_source(fitted)
    if args.flops is not None:
        return size_question(source, flops=args.flops, **target)
    return split_question(
        source,
        total_tokens=args.total_tokens,
        base_cost=costs.base_cost(args),
        given=given,
        **target,
    )


def _needed(args: argparse.Namespace, name: str) -> float:
    value = getattr(args, name)
    if value is None:
        flag = f"--{name.replace('_', '-')}"
        raise InputError(f"--decision {args.decision} needs {flag}")
    return float(value)


def _search(args: argparse.Namespace) -> tuple[float, float] | None:
    if args.range is None:
        return None
    try:
        low, high = (parse_number(text) for text in args.range)
    except ValueError as error:
        raise InputError(f"argument --range: {error}") from None
    return low, high


def _table(args: argparse.Namespace, fitted: Fit | LawAverage) -> RunTable | None:
    """Return the table that was named, or the one that the fit names where it is still there."""
    from bootlaw.runs import read_runs

    if args.table is not None:
        return read_runs(args.table)
    if not Path(fitted.source).is_file():
        say("bootlaw plan next: note: the fitted table is not there; give it with --table")
        return None
    return read_runs(fitted.source)


def _scratch(args: argparse.Namespace) -> Fit | LawAverage | None:
    from bootlaw.fitting.average_document import load

    return None if args.scratch is None else load(Path(args.scratch))


def _budget(args: argparse.Namespace, on: Hardware | None) -> float | None:
    if args.budget is None or args.unit in (None, "tokens", "cost"):
        return None if args.budget is None else float(args.budget)
    return costs.budget_flops(args.budget, args.unit, on)


def _require_unit(args: argparse.Namespace, unit: str) -> None:
    """Refuse a budget in another unit than that of the costs."""
    if args.budget is None or args.unit is None:
        return
    meant = args.unit if args.unit in ("tokens", "cost") else "FLOPs"
    if meant != unit:
        hint = "; give --model-config for costs in FLOPs" if unit == "tokens" else ""
        raise InputError(f"the budget is in {args.unit}, but the runs' costs count {unit}{hint}")
