"""When an allocation is an answer, and what it says beside its numbers."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from bootlaw.cli.output import dumps
from bootlaw.errors import InputError
from bootlaw.planning import Route, allocate
from bootlaw.planning.cost import hardware
from bootlaw.planning.source import as_source

JOINT = {"A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4, "E": 1.0, "A_s": 32.0, "a_s": 0.14}
UPCYCLED, MOE = "liew2025-upcycling-upcycled", "liew2025-upcycling-moe"
RANGES = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (1e9, 1e12), "params": (1e8, 1e10)}


def scattered(values, sd, n=100, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {name: value * math.exp(sd * rng.standard_normal()) for name, value in values.items()}
        for _ in range(n)
    ]


def joint_fit(factory, sd=0.001, **values):
    joint = {**JOINT, **values}
    return factory.make_fit(
        "bootstrapped+scratch",
        joint,
        replicates=scattered(joint, sd),
        ranges=RANGES,
        residual_scale=0.005,
    )


def test_reuse_and_scratch_stand_side_by_side(factory):
    answer = allocate(joint_fit(factory), budget=1e21, params=1e9)
    assert {plan.route for plan in answer.plans} == {"stack", "scratch"}
    first, second = answer.plans
    assert first.loss < second.loss
    assert first.share_best + second.share_best == pytest.approx(1)
    assert answer.to_json()["others"][0]["route"] == second.route


def test_where_replicates_disagree_about_the_route_it_is_a_tie(factory):
    sure = allocate(joint_fit(factory), budget=1e21, params=1e9)
    reuse = next(plan for plan in sure.plans if plan.route == "stack")
    level = (reuse.loss - 1) * (1e21 / 6e9) ** JOINT["a_s"]
    unsure = allocate(joint_fit(factory, sd=0.01, A_s=level), budget=1e21, params=1e9)
    assert (sure.status, unsure.status) == ("ok", "tie")
    assert "nothing separates" in unsure.summary()


def test_published_laws_closer_than_their_error_are_a_tie():
    answer = allocate(UPCYCLED, budget=4e19, params=1e9, tokens_stage1=1e10, stage1="free",
                      scratch=MOE)  # fmt: skip
    gap = answer.plans[1].loss - answer.plans[0].loss
    assert 0 < gap < 0.01 * answer.best.loss
    assert answer.status == "tie"
    assert answer.best.share_best is None


def test_the_cheaper_route_to_a_loss_comes_first():
    answer = allocate(UPCYCLED, target_loss=2.0, scratch=MOE, base_cost=0.5)
    assert [plan.loss for plan in answer.plans] == pytest.approx([2.0, 2.0])
    assert answer.plans[0].budget < answer.plans[1].budget


def test_fits_without_replicates_are_told_apart_by_their_residual_scale(factory):
    reuse = {"A": 20.0, "a1": 0.05, "a2": 0.08, "E": 1.5}
    for residual_scale, status in ((0.05, "tie"), (1e-4, "ok")):
        first = factory.make_fit("multiplicative", reuse, ranges=RANGES,
                                 residual_scale=residual_scale)  # fmt: skip
        slower = factory.make_fit("multiplicative", {**reuse, "A": 20.5}, ranges=RANGES)
        other = Route(as_source(slower), "reuse")
        assert allocate(first, budget=1e20, params=1e9, others=[other]).status == status


def test_other_routes_have_costs_of_their_own(factory):
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    other = Route(replace(as_source(fit), method="tile"), "reuse", growth_factor=4)
    answer = allocate(fit, budget=1e21, params=1e9, growth_factor=2, others=[other])
    assert answer.best.route == "tile"
    assert answer.best.params_base == 2.5e8


def test_a_fit_that_cannot_be_asked_gives_no_plan(factory):
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES, status="not_converged")
    answer = allocate(fit, budget=1e21, params=1e9)
    assert answer.status == "undetermined"
    assert "did not converge" in answer.reasons[0]
    assert answer.to_json()["tokens_stage2"] is None
    assert "no answer" in answer.summary()


def test_a_base_beyond_the_laws_validity_gives_no_plan(factory):
    values = {**factory.MAIN, "a3": 4e-3}
    fit = factory.make_fit("bootstrapped", values, ranges=RANGES)
    answer = allocate(fit, budget=1e22, params=1e9, tokens_stage1=1e12, stage1="free")
    assert answer.status == "undetermined"
    assert "stage-2 exponent" in answer.reasons[0]
    chosen = allocate(fit, budget=6e9 * 1e12, params=1e9)
    assert chosen.best.tokens_stage1 < math.exp(factory.MAIN["a2"] / 4e-3)


def test_a_best_size_at_the_edge_of_the_search_is_no_answer():
    source = as_source("hoffmann2022")
    values = {"A": 1e-3, "a": -0.2, "B": 0.0, "b": 0.28, "E": 1.0}
    smaller_is_better = replace(
        source, params=np.array([[values[name] for name in source.law.names]])
    )
    answer = allocate(smaller_is_better, budget=1e18)
    assert answer.status == "undetermined"
    assert "there is no best size" in answer.reasons[0]
    assert allocate(smaller_is_better, budget=1e18, min_params=1e7).status == "ok"


def test_far_from_the_data_an_unknown_or_wide_interval_is_no_answer(factory):
    near = {**RANGES, "tokens_stage1": (1e9, 1e10), "tokens_stage2": (1e9, 1e10)}
    bare = factory.make_fit("bootstrapped", factory.MAIN, ranges=near)
    answer = allocate(bare, budget=6e9 * 1e12, params=1e9)
    assert answer.status == "undetermined"
    assert "no interval" in answer.reasons[0]
    tight = factory.make_fit(
        "bootstrapped", factory.MAIN, replicates=scattered(factory.MAIN, 1e-3), ranges=near,
        residual_scale=0.005,
    )  # fmt: skip
    told = allocate(tight, budget=6e9 * 1e12, params=1e9)
    assert told.status == "ok"
    assert told.best.extrapolation["tokens_stage2"] > 1
    assert any("decades out" in warning for warning in told.warnings)
    assert "if the law holds" in told.summary()
    assert allocate(bare, budget=6e9 * 1e10, params=1e9).status == "ok"


def test_out_of_sight_of_the_data_even_a_narrow_interval_is_no_answer(factory):
    answer = allocate(joint_fit(factory, sd=1e-4), budget=6e9 * 1e16, params=1e9)
    assert answer.status == "undetermined"
    assert all("decades outside" in plan.reasons[-1] for plan in answer.plans)
    assert "do runs in between first" in answer.summary()
    assert answer.plans[0].loss <= answer.plans[1].loss


def test_a_loss_that_no_budget_reaches_is_no_answer(factory):
    fit = factory.make_fit("multiplicative", {"A": 20.0, "a1": 0.05, "a2": 0.08, "E": 1.5},
                           ranges=RANGES)  # fmt: skip
    answer = allocate(fit, target_loss=1.4, params=1e9)
    assert answer.status == "undetermined"
    assert "irreducible loss is 1.5" in answer.reasons[0]


def test_a_grown_base_that_is_costed_like_the_model_is_remarked(factory):
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    silent = allocate(fit, budget=1e21, params=1e9, growth_factor=2)
    assert any("--growth-factor" in warning for warning in allocate(
        fit, budget=1e21, params=1e9).warnings)  # fmt: skip
    assert not any("--growth-factor" in warning for warning in silent.warnings)


@pytest.mark.parametrize(
    "sizes",
    [
        {"params": 1e9, "growth_factor": 4.0},
        {"params": 1e9, "params_base": 2.5e8},
        {"params_base": 2.5e8, "growth_factor": 4.0},
    ],
)
def test_two_of_size_base_and_growth_factor_say_the_third(factory, sizes):
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    best = allocate(fit, budget=1e21, **sizes).best
    assert (best.params, best.params_base) == (1e9, 2.5e8)
    assert float(best.costs["stage1"].flops) == pytest.approx(1.5e9 * best.tokens_stage1)


def test_a_law_of_one_base_is_costed_at_that_base(factory):
    ranges = {**RANGES, "tokens_stage1": (1e11, 1e11)}
    fit = factory.make_fit("fixed-base", {"A": 20.0, "a": 0.1, "E": 1.5}, ranges=ranges)
    best = allocate(fit, budget=1e21, params=1e9).best
    assert best.tokens_stage1 == 1e11
    assert best.tokens_stage2 == pytest.approx(1e21 / 6e9 - 1e11)


def test_the_document_is_complete_and_is_json():
    on = hardware("h100", devices=8)
    answer = allocate(UPCYCLED, budget=1e21, scratch=MOE, hardware=on, base_cost=0.5)
    document = json.loads(dumps(answer.to_json()))
    assert document["status"] in ("ok", "tie")
    assert document["budget_in"] == "flops"
    assert document["costs"]["total"]["money"] == pytest.approx(1e21 / (989e12 * 0.4 * 3600) * 2.5)
    assert document["share_stage1"] is None or 0 < document["share_stage1"] < 1
    assert document["level"] == 0.95
    assert document["others"][0]["costs"]["total"]["flops"] == pytest.approx(1e21)


def test_the_answer_reads_as_money_and_days():
    on = hardware("h100", devices=64)
    text = allocate(UPCYCLED, budget=1e22, base_cost=0.5, hardware=on).summary()
    assert "days on 64 devices" in text
    assert "USD" in text
    spent = allocate(UPCYCLED, budget=12000, unit="money", hardware=on).summary()
    assert spent.startswith("the best use of 12,000 USD: ")
    assert "assumed: an MFU of 0.4" in text
    assert "as good within 1 % of the reducible loss" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "either a budget or a target loss"),
        ({"budget": 1e20, "target_loss": 2.0}, "either a budget or a target loss"),
        ({"budget": 0.0}, "budget is 0"),
        ({"budget": -1e20}, "above zero"),
        ({"budget": math.inf}, "finite"),
        ({"budget": 1e20, "unit": "euros"}, "unknown unit"),
        ({"budget": 100.0, "unit": "money"}, "--hardware"),
        ({"budget": 1e12, "unit": "tokens"}, "does not limit the model's size"),
        ({"budget": 1e12, "unit": "tokens", "params": 1e9, "inference_tokens": 1e9}, "serving"),
        ({"budget": 1e20, "stage1": "free"}, "--tokens-stage1"),
        ({"budget": 1e20, "stage1": "stolen"}, "'free' or 'paid'"),
        ({"budget": 1e20, "growth_factor": 0.0}, "growth_factor is 0"),
        ({"budget": 1e20, "base_cost": math.nan}, "base_cost is nan"),
        ({"budget": 1e20, "min_params": 1e10, "max_params": 1e9}, "above the largest"),
        (
            {"budget": 1e20, "params": 1e9, "tokens_stage1": 1e12, "stage1": "paid"},
            "stage 1 alone takes 6e\\+21",
        ),
        ({"budget": 1e20, "params": 1e9, "inference_tokens": 1e13}, "does not pay for serving"),
        ({"budget": 1e20, "level": 1.0}, "level"),
        ({"budget": 1e20, "params_base": 1e9}, "counts the base's parameters"),
        ({"budget": 1e20, "tolerance": 0.0}, "tolerance"),
        ({"budget": 1e20, "deadline": 5.0}, "--hardware"),
        ({"budget": 1e20, "at": {"replay": 0.1}}, "does not read it"),
        ({"budget": 1e20, "scratch": UPCYCLED}, "says nothing about training from scratch"),
    ],
)
def test_senseless_questions_are_refused_in_words(options, words):
    with pytest.raises(InputError, match=words):
        allocate(UPCYCLED, **options)


@pytest.mark.parametrize(
    ("key", "values", "options", "words"),
    [
        ("bootstrapped", None, {}, "--params"),
        ("fixed-stage2", {"A": 9.0, "b": 0.1, "E": 1.0}, {"params": 1e9}, "nothing to allocate"),
        (
            "base-loss",
            {"A": 9.0, "g": 0.1, "a": 0.1, "E": 1.0},
            {"params": 1e9, "at": {"loss_base": 3.0}},
            "tokens of stage 1",
        ),
    ],
)
def test_laws_that_lack_what_a_budget_needs_are_refused(factory, key, values, options, words):
    fit = factory.make_fit(key, values or factory.MAIN, ranges=RANGES)
    with pytest.raises(InputError, match=words):
        allocate(fit, budget=1e21, **options)


def test_a_law_that_reads_the_bases_loss_is_asked_with_it(factory):
    fit = factory.make_fit("base-loss", {"A": 9.0, "g": 0.5, "a": 0.1, "E": 1.0}, ranges=RANGES)
    best = allocate(
        fit, budget=1e21, params=1e9, tokens_stage1=1e10, stage1="free", at={"loss_base": 3.0}
    ).best
    assert best.loss == pytest.approx(1 + 9 * 3**0.5 * (1e21 / 6e9) ** -0.1)


def test_scratch_twice_is_refused():
    with pytest.raises(InputError, match="leave out --scratch"):
        allocate("hoffmann2022", budget=1e20, scratch=MOE)
