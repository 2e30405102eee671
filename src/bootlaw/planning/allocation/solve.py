"""The plan of one route: its optimum, and everything that qualifies it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import words
from bootlaw.planning.allocation.caveats import caveats, objections
from bootlaw.planning.allocation.edges import Edge, edges_of
from bootlaw.planning.allocation.flat import flat_region
from bootlaw.planning.allocation.optimum import Optima, best_use, least_budget
from bootlaw.planning.allocation.plan import Plan
from bootlaw.planning.allocation.problem import Problem
from bootlaw.planning.allocation.question import UNIQUE, Question
from bootlaw.planning.allocation.repeats import MOST_EPOCHS
from bootlaw.planning.allocation.risk import off_by, regret, slope
from bootlaw.planning.allocation.route import Route
from bootlaw.planning.cost import Cost, cost_of_flops
from bootlaw.planning.cost.shape import INFERENCE, TRAINING
from bootlaw.planning.extrapolation import decades_beyond
from bootlaw.planning.verdict import percentile_interval

Floats = NDArray[np.float64]
_BELOW_TARGET = 1e-4
"""Share of the target loss by which a root of the budget may miss it."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A plan, the optima behind it, and d loss / d ln budget there."""

    plan: Plan
    optima: Optima | None
    slope: float = 0.0


def solve(question: Question, route: Route, level: float, tolerance: float) -> Solution:
    """Return the best plan of a route; its reasons say why there is none."""
    problem = question.problem(route)
    optima = _optima(question, problem)
    if not optima.found[0]:
        return Solution(_none(question, problem), None)
    steepness = slope(problem, optima)
    numbers = {name: float(values[0]) for name, values in optima.design.by_name().items()}
    asked = _asked(problem, optima)
    edges = edges_of(question, problem, optima)
    intervals = _intervals(question, problem, optima, edges, level)
    ends = _loss_interval(problem, asked, level)
    beyond = decades_beyond(route.source.ranges, asked)
    epochs = _epochs(problem, numbers)
    flat = flat_region(problem, optima, tolerance)
    plan = Plan(
        route=route.name,
        law=route.source.law.key,
        laws=route.source.shares,
        reasons=(
            *_reached_already(question, optima),
            *objections(question, problem, asked, edges, beyond, intervals, flat),
        ),
        warnings=caveats(question, problem, asked, edges, epochs, flat, ends is None),
        **_sizes(problem, numbers),
        budget=float(np.exp(optima.ln_budget[0])),
        loss=float(optima.loss[0]),
        lower=None if ends is None else ends[0],
        upper=None if ends is None else ends[1],
        optimum=intervals,
        flat=flat,
        regret=regret(problem, optima),
        off_by_two=off_by(problem, optima),
        edges=tuple(name for name, edge in edges.items() if edge.is_there),
        extrapolation=beyond,
        epochs=epochs,
        costs=_costs(question, problem, numbers),
    )
    return Solution(plan, optima, steepness)


def _optima(question: Question, problem: Problem) -> Optima:
    if question.target_loss is not None:
        return least_budget(problem, question.target_loss)
    budget = question.spendable
    _check_paid(problem, budget)
    return best_use(problem, budget)


def _check_paid(problem: Problem, budget: float) -> None:
    """Raise InputError where the budget does not leave anything for a stage 2 at any size."""
    size = np.array([problem.sizes[0] if problem.chooses_size else problem.params])
    first, second = problem.rates(size)
    left = float(problem.training_budget(second, np.array([math.log(budget)]))[0])
    fixed_base = not problem.chooses_split and not math.isnan(problem.tokens_stage1)
    paid = problem.stage1_paid and fixed_base
    base = float(first[0]) * problem.tokens_stage1 if paid else 0.0
    unit = "tokens" if problem.in_tokens else "FLOPs"
    at = "" if math.isnan(size[0]) else f" at {words.tokens(float(size[0]))} parameters"
    if left <= 0:
        raise InputError(
            f"the budget of {budget:.3g} {unit} does not pay for serving "
            f"{words.tokens(problem.inference_tokens)} tokens{at}"
        )
    if left <= base:
        raise InputError(
            f"the budget leaves {left:.3g} {unit} for training, and stage 1 alone takes {base:.3g}"
            f"{at}; raise it, or count the base as free (--stage1 free)"
        )
    if left - base < float(second[0]):
        raise InputError(f"the budget of {budget:.3g} {unit} does not buy one token{at}")


def _none(question: Question, problem: Problem) -> Plan:
    """Return a plan without numbers, and why there are none."""
    route = problem.route
    within = " before the deadline" if math.isfinite(problem.most_training) else ""
    if question.target_loss is not None:
        reason = (
            f"no budget that was searched reaches a loss of {question.target_loss:g} on this "
            f"route{within}: {_floor(problem)}"
        )
    elif _too_short(question, problem):
        reason = (
            "the budget does not pay for the shortest base that the law can be asked about, "
            f"{words.tokens(problem.bases[0])} tokens"
        )
    elif any(unique is not None for unique in problem.unique):
        reason = (
            f"every way to spend this budget repeats a text more than {MOST_EPOCHS:g} times, "
            "where a further pass brings nothing: spend less, or find more text"
        )
    else:
        reason = f"the law {route.source.law.key} has no sensible loss for any use of this budget"
    source = route.source
    return Plan(route.name, source.law.key, (reason,), source.warnings, laws=source.shares)


