"""Which runs to do next, ranked by what they are expected to tell of a decision per cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit, LawAverage
from bootlaw.fitting.comparable import joint_form
from bootlaw.laws.names import D1, D2
from bootlaw.planning import validity
from bootlaw.planning.bases import at_bases
from bootlaw.planning.cost import Hardware, ModelShape, cost_of_flops
from bootlaw.planning.cost.hardware import check_hardware
from bootlaw.planning.pilots import identify
from bootlaw.planning.pilots.answer import Further, NextRuns, RankedRun
from bootlaw.planning.pilots.belief import Belief
from bootlaw.planning.pilots.believe import believe
from bootlaw.planning.pilots.candidates import Candidates, read_candidates
from bootlaw.planning.pilots.costs import CostRules, Ledger
from bootlaw.planning.pilots.goals import Goal
from bootlaw.planning.pilots.grid import default_grid
from bootlaw.planning.pilots.optimum import OptimumQuestion
from bootlaw.planning.pilots.questions import (
    BreakevenQuestion,
    ForecastQuestion,
    Question,
    sampled_answers,
)
from bootlaw.planning.pilots.search import Batch, choose, fill, single
from bootlaw.planning.pilots.table import Pilots, read_pilots
from bootlaw.planning.pilots.wanted import Wanted, ranked_run
from bootlaw.planning.question import settled
from bootlaw.planning.source import Source, as_source

Floats = NDArray[np.float64]

RANKED = 20
"""Single runs in an answer."""

MOST_FURTHER = 12
"""Runs of the batch that is looked for beyond the budget."""

OUTCOMES, DRAWS = 48, 200
"""Outcomes of the batch, and draws of what each leaves open, behind the expected interval."""

LEAST_REPLICATES = 20
"""Replicates below which covariances are noise."""


def next_runs(
    fit: Fit | LawAverage,
    table: Any = None,
    *,
    decision: Question,
    scratch: Fit | LawAverage | None = None,
    candidates: Any = None,
    budget: float | None = None,
    batch: int = 1,
    rules: CostRules | None = None,
    shape: ModelShape | None = None,
    on: Hardware | None = None,
    noise: float | None = None,
    level: float | None = None,
) -> NextRuns:
    """Return which of the affordable runs to do next, for the sake of one decision.

    The fit's replicates stand for what is not known, beyond the data with what the law missed
    when its largest levels were held out (`Fit.misfits`), as in every other plan. A run would
    show its log loss with the noise of a run, and so tell of the decision what correlates with
    it; runs that share a trunk share its noise. Whatever the run shows, the expected uncertainty
    of the decision afterwards is known now (`bootlaw.planning.pilots.goals`), and its fall per
    unit of cost ranks the runs.
    Batches are chosen greedily, each run given those before it, from several starts.

    Parameters
    ----------
    fit : with replicates; a fit that is ``not_identifiable`` gets the runs that would determine
        its parameters, and needs `table`. Of several laws averaged, whose replicates follow one
        law each, a run also tells which law holds.
    table : what `fit` was fitted to; tells the trunks that runs can branch off, and the noise of
        trunks and rows. Without it every run begins a trunk of its own.
    decision : a `ForecastQuestion`, `BreakevenQuestion` or `OptimumQuestion`.
    scratch : the fit of the runs from scratch, where `fit` has no part for them.
    candidates : a table of runs with the law's columns and, if it has them, `trunk`, `run` and
        `cost`; by default a grid over the data and a decade beyond.
    budget : what the batch may cost: in the unit of the column `cost`, else FLOPs where `shape`
        is given or the law reads params, else tokens; no limit if None.
    batch : most runs to choose.
    rules : how runs share work; `CostRules` by default. The base of a break-even with stage 1
        free exists, so that runs on it cost their second stage only.
    shape : of the model, for FLOPs; by default 6 N where the law reads params.
    on : hardware, to print what the batch costs as money and days.
    noise : standard deviation of a run's log loss, where the fit cannot know it.
    level : of the intervals; the fit's own by default.

    Raises
    ------
    InputError
        When the question, the table or the candidates make no sense.
    UndeterminedError
        When the fit has no replicates to judge by, or no noise of a run is known.
    """
    _check_kinds(fit, decision, rules, on)
    level = validity.check_level(fit.level if level is None else level)
    noise = validity.check_optional("noise", noise)
    _check(budget, batch)
    rules = _with_own_base(rules or CostRules(), decision)
    lead = fit.best if isinstance(fit, LawAverage) else fit
    pilots = read_pilots(lead, table, noise)
    source = _about(decision, as_source(fit))
    rival = source if scratch is None else as_source(scratch)
    offered = (
        default_grid(source, pilots, rules.there)
        if candidates is None
        else read_candidates(candidates, source, pilots)
    )
    ledger = offered.ledger(pilots, rules, shape)
    wanted = Wanted(offered, ledger, offered.unit(shape), budget, batch, level)
    if lead.status == "not_identifiable":
        return _priced(identify.runs_to_identify(lead, pilots, wanted), on)
    _require_usable(source, rival)
    if isinstance(decision, BreakevenQuestion):
        _require_scratch(rival)
        decision = decision.within(source)
    return _priced(_recommend(decision, source, rival, pilots, wanted), on)


def _check_kinds(fit: Any, decision: Any, rules: Any, on: Any) -> None:
    """Raise InputError for an argument of another kind than it must be."""
    kinds = (ForecastQuestion, BreakevenQuestion, OptimumQuestion)
    wanted = "a ForecastQuestion, a BreakevenQuestion or an OptimumQuestion"
    validity.check_kind("fit", fit, (Fit, LawAverage), "a Fit, such as Fit.load('fit.json')")
    if not hasattr(decision, "quantities"):
        validity.check_kind("the decision", decision, kinds, wanted)
    validity.check_kind("rules", rules, CostRules, "CostRules")
    check_hardware(on)


def _about(decision: Question, source: Source) -> Source:
    """Return what speaks of the bases that the decision is about."""
    if isinstance(decision, BreakevenQuestion | ForecastQuestion):
        return at_bases(source, decision.tokens_stage1, settled(source, decision.given))
    if not isinstance(decision, OptimumQuestion):
        return source
    others = {name: values for name, values in decision.options.items() if name not in (D1, D2)}
    return at_bases(source, decision.options[D1], others)


def _with_own_base(rules: CostRules, decision: Question) -> CostRules:
    """Return the rules with the base that a break-even takes as given among those that exist."""
    if not (isinstance(decision, BreakevenQuestion) and decision.stage1 == "free"):
        return rules
    return replace(rules, there=(*rules.there, decision.tokens_stage1))


def _priced(found: NextRuns, on: Hardware | None) -> NextRuns:
    """Return the answer with what its batch costs beyond FLOPs."""
    if found.unit != "FLOPs":
        return found
    return replace(found, price=cost_of_flops(found.cost, on))


def _require_scratch(rival: Source) -> None:
    if not rival.answers("scratch"):
        raise InputError(
            f"{rival.label} has no part for runs from scratch: fit {joint_form(rival.law)}, or "
            "give scratch a fit of the power law to those runs"
        )


def _check(budget: float | None, batch: Any) -> None:
    validity.check_optional("the budget", budget)
    if not isinstance(batch, int | np.integer) or not 1 <= batch <= 50:
        raise InputError(f"batch is a number of runs from 1 to 50, not {batch!r}")


def _require_usable(*sources: Source) -> None:
    for source in sources:
        if source.broken is not None:
            raise UndeterminedError(source.broken)
        if source.n_replicates < LEAST_REPLICATES:
            raise UndeterminedError(
                f"{source.label} has {source.n_replicates} replicates, and what a run would tell "
                "is judged by them; fit with --bootstrap 200"
            )


def _recommend(
    decision: Question, source: Source, rival: Source, pilots: Pilots, wanted: Wanted
) -> NextRuns:
    offered, ledger = wanted.offered, wanted.ledger
    goal, belief = believe(decision, source, rival, pilots, offered)
    now, limit = goal.now(belief), wanted.limit
    after, costs = single(goal, belief, ledger)
    settled = now <= decision.target
    chosen = choose(goal, belief, ledger, limit, wanted.most)
    final = chosen.uncertainty[-1] if chosen.runs else now
    found = NextRuns(
        status="settled" if settled else "ok",
        law=source.law.key,
        laws=source.shares,
        kind=decision.kind,
        question=decision.words(),
        unit=wanted.unit,
        budget=wanted.budget,
        level=wanted.level,
        before=now,
        after=final,
        target=decision.target,
        says=(decision.says(now), decision.says(final)),
        interval_before=None,
        interval_after=None,
        shows=None,
        batch=wanted.in_order(chosen, now),
        ranking=_ranking(offered, now, after, costs, limit),
        n_candidates=len(offered),
        n_affordable=int((costs <= limit).sum()),
        warnings=tuple(dict.fromkeys((*source.warnings, *rival.warnings, *_notes(pilots)))),
    )
    found = _with_intervals(found, decision, belief, chosen.belief)
    if settled or final <= decision.target:
        return found
    further = _further(goal, belief, ledger, decision.target)
    return replace(found, status="cannot_settle" if wanted.budget else "ok", further=further)


def _notes(pilots: Pilots) -> tuple[str, ...]:
    if pilots.shared:
        return ()
    return (
        "no trunks are known, so every run is taken to begin a trunk of its own; give the table "
        "with a column trunk for what branches would cost and tell",
    )


def _with_intervals(found: NextRuns, decision: Question, before: Belief, after: Belief) -> NextRuns:
    tails = np.array([(1 - found.level) / 2, (1 + found.level) / 2])
    now = np.quantile(sampled_answers(decision, before, 1, OUTCOMES * DRAWS)[0], tails)
    then = sampled_answers(decision, after, OUTCOMES, DRAWS)
    ends = np.quantile(then, tails, axis=1).mean(axis=1)
    shows = tuple(
        f"{decision.shows(float(low))} to {decision.shows(float(high))}"
        for low, high in (now, ends)
    )
    return replace(
        found,
        interval_before=(decision.value(now[0]), decision.value(now[1])),
        interval_after=(decision.value(ends[0]), decision.value(ends[1])),
        shows=(shows[0], shows[1]),
    )


def _further(goal: Goal, belief: Belief, ledger: Ledger, target: float) -> Further:
    """Return the cheapest greedy batch of any cost that settles the decision, or what it leaves."""
    found = [
        _until(fill(goal, belief, ledger, np.inf, MOST_FURTHER, by_cost=by_cost), target)
        for by_cost in (True, False)
    ]
    found = [one for one in found if one.runs] or [Further(0, 0.0, goal.now(belief), settles=False)]
    return min(found, key=lambda f: (not f.settles, f.cost if f.settles else f.after))


def _until(batch: Batch, target: float) -> Further:
    """Return the beginning of a batch that reaches the target, all of it where none does."""
    enough = np.flatnonzero(np.array(batch.uncertainty) <= target)
    runs = int(enough[0]) + 1 if enough.size else len(batch.runs)
    return Further(
        runs,
        sum(batch.costs[:runs]),
        batch.uncertainty[runs - 1] if runs else np.inf,
        settles=bool(enough.size),
    )


def _ranking(
    offered: Candidates, now: float, after: Floats, costs: Floats, limit: float
) -> tuple[RankedRun, ...]:
    value = np.where(costs <= limit, (now - after) / costs, -np.inf)
    order = np.argsort(-value, kind="stable")[: 2 * RANKED]
    told = [
        ranked_run(offered, int(run), float(costs[run]), now, float(after[run]))
        for run in order
        if np.isfinite(value[run])
    ]
    # Several new trunks at one place differ in nothing before they begin.
    return tuple({(one.run, one.cost): one for one in reversed(told)}.values())[::-1][:RANKED]
