"""Optima at the ends of the search, and free bases: what a law cannot say is said in words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.planning import allocate
from bootlaw.planning.source import as_source

UPCYCLED, MOE = "liew2025-upcycling-upcycled", "liew2025-upcycling-moe"
RANGES = {"tokens_stage1": (1e9, 1e11), "tokens_stage2": (1e9, 1e11), "params": (1e9, 1e9)}
HURTS = {"A": 16.3, "a1": 0.03, "a2": 0.125, "a3": 1.44e-3, "E": 1.0}
"""a1 - a3 ln D2 is negative above exp(0.03 / 1.44e-3) = 1.1e9 tokens: longer bases only hurt."""


def scattered(values, sd, n=100):
    rng = np.random.default_rng(0)
    return [{k: v * math.exp(sd * rng.standard_normal()) for k, v in values.items()}
            for _ in range(n)]  # fmt: skip


def test_stage_1_is_searched_no_further_than_the_law_can_be_asked(factory):
    """The search went to a hundred-thousandth of the budget: bases of 33 tokens were planned."""
    fit = factory.make_fit("bootstrapped", HURTS, ranges=RANGES)
    answer = allocate(fit, budget=1e10, unit="tokens")
    assert answer.best.tokens_stage1 == pytest.approx(1e9 / 1e3)
    assert answer.best.tokens_stage1 + answer.best.tokens_stage2 == pytest.approx(1e10)
    assert answer.best.edges == ("tokens_stage1",)
    assert answer.status == "undetermined"
    assert "a base is not worth its cost" in answer.reasons[0]


def test_a_plan_without_a_base_to_speak_of_stands_behind_training_from_scratch(factory):
    reuse = factory.make_fit("bootstrapped", HURTS, ranges=RANGES)
    scratch = factory.make_fit("power", {"A": 60.0, "a": 0.1, "E": 1.0}, ranges=RANGES)
    answer = allocate(reuse, budget=1e10, unit="tokens", scratch=scratch)
    assert answer.best.route == "scratch"
    assert "compare with training from scratch" in answer.plans[1].reasons[0]
    assert answer.plans[1].loss < answer.best.loss


def test_longer_bases_than_the_law_can_be_asked_about_are_not_planned(factory):
    values = {"A": 20.0, "a1": 0.2, "a2": 0.01, "E": 1.0}
    fit = factory.make_fit("multiplicative", values, ranges=RANGES)
    answer = allocate(fit, budget=1e17, unit="tokens")
    assert answer.best.tokens_stage1 == pytest.approx(1e11 * 1e3)
    assert "the most stage 1 that was searched" in answer.reasons[0]
    inside = allocate(fit, budget=1e11, unit="tokens")
    assert inside.best.tokens_stage1 / inside.best.tokens_stage2 == pytest.approx(20, rel=1e-6)
    assert inside.status == "ok"


def test_an_interval_that_reaches_an_end_of_the_search_is_open_there(factory):
    """It ended at the edge of the search, as if the replicates had chosen it."""
    values = {**HURTS, "a1": 0.0332}
    fit = factory.make_fit("bootstrapped", values, ranges=RANGES,
                           replicates=scattered(values, 0.05), residual_scale=0.005)  # fmt: skip
    answer = allocate(fit, budget=1e10, unit="tokens")
    assert answer.best.optimum["tokens_stage1"][0] == 0
    assert math.isfinite(answer.best.optimum["tokens_stage1"][1])
    assert answer.to_json()["optimum"]["tokens_stage1"][0] is None
    assert "below all searched" in answer.summary()


def test_a_bound_on_one_side_does_not_excuse_the_other():
    """With any bound set, an optimum at the other, unset end of the search passed as an answer."""
    source = as_source("hoffmann2022")
    values = {"A": 1e-3, "a": -0.2, "B": 0.0, "b": 0.28, "E": 1.0}
    smaller_is_better = replace(source, params=np.array([[values[n] for n in source.law.names]]))
    answer = allocate(smaller_is_better, budget=1e18, max_params=1e9)
    assert answer.status == "undetermined"
    assert "there is no best size" in answer.reasons[0]
    assert allocate(smaller_is_better, budget=1e18, min_params=1e7).status == "ok"


def test_a_free_base_must_have_a_size():
    """The answer was a size of a free base that nobody has, with the best of them all."""
    asked = {"scratch": MOE, "tokens_stage1": 1e11, "budget": 1e21}
    with pytest.raises(InputError, match="a free base exists already: say its size"):
        allocate(UPCYCLED, **asked)
    with pytest.raises(InputError, match="--min-params and --max-params"):
        allocate(UPCYCLED, **asked, max_params=1e10)
    suite = allocate(UPCYCLED, **asked, min_params=1e8, max_params=1e10)
    assert all(1e8 <= plan.params <= 1e10 * (1 + 1e-9) for plan in suite.plans)
    assert allocate(UPCYCLED, **asked, params=1e9).best.params == 1e9
    assert allocate(UPCYCLED, **asked, stage1="paid").best.params > 0


def test_the_base_of_a_law_of_one_size_says_the_growth_factor(factory):
    """The base's size was taken for the final one, and the law refused to speak of it."""
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    best = allocate(fit, budget=1e21, params_base=2.5e8).best
    assert (best.params, best.params_base) == (1e9, 2.5e8)


