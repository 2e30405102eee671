"""The best use of a budget, against what can be worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.laws import preset
from bootlaw.planning import allocate
from bootlaw.planning.cost import ModelShape, hardware
from bootlaw.planning.source import as_source

PRODUCT = {"A": 20.0, "a1": 0.05, "a2": 0.08, "E": 1.5}
MAIN = {"A": 20.0, "a1": 0.06, "a2": 0.11, "a3": 1e-3, "E": 1.5}
CHINCHILLA = {"A": 400.0, "a": 0.34, "B": 410.0, "b": 0.28, "E": 1.7}
UPCYCLED = "liew2025-upcycling-upcycled"
SHAPE = ModelShape(12, 768, 2048, 12, 12, 64, 50_000, sequence_length=2048)
WIDE = {"tokens_stage1": (1e6, 1e14), "tokens_stage2": (1e6, 1e14), "params": (1e6, 1e13)}


def hoffmann(values, compute):
    """Return (N, D) of Hoffmann et al., arXiv 2203.15556, eq. 4."""
    A, a, B, b = (values[name] for name in ("A", "a", "B", "b"))
    G = (a * A / (b * B)) ** (1 / (a + b))
    return G * (compute / 6) ** (b / (a + b)), (compute / 6) ** (a / (a + b)) / G


@pytest.mark.parametrize("name", ["hoffmann2022", "besiroglu2024", "liew2025-upcycling-dense"])
@pytest.mark.parametrize("compute", [1e19, 5.76e23])
def test_one_stage_is_split_as_hoffmann_et_al_do(name, compute):
    best = allocate(name, budget=compute).best
    params, tokens = hoffmann(preset(name).values, compute)
    assert best.params == pytest.approx(params, rel=1e-6)
    assert best.tokens_stage2 == pytest.approx(tokens, rel=1e-6)
    assert best.tokens_stage1 == 0
    assert float(best.cost.flops) == pytest.approx(compute)


@settings(max_examples=25, deadline=None)
@given(
    a=st.floats(0.15, 0.6),
    b=st.floats(0.15, 0.6),
    ratio=st.floats(0.2, 5.0),
    ln_compute=st.floats(math.log(1e18), math.log(1e25)),
)
def test_the_closed_form_holds_for_any_exponents(a, b, ratio, ln_compute):
    values = {"A": 400.0 * ratio, "a": a, "B": 400.0, "b": b, "E": 1.7}
    source = as_source("hoffmann2022")
    law = replace(source, params=np.array([[values[name] for name in source.law.names]]))
    best = allocate(law, budget=math.exp(ln_compute), min_params=1, max_params=1e20).best
    assert best.params == pytest.approx(hoffmann(values, math.exp(ln_compute))[0], rel=1e-5)


def test_every_replicate_has_the_optimum_of_its_own_coefficients(factory):
    rng = np.random.default_rng(1)
    rows = [
        {name: value * math.exp(0.05 * rng.standard_normal()) for name, value in CHINCHILLA.items()}
        for _ in range(200)
    ]
    fit = factory.make_fit(
        "chinchilla", CHINCHILLA, replicates=rows, ranges=WIDE, residual_scale=0.01
    )
    best = allocate(fit, budget=1e22, level=0.9).best
    alone = np.sort([hoffmann(row, 1e22)[0] for row in rows])
    lower, upper = best.optimum["params"]
    # Order statistics, the outer ones: 0.05 x 199 = 9.95.
    assert (lower, upper) == pytest.approx((alone[9], alone[190]), rel=1e-6)
    assert best.lower < best.loss < best.upper


@pytest.mark.parametrize("base_cost", [None, 0.5, 0.1])
def test_a_product_law_splits_the_cost_as_its_exponents(factory, base_cost):
    fit = factory.make_fit("multiplicative", PRODUCT, ranges=WIDE)
    best = allocate(fit, budget=1e21, params=1e9, base_cost=base_cost).best
    ratio = PRODUCT["a1"] / PRODUCT["a2"] / (base_cost or 1.0)
    assert best.tokens_stage1 / best.tokens_stage2 == pytest.approx(ratio, rel=1e-6)
    assert best.share_stage1 == pytest.approx(0.05 / 0.13, rel=1e-6)
    assert float(best.cost.flops) == pytest.approx(1e21)


def test_tokens_of_both_stages_count_alike_in_a_budget_of_tokens(factory):
    tokens = {name: WIDE[name] for name in ("tokens_stage1", "tokens_stage2")}
    fit = factory.make_fit("multiplicative", PRODUCT, ranges=tokens)
    best = allocate(fit, budget=1e12, unit="tokens", growth_factor=4).best
    assert best.tokens_stage1 + best.tokens_stage2 == pytest.approx(1e12)
    assert best.tokens_stage1 / best.tokens_stage2 == pytest.approx(5 / 8, rel=1e-6)
    assert best.costs == {}


@settings(max_examples=25, deadline=None)
@given(
    a1=st.floats(0.05, 0.12),
    a2=st.floats(0.08, 0.2),
    a3=st.floats(0.0, 1e-3),
    base_cost=st.floats(0.1, 1.0),
    budget=st.floats(1e19, 1e23),
)
def test_with_an_interaction_the_costs_stand_as_the_exponents_there(a1, a2, a3, base_cost, budget):
    source = as_source(UPCYCLED)
    values = {"A": 16.3, "a1": a1, "a2": a2, "a3": a3, "B": 8.53, "b": 0.112, "E": 0.165}
    law = replace(
        source,
        params=np.array([[values[name] for name in source.law.names]]),
        size_of="model",
    )
    best = allocate(law, budget=budget, params=1e9, base_cost=base_cost).best
    first, second = best.tokens_stage1, best.tokens_stage2
    ratio = (a1 - a3 * math.log(second)) / (a2 - a3 * math.log(first))
    assert base_cost * first / second == pytest.approx(ratio, rel=1e-5)


def test_where_longer_bases_only_hurt_there_is_almost_none():
    source = as_source(UPCYCLED)
    values = {"A": 16.3, "a1": 0.03, "a2": 0.125, "a3": 1.44e-3, "B": 8.53, "b": 0.112, "E": 0.165}
    law = replace(source, params=np.array([[values[name] for name in source.law.names]]))
    # a1 - a3 ln D2 is negative for any D2 above exp(0.03 / 1.44e-3) = 1.1e9 tokens.
    best = allocate(law, budget=1e19, params=1e9).best
    assert best.edges == ("tokens_stage1",)
    assert best.tokens_stage1 == pytest.approx(1e-5 * best.tokens_stage2, rel=1e-6)
    assert "a base is not worth its cost" in " ".join(best.reasons)


def test_size_and_split_are_best_together():
    best = allocate(UPCYCLED, budget=1e22, base_cost=0.5).best
    values = preset(UPCYCLED).values
    # N is that of the base, whose token costs 6 N; one of the final model costs twice that.
    spent = 6 * best.params * (best.tokens_stage1 + 2 * best.tokens_stage2)
    assert spent == pytest.approx(1e22)
    ln_first, ln_second = math.log(best.tokens_stage1), math.log(best.tokens_stage2)
    product = best.loss - values["E"] - values["B"] * best.params ** -values["b"]
    along_first = product * (values["a1"] - values["a3"] * ln_second)
    along_second = product * (values["a2"] - values["a3"] * ln_first)
    along_size = values["b"] * values["B"] * best.params ** -values["b"]
    share = best.tokens_stage1 / (best.tokens_stage1 + 2 * best.tokens_stage2)
    # One multiplier for all three: d loss / d ln(cost) per unit of cost.
    assert along_first / share == pytest.approx(along_second / (1 - share), rel=1e-5)
    assert along_size == pytest.approx(along_first + along_second, rel=1e-5)


def test_a_base_that_exists_is_free_or_paid():
    free = allocate(UPCYCLED, budget=1e21, params=1e9, tokens_stage1=5e10, stage1="free").best
    paid = allocate(UPCYCLED, budget=1e21, params=1e9, tokens_stage1=5e10, stage1="paid").best
    assert free.tokens_stage2 == pytest.approx(1e21 / 6e9)
    assert paid.tokens_stage2 == pytest.approx(1e21 / 6e9 - 5e10)
    assert "stage1" not in free.costs
    assert float(paid.costs["stage1"].flops) == pytest.approx(3e20)
    assert free.optimum == free.flat == free.off_by_two == {}
    assert preset(UPCYCLED).loss(
        {"tokens_stage1": 5e10, "tokens_stage2": free.tokens_stage2, "params": 1e9}
    )[0] == pytest.approx(free.loss)


def test_the_size_is_chosen_for_a_base_of_given_tokens():
    best = allocate(
        UPCYCLED, budget=1e21, tokens_stage1=5e10, stage1="free", min_params=1e7, max_params=1e12
    ).best
    assert any("a free base of every size" in warning for warning in best.warnings)
    for params in (best.params * 0.97, best.params * 1.03):
        other = allocate(UPCYCLED, budget=1e21, params=params, tokens_stage1=5e10, stage1="free")
        assert other.best.loss > best.loss


@pytest.mark.parametrize("options", [{}, {"base_cost": 0.5}, {"params": 1e9}])
def test_the_least_budget_for_a_loss_is_the_inverse_of_the_best_loss_of_a_budget(options):
    there = allocate(UPCYCLED, budget=3e21, **options).best
    back = allocate(UPCYCLED, target_loss=there.loss, **options).best
    assert back.budget == pytest.approx(3e21, rel=1e-6)
    assert back.tokens_stage1 == pytest.approx(there.tokens_stage1, rel=1e-5)
    assert back.loss == pytest.approx(there.loss, abs=1e-9)


def test_each_replicate_has_a_least_budget_of_its_own(factory):
    rows = [{**PRODUCT, "E": 1.5 + 0.01 * i} for i in range(-5, 6)]
    fit = factory.make_fit("multiplicative", PRODUCT, replicates=rows, ranges=WIDE)
    best = allocate(fit, target_loss=1.9, params=1e9, level=0.99).best
    lower, upper = best.optimum["budget"]
    alone = [
        allocate(factory.make_fit("multiplicative", row, ranges=WIDE), target_loss=1.9, params=1e9)
        for row in (rows[0], rows[-1])
    ]
    assert [lower, upper] == pytest.approx([answer.best.budget for answer in alone], rel=1e-6)


def test_a_loss_that_some_replicates_never_reach_has_an_open_interval(factory):
    rows = [PRODUCT] * 9 + [{**PRODUCT, "E": 2.0}]
    fit = factory.make_fit("multiplicative", PRODUCT, replicates=rows, ranges=WIDE)
    best = allocate(fit, target_loss=1.9, params=1e9).best
    assert best.optimum["budget"][1] == math.inf
    assert best.budget < math.inf


@pytest.mark.parametrize("tokens", [0.0, 1e11, 1e13])
def test_serving_is_paid_from_the_budget_and_makes_models_smaller(tokens):
    best = allocate("hoffmann2022", budget=1e22, inference_tokens=tokens).best
    spent = 6 * best.params * best.tokens_stage2 + 2 * best.params * tokens
    assert spent == pytest.approx(1e22)
    assert best.params <= hoffmann(preset("hoffmann2022").values, 1e22)[0] * (1 + 1e-6)
    # d/d ln N at a fixed budget, D = (C - 2 N T) / (6 N): a A N^-a = b B D^-b C / (6 N D)
    values = preset("hoffmann2022").values
    size = values["a"] * values["A"] * best.params ** -values["a"]
    data = values["b"] * values["B"] * best.tokens_stage2 ** -values["b"]
    assert size == pytest.approx(data * 1e22 / (6 * best.params * best.tokens_stage2), rel=1e-5)


def test_text_that_runs_out_counts_less_when_repeated():
    plenty = allocate(UPCYCLED, budget=1e22).best
    scarce = allocate(UPCYCLED, budget=1e22, unique_tokens_stage2=1e10).best
    assert scarce.tokens_stage2 < plenty.tokens_stage2
    assert scarce.loss > plenty.loss
    assert scarce.epochs == {"stage2": pytest.approx(scarce.tokens_stage2 / 1e10)}
    assert any("passes over its text" in warning for warning in scarce.warnings)
    enough = allocate(UPCYCLED, budget=1e22, unique_tokens_stage2=1e15).best
    assert enough.tokens_stage2 == pytest.approx(plenty.tokens_stage2, rel=1e-6)


def test_a_law_that_reads_repetition_counts_it_itself():
    best = allocate("muennighoff2023", budget=1e21, unique_tokens_stage2=1e9).best
    columns = {"params": best.params, "tokens_stage2": best.tokens_stage2, "unique_tokens": 1e9}
    assert preset("muennighoff2023").loss(columns)[0] == pytest.approx(best.loss)
    assert best.epochs["stage2"] == pytest.approx(best.tokens_stage2 / 1e9)
    same = allocate("muennighoff2023", budget=1e21, at={"U": 1e9}).best
    assert same.loss == best.loss


def test_repeating_beyond_reason_is_no_plan():
    answer = allocate("hoffmann2022", budget=1e23, params=1e9, unique_tokens_stage2=1e9)
    assert answer.status == "undetermined"
    assert "repeats a text more than 40 times" in answer.reasons[0]
    assert answer.best.loss is None


def test_a_deadline_bounds_the_training():
    on = hardware("h100", devices=8)
    free = allocate("hoffmann2022", budget=1e23, hardware=on).best
    best = allocate("hoffmann2022", budget=1e23, hardware=on, deadline=10).best
    assert float(best.cost.days) == pytest.approx(10)
    assert float(free.cost.days) > 10
    assert any("deadline of 10 days" in warning for warning in best.warnings)


def test_a_loss_that_takes_longer_than_the_deadline_is_not_reached():
    on = hardware("h100")
    least = allocate("besiroglu2024", target_loss=2.3, hardware=on).best
    days = float(least.cost.days)
    assert allocate("besiroglu2024", target_loss=2.3, hardware=on, deadline=days * 1.01).best.loss
    late = allocate("besiroglu2024", target_loss=2.3, hardware=on, deadline=days * 0.99)
    assert late.status == "undetermined"
    assert "before the deadline" in late.reasons[0]


@pytest.mark.parametrize(
    ("amount", "unit"), [(1000.0, "money"), (400.0, "device-hours"), (400 / 24, "days")]
)
def test_budgets_in_money_hours_and_days_are_one(amount, unit):
    on = hardware("h100", price=2.5)
    best = allocate("hoffmann2022", budget=amount, unit=unit, hardware=on).best
    assert float(best.cost.device_hours) == pytest.approx(400)
    assert float(best.cost.money) == pytest.approx(1000)


def test_a_models_config_counts_more_than_6_n_and_makes_models_smaller():
    plain = allocate("hoffmann2022", budget=1e20).best
    shaped = allocate("hoffmann2022", budget=1e20, shape=SHAPE).best
    spent = float(SHAPE.flops_per_token_at(shaped.params)) * shaped.tokens_stage2
    assert spent == pytest.approx(1e20)
    assert shaped.tokens_stage2 < 0.99 * plain.tokens_stage2 * plain.params / shaped.params


def test_a_smaller_base_is_cheaper_by_its_own_shape(factory):
    fit = factory.make_fit("multiplicative", PRODUCT, ranges=WIDE)
    best = allocate(fit, budget=1e20, shape=SHAPE, growth_factor=2).best
    base = float(SHAPE.flops_per_token_at(SHAPE.params / 2))
    assert best.params_base == SHAPE.params / 2
    assert float(best.costs["stage1"].flops) == pytest.approx(base * best.tokens_stage1)
    assert base > SHAPE.flops_per_token / 2


@pytest.mark.parametrize(("low", "high"), [(None, 1e9), (1e11, None)])
def test_sizes_that_are_bounded_end_at_the_bound_and_say_so(low, high):
    best = allocate("hoffmann2022", budget=1e22, min_params=low, max_params=high).best
    assert best.params == pytest.approx(low or high)
    assert best.edges == ("params",)
    assert best.reasons == ()
    assert any("at the edge of the allowed sizes" in warning for warning in best.warnings)


def test_a_law_whose_loss_rises_with_tokens_is_undetermined():
    values = {"A": 400.0, "a": 0.34, "B": 410.0, "b": -0.01, "E": 1.0}
    answer = allocate(
        replace(as_source("hoffmann2022"), params=np.array([[values[n] for n in "AaBbE"]])),
        budget=1e22,
    )
    assert answer.status == "undetermined"


def test_where_the_split_makes_no_difference_it_is_said(factory):
    values = {"A": 20.0, "a": 0.1, "E": 1.5}
    best = allocate(
        factory.make_fit("total-tokens", values, ranges=WIDE), budget=1e12, unit="tokens"
    ).best
    assert any("makes no difference" in warning for warning in best.warnings)
    assert best.loss == pytest.approx(1.5 + 20 * 1e12**-0.1)


def test_a_cheaper_first_stage_takes_all_where_tokens_count_alike(factory):
    fit = factory.make_fit("total-tokens", {"A": 20.0, "a": 0.1, "E": 1.5}, ranges=WIDE)
    best = allocate(fit, budget=1e21, params=1e9, growth_factor=2).best
    assert best.edges == ("tokens_stage1",)
    assert "stage 2 is not worth its cost" in " ".join(best.reasons)


def test_the_flat_region_ends_where_the_loss_is_too_high(factory):
    fit = factory.make_fit("multiplicative", PRODUCT, ranges=WIDE)
    best = allocate(fit, budget=1e21, params=1e9, tolerance=0.02).best
    limit = best.loss + 0.02 * (best.loss - PRODUCT["E"])
    total = best.tokens_stage1 + best.tokens_stage2
    for first in best.flat["tokens_stage1"]:
        loss = PRODUCT["E"] + 20 * first**-0.05 * (total - first) ** -0.08
        assert loss - best.loss == pytest.approx(limit - best.loss, rel=5e-3)
        assert loss <= limit
    low, high = best.flat["tokens_stage2"]
    assert (low, high) == pytest.approx(
        (total - best.flat["tokens_stage1"][1], total - best.flat["tokens_stage1"][0])
    )


def test_the_flat_region_of_size_and_tokens_ends_where_the_loss_is_too_high():
    best = allocate("hoffmann2022", budget=1e22).best
    law = preset("hoffmann2022")
    for params in best.flat["params"]:
        loss = law.loss({"params": params, "tokens_stage2": 1e22 / 6 / params})[0]
        assert loss - best.loss == pytest.approx(0.01 * (best.loss - 1.69), rel=5e-3)


def test_stage_1_off_by_two_costs_what_the_law_says(factory):
    best = allocate(
        factory.make_fit("multiplicative", PRODUCT, ranges=WIDE), budget=1e21, params=1e9
    ).best
    total = best.tokens_stage1 + best.tokens_stage2
    by_hand = [
        1.5 + 20 * first**-0.05 * (total - first) ** -0.08 - best.loss
        for first in (best.tokens_stage1 / 2, best.tokens_stage1 * 2)
    ]
    assert best.off_by_two["tokens_stage1"] == pytest.approx(by_hand, rel=1e-6)


def test_twice_as_much_stage_1_may_be_beyond_the_budget(factory):
    values = {**PRODUCT, "a1": 0.2}
    best = allocate(
        factory.make_fit("multiplicative", values, ranges=WIDE), budget=1e21, params=1e9
    ).best
    assert best.off_by_two["tokens_stage1"][1] == math.inf
    assert best.off_by_two["tokens_stage1"][0] > 0


def test_regret_is_what_the_replicates_lose_by_the_estimates_design(factory):
    rows = [{**PRODUCT, "a1": 0.03}, {**PRODUCT, "a1": 0.08}]
    fit = factory.make_fit("multiplicative", PRODUCT, replicates=rows, ranges=WIDE)
    best = allocate(fit, budget=1e21, params=1e9).best
    lost = []
    for row in rows:
        own = allocate(
            factory.make_fit("multiplicative", row, ranges=WIDE), budget=1e21, params=1e9
        ).best
        acted = 1.5 + 20 * best.tokens_stage1 ** -row["a1"] * best.tokens_stage2**-0.08
        lost.append(acted - own.loss)
    assert best.regret.mean == pytest.approx(np.mean(lost), rel=1e-6)
    assert best.regret.high == pytest.approx(np.quantile(lost, 0.95), rel=1e-6)
    # A smaller budget, used in the best way, would lose as much.
    smaller = allocate(
        factory.make_fit("multiplicative", PRODUCT, ranges=WIDE),
        budget=1e21 * (1 - best.regret.budget_share),
        params=1e9,
    ).best
    assert smaller.loss - best.loss == pytest.approx(best.regret.mean, rel=0.02)


def test_a_fit_that_is_certain_has_no_regret(factory):
    fit = factory.make_fit("bootstrapped", MAIN, replicates=[MAIN] * 20, ranges=WIDE)
    best = allocate(fit, budget=1e21, params=1e9).best
    assert best.regret.mean == pytest.approx(0, abs=1e-12)
    low, high = best.optimum["tokens_stage1"]
    assert low == pytest.approx(high, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    ln_size=st.floats(math.log(1e7), math.log(1e11)),
    share=st.floats(0.01, 0.99),
    ln_budget=st.floats(math.log(1e20), math.log(1e23)),
)
def test_no_design_of_the_same_budget_is_better(ln_size, share, ln_budget):
    budget, size = math.exp(ln_budget), math.exp(ln_size)
    serving, unique, base_cost = 1e10, 3e10, 0.5
    best = allocate(
        UPCYCLED,
        budget=budget,
        base_cost=base_cost,
        inference_tokens=serving,
        unique_tokens_stage1=unique,
        unique_tokens_stage2=unique,
    ).best
    # N is the base's: a token of it costs 6 N, one of the final model 6 N / base_cost.
    training = budget - 2 * size / base_cost * serving
    tokens = np.array([share / (6 * size), (1 - share) / (6 * size / base_cost)]) * training
    repeats = np.maximum(tokens / unique - 1, 0)
    worth = np.where(
        tokens > unique, unique * (1 - 15.387756 * np.expm1(-repeats / 15.387756)), tokens
    )
    if training > 0 and repeats.max() < 39:
        other = preset(UPCYCLED).loss(
            {"tokens_stage1": worth[0], "tokens_stage2": worth[1], "params": size}
        )
        assert best.loss <= other[0] + 1e-12


def test_a_base_larger_than_the_final_model_is_refused():
    with pytest.raises(InputError, match="not shrunk"):
        allocate(UPCYCLED, budget=1e21, growth_factor=0.5)


def test_a_target_loss_that_any_budget_beats_has_no_least_budget():
    answer = allocate("besiroglu2024", target_loss=1e5, params=1e9)
    assert answer.status == "undetermined"
    assert "100000 is too high to plan for" in " ".join(answer.best.reasons)


def test_a_law_of_one_stage_is_not_asked_about_bases():
    with pytest.raises(InputError, match="leave --tokens-stage1 out"):
        allocate("besiroglu2024", budget=1e21, tokens_stage1=1e9)


def test_a_text_that_limits_the_model_is_read_to_the_last_pass_that_is_known():
    """The plan ended 4 % short of forty passes, and its price of a budget was infinite."""
    best = allocate("besiroglu2024", budget=1e22, unique_tokens_stage2=1e9, max_params=5e10).best
    size = np.geomspace(1e6, 5e10, 200001)
    tokens = 1e22 / (6 * size)
    v = preset("besiroglu2024").values
    worth = 1e9 * (1 + 15.387756 * -np.expm1(-(tokens / 1e9 - 1) / 15.387756))
    loss = v["E"] + v["A"] * size ** -v["a"] + v["B"] * worth ** -v["b"]
    assert best.loss == pytest.approx(loss[tokens <= 40e9].min(), rel=1e-6)
    assert best.epochs["stage2"] <= 40 * (1 + 1e-6)