def _too_short(question: Question, problem: Problem) -> bool:
    """Return whether the budget buys no base, of any size, that the law can be asked about."""
    if not problem.chooses_split:
        return False
    size = np.array([problem.sizes[0] if problem.chooses_size else problem.params])
    return bool(problem.rates(size)[0][0] * problem.bases[0] >= question.spendable)


def _reached_already(question: Question, optima: Optima) -> tuple[str, ...]:
    """Return a reason where the least budget searched does better than the loss asked for."""
    target, loss = question.target_loss, float(optima.loss[0])
    if target is None or loss > target * (1 - _BELOW_TARGET):
        return ()
    return (
        f"the least budget that was searched reaches a loss of {loss:.4g} already: {target:g} is "
        "too high to plan for",
    )


def _floor(problem: Problem) -> str:
    source = problem.route.source
    floor = source.floor
    known = "" if floor is None else f"the law's irreducible loss is {floor:.4g} nats"
    if problem.route.reads_size and not problem.chooses_size:
        return (known + ", and this size cannot reach it") if known else "the size is too small"
    return known or "the law has no such loss"


def _asked(problem: Problem, optima: Optima) -> dict[str, float]:
    """Return what the law reads at the plan: repeated tokens at their worth."""
    read = problem.read(optima.design)
    values = {name: float(numbers[0]) for name, numbers in read.items()}
    if problem.route.part == "scratch":
        values[D1] = 0.0
    variables = (*problem.route.source.law.variables, N)
    return {k: v for k, v in values.items() if k in variables and math.isfinite(v)}


def _loss_interval(
    problem: Problem, asked: Mapping[str, float], level: float
) -> tuple[float, float] | None:
    """Return the ends between which a run of the plan falls; None where nothing is known."""
    source = problem.route.source
    columns = {**asked, **problem.given}
    read = {name: columns[name] for name in source.law.variables if name in columns}
    ends = source.interval(read, problem.route.part, level)
    return None if ends is None else (float(ends[0][0]), float(ends[1][0]))


def _intervals(
    question: Question,
    problem: Problem,
    optima: Optima,
    edges: Mapping[str, Edge],
    level: float,
) -> dict[str, tuple[float, float]]:
    """Return percentile intervals of what the replicates choose, inf where they choose nothing.

    A choice at an end of the search that nobody set counts as 0, or as infinite.
    """
    if problem.route.source.n_replicates == 0:
        return {}
    chosen = {N: problem.chooses_size, D1: problem.chooses_split}
    chosen[D2] = any(chosen.values()) or question.target_loss is not None
    found = optima.found[1:]
    ln = optima.design.ln()
    ln["budget"] = optima.ln_budget
    for name, edge in edges.items():
        ln[name] = np.where(edge.low & (not edge.set_low), -np.inf, ln[name])
        ln[name] = np.where(edge.high & (not edge.set_high), np.inf, ln[name])
    chosen["budget"] = question.target_loss is not None
    intervals = {}
    for name, values in ln.items():
        if chosen[name]:
            ends = percentile_interval(np.where(found, values[1:], np.inf), level)
            intervals[name] = (math.exp(ends[0]), math.exp(ends[1]))
    return intervals


def _epochs(problem: Problem, numbers: Mapping[str, float]) -> dict[str, float]:
    own = problem.given.get(UNIQUE)
    unique = {"stage1": problem.unique[0], "stage2": problem.unique[1] if own is None else own}
    tokens = {"stage1": numbers[D1], "stage2": numbers[D2]}
    return {
        stage: tokens[stage] / size
        for stage, size in unique.items()
        if size is not None and tokens[stage] > 0
    }


def _sizes(problem: Problem, numbers: Mapping[str, float]) -> dict[str, float | None]:
    params = None if math.isnan(numbers[N]) else numbers[N]
    reuse = problem.route.part == "reuse"
    return {
        "params": params,
        "params_base": problem.route.base_params(params) if params and reuse else None,
        "tokens_stage1": numbers[D1],
        "tokens_stage2": numbers[D2],
    }


def _costs(question: Question, problem: Problem, numbers: Mapping[str, float]) -> dict[str, Cost]:
    """Return the cost of each part of the plan, and of all of it; empty without a size."""
    if math.isnan(numbers[N]):
        return {}
    first, second = (float(rate[0]) for rate in problem.route.rates(np.array([numbers[N]])))
    parts = {"stage2": second * numbers[D2]}
    if problem.stage1_paid and problem.route.part == "reuse":
        parts = {"stage1": first * numbers[D1], **parts}
    if problem.inference_tokens:
        parts["serving"] = second * INFERENCE / TRAINING * problem.inference_tokens
    parts["total"] = sum(parts.values())
    return {name: cost_of_flops(flops, question.hardware) for name, flops in parts.items()}