def test_replicates_that_end_before_the_plan_do_not_judge_it(factory):
    """The price of the fit's errors was infinite, and its percentile a crash."""
    values = {**factory.MAIN, "a1": 0.1, "a3": 1e-3}
    ends = [{**values, "a3": 3.8e-3}] * 5
    fit = factory.make_fit("bootstrapped", values, ranges=RANGES, residual_scale=0.005,
                           replicates=[*scattered(values, 1e-3, 45), *ends])  # fmt: skip
    best = allocate(fit, budget=1e11, unit="tokens").best
    assert best.tokens_stage1 > math.exp(values["a2"] / 3.8e-3)
    assert math.isfinite(best.regret.mean)
    assert math.isfinite(best.regret.high)


def test_a_base_that_costs_next_to_nothing_is_no_crash(factory):
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES, residual_scale=0.005,
                           replicates=scattered(factory.MAIN, 0.05))  # fmt: skip
    for budget in (1e11, 1e13, 1e16, 1e20):
        assert allocate(fit, budget=budget, growth_factor=1e9, params=1e9).best.route == "stack"


def test_a_budget_below_the_shortest_base_says_so(factory):
    """The law was said to have no sensible loss for any use of the budget."""
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    answer = allocate(fit, budget=5e5, unit="tokens")
    assert (
        "does not pay for the shortest base that the law can be asked about, 1M"
        in (answer.reasons[0])
    )


def test_tokens_of_two_sizes_are_no_equal_budget(factory):
    """Runs from scratch of half the size were compared at as many tokens, unremarked."""
    reuse = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    small = {**RANGES, "params": (5e8, 5e8)}
    scratch = factory.make_fit("power", {"A": 32.0, "a": 0.14, "E": 1.0}, ranges=small)
    tokens = allocate(reuse, budget=1e11, unit="tokens", scratch=scratch)
    assert "says nothing about 1B" in tokens.plans[1].reasons[0]
    flops = allocate(reuse, budget=1e21, scratch=scratch)
    assert [plan.reasons for plan in flops.plans] == [(), ()]


def test_a_budget_of_less_than_a_token_is_refused(factory):
    """It was planned with, infinitely many decades from the data."""
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    for asked in ({"budget": 1e-300}, {"budget": 0.5, "unit": "tokens"}, {"budget": 5e9}):
        with pytest.raises(InputError, match="does not buy one token"):
            allocate(fit, **asked)
