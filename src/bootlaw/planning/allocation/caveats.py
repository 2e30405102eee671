"""When a plan is none to act on, and what a reader of one must know.

A plan is left *undetermined* by these rules:

1. **No optimum**: the best size or split lies at the edge of what was searched, and nobody set
   that edge: the loss falls as far as the law was asked. Stage 1 is searched from 1 : 100,000 to
   100,000 : 1 of the budget, and to three decades beyond the fitted bases on either side.
2. **Far and wide**: what was chosen lies more than a decade outside the data, and its interval
   over the replicates spans more than two decades, has an open end, or is unknown.
3. **Out of sight**: the plan, chosen or given, is more than three decades beyond the data in any
   variable. Intervals of one law say nothing there of what other laws would.

Published coefficients have no known range, so that rules 2 and 3 cannot speak: a warning does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import words
from bootlaw.planning.allocation.edges import Edge
from bootlaw.planning.allocation.problem import Problem
from bootlaw.planning.allocation.question import Question
from bootlaw.planning.allocation.repeats import FREE_EPOCHS
from bootlaw.planning.cost import flops_basis
from bootlaw.planning.extrapolation import extrapolation_warnings, unearned_warnings
from bootlaw.planning.remarks import no_interval
from bootlaw.planning.verdict import FAR_DECADES, WIDE_DECADES, out_of_sight

Ranges = Mapping[str, tuple[float, float]]

_ANY_SPLIT = 1e4
"""Both stages may vary by such a factor at no cost: the split does not matter."""
_CPT = ("", "cpt", "reuse", "replay")


def objections(
    question: Question,
    problem: Problem,
    asked: Mapping[str, float],
    edges: Mapping[str, Edge],
    beyond: Mapping[str, float],
    intervals: Ranges,
    flat: Ranges,
) -> tuple[str, ...]:
    """Return why nobody should act on the plan; empty where one may."""
    reasons = [_no_size(problem, edges.get(N))]
    if not _any_split(flat):
        reasons.append(_no_split(edges.get(D1), asked))
    chosen = {N: problem.chooses_size, D1: problem.chooses_split}
    chosen[D2] = any(chosen.values()) or question.target_loss is not None
    reasons += [
        _far_and_wide(name, beyond.get(name, 0.0), intervals.get(name))
        for name, is_chosen in chosen.items()
        if is_chosen
    ]
    reasons += [f"the plan's {reason}" for reason in out_of_sight(beyond)]
    return tuple(reason for reason in reasons if reason is not None)


def caveats(
    question: Question,
    problem: Problem,
    asked: Mapping[str, float],
    edges: Mapping[str, Edge],
    epochs: Mapping[str, float],
    flat: Ranges,
    no_loss_interval: bool,
) -> tuple[str, ...]:
    """Return what a reader of the plan must know beside its numbers."""
    source = problem.route.source
    read = {name: value for name, value in asked.items() if name in source.ranges}
    return (
        *extrapolation_warnings(source.ranges, read),
        *unearned_warnings(source, read, problem.route.part),
        *_edge_warnings(edges, asked),
        *_split_warnings(flat),
        *_repeat_warnings(epochs),
        *_cost_warnings(question, problem),
        *((no_interval(source),) if no_loss_interval else ()),
        *source.warnings,
    )


def _no_size(problem: Problem, edge: Edge | None) -> str | None:
    if edge is None or not edge.unbounded:
        return None
    low, high = (words.tokens(size) for size in problem.sizes)
    return (
        f"the loss is lowest at the edge of the sizes searched, {low} to {high}: by this law there "
        "is no best size; bound it (--min-params, --max-params)"
    )


def _no_split(edge: Edge | None, asked: Mapping[str, float]) -> str | None:
    if edge is None or not edge.unbounded:
        return None
    base = words.tokens(asked[D1])
    if edge.low[0]:
        return (
            f"the loss is lowest with the least stage 1 that was searched, {base} tokens: by this "
            "law a base is not worth its cost, and of training without one it says nothing; "
            "compare with training from scratch"
        )
    better = (
        "stage 2 is not worth its cost"
        if asked[D1] > asked[D2]
        else "longer bases than any that it can be asked about are better still"
    )
    return (
        f"the loss is lowest with the most stage 1 that was searched, {base} tokens: by this law "
        f"{better}"
    )


def _far_and_wide(name: str, decades: float, interval: tuple[float, float] | None) -> str | None:
    if decades <= FAR_DECADES:
        return None
    what = f"the best {words.VARIABLES[name]} lie {decades:.1f} decades outside the data"
    if interval is None:
        return f"{what} and have no interval"
    low, high = interval
    if low == 0 or math.isinf(high):
        return f"{what} and their interval has an open end"
    span = math.log10(high / low)
    return f"{what} and their interval spans {span:.1f} decades" if span > WIDE_DECADES else None


def _edge_warnings(edges: Mapping[str, Edge], asked: Mapping[str, float]) -> tuple[str, ...]:
    size = edges.get(N)
    if size is None or not size.is_there or size.unbounded:
        return ()
    return (
        f"the best size, {words.tokens(asked[N])}, is at the edge of the allowed sizes: beyond it "
        "the law expects a lower loss",
    )


def _split_warnings(flat: Ranges) -> tuple[str, ...]:
    if not _any_split(flat):
        return ()
    return ("by this law it makes no difference how the budget is split between the stages",)


def _any_split(flat: Ranges) -> bool:
    spans = [flat[name][1] / flat[name][0] for name in (D1, D2) if name in flat]
    return len(spans) == 2 and min(spans) >= _ANY_SPLIT


def _repeat_warnings(epochs: Mapping[str, float]) -> tuple[str, ...]:
    found = []
    for stage, passes in epochs.items():
        if passes > 1:
            grade = "worth less and less" if passes > FREE_EPOCHS else "worth almost as much as new"
            found.append(
                f"{stage.replace('stage', 'stage ')} passes over its text {passes:.3g} times: "
                f"repetitions are counted as {grade}, by the law of arXiv 2305.16264 for runs from "
                "scratch"
            )
    return tuple(found)


def _cost_warnings(question: Question, problem: Problem) -> tuple[str, ...]:
    route = problem.route
    found = []
    unsaid = route.growth_factor == 1 and route.base_cost is None and not problem.in_tokens
    if route.part == "reuse" and problem.stage1_paid and unsaid:
        if route.size_is_of_base:
            found.append(
                "a token of the final model is counted at the base's cost; say --base-cost, the "
                "base's FLOPs per token over the final model's"
            )
        elif route.source.method not in _CPT:
            found.append(
                f"a token of the base is counted at the final model's cost; {route.source.method} "
                "runs have a smaller base: say --growth-factor"
            )
    if route.part == "reuse" and not problem.stage1_paid and problem.chooses_size:
        found.append(
            "the size was chosen as if there were a free base of every size allowed: say the size "
            "of the one that exists (--params, --params-base)"
        )
    if not problem.in_tokens:
        found.append(flops_basis(route.shape if route.shape is not None else 1.0))
    if route.shape is not None:
        found += route.shape.notes
    if question.hardware is not None:
        found += question.hardware.notes
    if math.isfinite(problem.most_training) and question.budget is not None:
        found += _deadline_warning(question, problem)
    return tuple(found)


def _deadline_warning(question: Question, problem: Problem) -> list[str]:
    if question.spendable <= problem.most_training:
        return []
    return [
        f"the deadline of {question.deadline:g} days allows {problem.most_training:.3g} FLOPs of "
        f"training, less than the budget of {question.spendable:.3g}: the rest is not used"
    ]
