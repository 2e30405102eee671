"""How to spend a budget over two stages and sizes, or the least budget for a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting.comparable import joint_form
from bootlaw.laws.names import D1, N
from bootlaw.planning import validity
from bootlaw.planning.allocation.flat import TOLERANCE
from bootlaw.planning.allocation.plan import Allocation, Plan
from bootlaw.planning.allocation.question import Question
from bootlaw.planning.allocation.rank import Ranked, ranked
from bootlaw.planning.allocation.route import Route
from bootlaw.planning.allocation.solve import Solution, solve
from bootlaw.planning.bases import at_bases
from bootlaw.planning.cost import Hardware, ModelShape
from bootlaw.planning.question import (
    given_variables,
    other_size,
    own_size,
    refuse_other_texts,
    refuse_unread,
)
from bootlaw.planning.source import AnySource, Source, as_source
from bootlaw.planning.verdict import own_error


def allocate(
    fit: AnySource,
    *,
    budget: float | None = None,
    unit: str = "flops",
    target_loss: float | None = None,
    scratch: AnySource | None = None,
    others: Sequence[Route] = (),
    params: float | None = None,
    params_base: float | None = None,
    tokens_stage1: float | None = None,
    stage1: str | None = None,
    growth_factor: float | None = None,
    base_cost: float | None = None,
    min_params: float | None = None,
    max_params: float | None = None,
    unique_tokens_stage1: float | None = None,
    unique_tokens_stage2: float | None = None,
    deadline: float | None = None,
    inference_tokens: float = 0.0,
    shape: ModelShape | None = None,
    hardware: Hardware | None = None,
    level: float | None = None,
    tolerance: float = TOLERANCE,
    at: Mapping[str, float] | None = None,
) -> Allocation:
    """Return the split of a budget that gives the lowest loss, or the cheapest way to a loss.

    Up to two numbers are chosen: the model's size, where the law reads it and `params` leaves it
    open, and the share of stage 1, where `tokens_stage1` leaves it open. The whole budget is
    spent. The optimum is found for the point estimate and for every replicate, and each of the
    routes (reuse, scratch, `others`) has its own; the best comes first.

    With one stage and 6 N FLOPs per token the optimum of A N^-a + B D^-b + E is the closed form
    N = G (C/6)^(b/(a+b)), G = (a A / (b B))^(1/(a+b)) (Hoffmann et al., arXiv 2203.15556, eq. 4).
    For the main law the two stages' costs stand as their exponents do:
    F1 D1 / (F2 D2) = (a1 - a3 ln D2) / (a2 - a3 ln D1), F being FLOPs per token.

    Parameters
    ----------
    fit : a law of reuse runs, of runs from scratch, or of both (``+scratch``): a fit, the path
        of one, or published coefficients by name.
    budget, unit : what may be spent: ``flops``, ``tokens`` (of both stages alike),
        ``device-hours``, ``money`` or ``days`` (which need `hardware`).
    target_loss : nats per token, instead of a budget; `unit` then says whether FLOPs or
        ``tokens`` are to be few.
    scratch : a law of runs from scratch, to set beside reuse.
    others : further routes, such as fits of another growth factor.
    params : the law's N, non-embedding parameters; open to choice without it.
    params_base : size of a base that is given: with `params` it says the growth factor, with a
        growth factor it says `params`. A law of one size that it does not read needs neither.
    tokens_stage1 : D1 of a base that is given; one that is free needs a size as well.
    stage1 : ``paid`` from the budget, or ``free`` for a base that exists already; by default
        free where `tokens_stage1` is given.
    growth_factor : parameters of the final model over those of the base, 1 by default. No law
        here reads it: it must be that of the runs.
    base_cost : FLOPs per token of the base over those of the final model; by default what the
        two sizes say.
    min_params, max_params : sizes to choose from.
    unique_tokens_stage1, unique_tokens_stage2 : tokens that a stage has without repeating;
        repetitions count less, see `bootlaw.planning.allocation.repeats`.
    deadline : days in which the training must end on the `hardware`.
    inference_tokens : tokens to be served over the model's life, paid from the budget.
    shape : of the model that N counts, for FLOPs per token; 6 N without it.
    level : of the intervals; the fit's own level by default.
    tolerance : share of the reducible loss that the flat region allows.
    at : other columns that the law reads, such as ``replay``.

    Raises
    ------
    InputError
        When a number makes no sense, something that the law or the budget needs is missing, or
        the budget does not pay for the base or for serving.
    """
    source = as_source(fit)
    params, params_base, growth_factor = (
        validity.check_optional(name, value)
        for name, value in (
            ("params", params),
            ("params_base", params_base),
            ("growth_factor", growth_factor),
        )
    )
    _check_base(source, others, tokens_stage1, params_base, growth_factor)
    params, growth_factor = _sizes(source, params, params_base, growth_factor)
    question = Question(
        budget=budget,
        unit=unit,
        target_loss=target_loss,
        params=params,
        tokens_stage1=tokens_stage1,
        stage1=stage1,
        min_params=min_params,
        max_params=max_params,
        unique_tokens_stage1=unique_tokens_stage1,
        unique_tokens_stage2=unique_tokens_stage2,
        deadline=deadline,
        inference_tokens=inference_tokens,
        hardware=hardware,
        given=given_variables(None, at),
    )
    level = validity.check_level(source.level if level is None else level)
    if not 0 < validity.number("the tolerance", tolerance) < 1:
        raise InputError(f"the tolerance is {tolerance:g}; it must lie between 0 and 1")
    rival = None if scratch is None else as_source(scratch)
    source = _about(source, question)
    beside = [replace(route, source=_about(route.source, question)) for route in others]
    routes = (*_routes(source, rival, growth_factor, base_cost, shape), *beside)
    refuse_unread(question.given, *(route.source for route in routes))
    refuse_other_texts(*(route.source for route in routes))
    own = own_size(source)
    answers = [_answer(question, route, own, level, tolerance) for route in routes]
    error = own_error(*(route.source for route in routes))
    return _allocation(question, ranked(answers, error), level, tolerance)


def _about(source: Source, question: Question) -> Source:
    """Return what speaks of the base that is given, or of all bases of the runs."""
    ends: tuple[float, ...] = source.ranges.get(D1, ())
    bases = ends if question.tokens_stage1 is None else (question.tokens_stage1,)
    if not bases or N not in source.law.variables:
        return at_bases(source, bases or 0.0)
    asked = () if question.params is None else (question.params,)
    sizes = asked or source.ranges.get(N, (1.0,))
    grid = np.meshgrid(bases, sizes)
    return at_bases(source, grid[0].ravel(), {N: grid[1].ravel()})


def _check_base(
    source: Source,
    others: Sequence[Route],
    tokens_stage1: float | None,
    params_base: float | None,
    growth_factor: float | None,
) -> None:
    """Refuse words about a base where no law speaks of one."""
    if source.answers("reuse") or others:
        return
    said = {
        "--tokens-stage1": tokens_stage1,
        "--params-base": params_base,
        "--growth-factor": growth_factor,
    }
    for name, value in said.items():
        if value is not None:
            raise InputError(
                f"{source.label}: {source.law.key} has one stage and says nothing of bases; leave "
                f"{name} out, or give the law of reuse runs and this one with --scratch"
            )


def _sizes(
    source: Source, params: float | None, params_base: float | None, growth_factor: float | None
) -> tuple[float | None, float]:
    """Return the law's N and the growth factor, where a base's size says one of them."""
    if params_base is None:
        return params, 1.0 if growth_factor is None else growth_factor
    if source.size_of == "base":
        raise InputError(
            f"the law {source.law.key} counts the base's parameters: give them as --params"
        )
    params = own_size(source) if params is None and growth_factor is None else params
    if params is None:
        factor = 1.0 if growth_factor is None else growth_factor
        return params_base * factor, factor
    if growth_factor is not None:
        raise InputError("--params and --params-base say the growth factor: leave it out")
    return params, params / params_base


def _routes(
    source: Source,
    rival: Source | None,
    growth_factor: float,
    base_cost: float | None,
    shape: ModelShape | None,
) -> tuple[Route, ...]:
    """Return reuse, where the source speaks of it, and scratch, where anything does."""
    if rival is not None and not rival.answers("scratch"):
        raise InputError(
            f"the law {rival.law.key} says nothing about training from scratch; give --scratch a "
            f"one-stage law or {joint_form(rival.law)}"
        )
    reuse = Route(source, "reuse", growth_factor, base_cost, shape)
    beside = rival if rival is not None else source if source.answers("scratch") else None
    if not source.answers("reuse"):
        if rival is not None:
            raise InputError(f"{source.label} is a law from scratch itself; leave out --scratch")
        return (replace(reuse, part="scratch"),)
    if beside is None:
        return (reuse,)
    return reuse, replace(reuse, source=beside, part="scratch")


def _answer(
    question: Question, route: Route, own: float | None, level: float, tolerance: float
) -> Ranked:
    """Return the plan of one route, with the optima that it can be compared by.

    Parameters
    ----------
    own : the one size of the first route's runs, None where its law reads the size.
    """
    refused = route.source.broken or _refusal(question, route, own)
    if refused is not None:
        source = route.source
        plan = Plan(route.name, source.law.key, (refused,), source.warnings, laws=source.shares)
        return Ranked(plan, None)
    found: Solution = solve(question, route, level, tolerance)
    return Ranked(found.plan, found.optima, found.slope)


def _refusal(question: Question, route: Route, own: float | None) -> str | None:
    """Return why a route's law has no answer at what is fixed, None where it may have one.

    Tokens of models of two sizes are no equal budgets.
    """
    size = own if question.params is None and question.in_tokens else question.params
    given = {} if size is None else {N: size}
    if route.part == "scratch":
        return other_size(route.source, given) or validity.invalid_scratch(route.source)
    reason = other_size(route.source, given)
    if reason is None and question.tokens_stage1 is not None:
        reason = validity.invalid_at(route.source, question.tokens_stage1, given)
    return reason


def _allocation(
    question: Question, found: tuple[tuple[Plan, ...], bool], level: float, tolerance: float
) -> Allocation:
    plans, tie = found
    return Allocation(
        amount=question.budget,
        unit=question.unit,
        target_loss=question.target_loss,
        in_tokens=question.in_tokens,
        level=level,
        tolerance=tolerance,
        plans=plans,
        tie=tie,
    )
