"""Every option at equal budget: losses, shares, ties, equivalents, flips and refusals."""

import math
from pathlib import Path

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.fitting import fit
from bootlaw.planning import Known, allocate, breakeven, decide, forecast
from bootlaw.planning.cost import hardware

SIZED = {"tokens_stage1": (1e9, 1e11), "tokens_stage2": (1e9, 1e11), "params": (1e8, 1e9)}


@pytest.fixture
def joint(factory):
    """Give a joint fit at one size with forty replicates that move A and A_s."""
    draw = np.random.default_rng(0)
    rows = [
        {
            **factory.JOINT,
            "A": factory.JOINT["A"] * math.exp(draw.normal(0, 0.01)),
            "A_s": factory.JOINT["A_s"] * math.exp(draw.normal(0, 0.01)),
        }
        for _ in range(40)
    ]
    return factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=rows, residual_scale=0.005
    )


def by_kind(decision, kind):
    return next(outcome for outcome in decision.outcomes if outcome.kind == kind)


def test_losses_are_the_forecasts_at_the_tokens_that_the_budget_buys(joint):
    answer = decide(joint, tokens_stage1=1e10, budget=6e9 * 2e10)
    reuse, scratch = by_kind(answer, "reuse"), by_kind(answer, "scratch")
    assert (reuse.tokens, scratch.tokens) == (2e10, 2e10)
    expected = forecast(joint, tokens_stage1=1e10, tokens_stage2=2e10)
    assert reuse.loss == pytest.approx(expected.loss)
    assert reuse.lower == pytest.approx(expected.lower)
    assert scratch.loss == forecast(joint, tokens_stage1=0, tokens_stage2=2e10).loss


def test_a_paid_base_comes_out_of_the_budget_of_reuse_alone(joint):
    answer = decide(joint, tokens_stage1=1e10, budget=6e9 * 3e10, stage1="paid")
    assert by_kind(answer, "reuse").tokens == 2e10
    assert by_kind(answer, "scratch").tokens == 3e10
    same = decide(joint, tokens_stage1=1e10, tokens_stage2=2e10, stage1="paid")
    assert same.budget == answer.budget
    poor = decide(joint, tokens_stage1=1e10, budget=6e9 * 1e10, stage1="paid")
    assert poor.missing["grow the base (stack)"] == "the budget does not pay for it"
    half = decide(joint, tokens_stage1=1e10, budget=6e9 * 3e10, stage1="paid", base_cost=0.5)
    assert by_kind(half, "reuse").tokens == pytest.approx(2.5e10)


def test_the_budget_that_flips_the_verdict_is_the_breakeven(joint):
    catches_up = breakeven(joint, tokens_stage1=1e10).tokens
    answer = decide(joint, tokens_stage1=1e10, tokens_stage2=catches_up / 5)
    assert answer.best.kind == "reuse"
    flip = next(one for one in answer.flips if one.what == "budget")
    assert flip.winner == "scratch"
    assert flip.factor == pytest.approx(5, rel=1e-4)
    assert "scratch, with" in answer.summary()


def test_options_tie_where_resamples_disagree_and_do_not_far_from_the_crossing(joint):
    catches_up = breakeven(joint, tokens_stage1=1e10).tokens
    near = decide(joint, tokens_stage1=1e10, tokens_stage2=catches_up)
    assert near.status == "tie"
    assert len(near.ties) == 2
    assert "tie:" in near.summary()
    far = decide(joint, tokens_stage1=1e10, tokens_stage2=catches_up / 1e3)
    assert far.status == "ok"
    assert far.best.times_best == far.n_replicates == 40
    assert "40 of 40 resamples" in far.summary()


def test_tokens_that_are_worth_as_much_lead_back_to_the_loss(joint):
    reuse = by_kind(decide(joint, tokens_stage1=1e10, tokens_stage2=1e9), "reuse")
    worth = forecast(joint, tokens_stage1=0, tokens_stage2=reuse.equivalent_tokens)
    assert worth.loss == pytest.approx(reuse.loss, rel=1e-12)
    assert reuse.compute_multiplier == pytest.approx(reuse.equivalent_tokens / 1e9)


def test_no_tokens_from_scratch_reach_a_loss_below_the_irreducible_one(joint):
    answer = decide(joint, tokens_stage1=1e10, tokens_stage2=1e9, others={"big": Known(0.9, 7e9)})
    assert answer.best.name == "take big as it is"
    assert answer.best.equivalent_tokens is None


def test_the_base_itself_is_an_option_where_its_loss_is_known(joint):
    asked = {"tokens_stage1": 1e10, "tokens_stage2": 1e9}
    assert "--base-loss" in decide(joint, **asked).missing["leave the base as it is"]
    left = by_kind(decide(joint, **asked, base_loss=1.5), "leave")
    assert (left.loss, left.tokens, left.cost.flops) == (1.5, 0.0, 0.0)


def test_the_compute_optimal_size_is_that_of_the_closed_form():
    # Hoffmann et al., arXiv 2203.15556, equation 4: N_opt = G (C/6)^(b/(a+b)).
    a, b, scale_n, scale_d = 0.34, 0.28, 406.4, 410.7
    budget = 1e21
    factor = (a * scale_n / (b * scale_d)) ** (1 / (a + b))
    expected = factor * (budget / 6) ** (b / (a + b))
    answer = decide(
        "liew2025-upcycling-upcycled",
        scratch="hoffmann2022",
        params=1e9,
        tokens_stage1=1e11,
        budget=budget,
    )
    best = next(o for o in answer.outcomes if "compute-optimal" in o.name)
    assert best.params == pytest.approx(expected, rel=1e-3)
    assert best.tokens == pytest.approx(budget / 6 / expected, rel=1e-3)


def test_published_laws_within_one_per_cent_are_a_tie_without_shares():
    asked = {"scratch": "liew2025-upcycling-moe", "params": 1e9, "tokens_stage1": 1e11}
    near = decide("liew2025-upcycling-upcycled", tokens_stage2=5e10, **asked)
    assert near.status == "tie"
    assert near.best.times_best is None
    base = decide(
        "liew2025-upcycling-upcycled",
        tokens_stage2=5e9,
        base_law="liew2025-upcycling-dense",
        serving_params=3e8,
        **asked,
    )
    left = by_kind(base, "leave")
    dense = forecast("liew2025-upcycling-dense", tokens_stage1=0, tokens_stage2=1e11, params=1e9)
    assert left.loss == pytest.approx(dense.loss)
    assert any("size for serving (300M)" in outcome.name for outcome in base.outcomes)


def test_money_and_days_of_every_option(joint):
    on = hardware("h100", price=2.0, mfu=0.5, devices=8)
    answer = decide(joint, tokens_stage1=1e10, tokens_stage2=1e10, on=on)
    cost = by_kind(answer, "reuse").cost
    hours = 6e9 * 1e10 / (989e12 * 0.5 * 3600)
    assert cost.money == pytest.approx(2 * hours)
    assert cost.days == pytest.approx(hours / 8 / 24)
    assert "USD" in answer.summary()


def test_continued_models_keep_the_size_of_the_base_and_grown_ones_do_not(factory):
    values = {**factory.JOINT, "B": 8.0, "b": 0.1, "B_s": 8.0, "b_s": 0.1}
    fit = factory.make_fit("bootstrapped-joint+scratch", values, ranges=SIZED)
    answer = decide(
        {"cpt": fit, "stack": fit}, tokens_stage1=1e10, budget=6e19, params=1e9, params_base=5e8
    )
    sizes = {outcome.name: outcome.params for outcome in answer.outcomes}
    assert sizes["continue the base (cpt)"] == 5e8
    assert sizes["grow the base (stack)"] == 1e9
    tokens = {outcome.name: outcome.tokens for outcome in answer.outcomes}
    assert tokens["continue the base (cpt)"] == 2 * tokens["grow the base (stack)"]


def test_fits_of_different_texts_are_warned_about(factory, joint):
    other = factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "A_s": 60.0})
    answer = decide({"cpt": joint, "stack": other}, tokens_stage1=1e10, tokens_stage2=1e10)
    assert any("not of one held-out text" in warning for warning in answer.warnings)


def test_a_base_beyond_the_laws_validity_leaves_the_other_options(factory):
    values = {**factory.JOINT, "a2": 0.5, "a3": 0.022}
    fit = factory.make_fit("bootstrapped+scratch", values)
    answer = decide(fit, tokens_stage1=1e12, tokens_stage2=1e10)
    assert [outcome.kind for outcome in answer.outcomes] == ["scratch"]
    assert "exponent" in answer.missing["grow the base (stack)"]
    measured = decide(fit, tokens_stage1=1e12, tokens_stage2=1e10, base_loss=9.0)
    assert (measured.status, measured.best.kind) == ("ok", "scratch")


def test_fits_of_two_sizes_get_equal_compute_not_equal_tokens(factory):
    def fit(size, **changes):
        ranges = {**SIZED, "params": (size, size)}
        return factory.make_fit("bootstrapped+scratch", {**factory.JOINT, **changes}, ranges=ranges)

    both = {"cpt": fit(5e8), "stack": fit(1e9, A_s=31.0)}
    answer = decide(both, tokens_stage1=1e10, tokens_stage2=1e10)
    assert answer.budget == pytest.approx(6e9 * 1e10)
    tokens = {outcome.name: outcome.tokens for outcome in answer.outcomes}
    assert tokens["continue the base (cpt)"] == pytest.approx(2e10)
    assert tokens["grow the base (stack)"] == pytest.approx(1e10)
    assert tokens["scratch, at 500M"] == pytest.approx(2e10)
    equal = {outcome.name: outcome.equivalent_tokens for outcome in answer.outcomes}
    assert equal["scratch, at 500M"] == pytest.approx(2e10)
    assert equal["scratch"] == pytest.approx(1e10)


def test_one_option_alone_is_no_verdict(factory):
    values = {name: factory.JOINT[name] for name in ("A", "a1", "a2", "a3", "E")}
    fit = factory.make_fit("bootstrapped", values)
    answer = decide(fit, tokens_stage1=1e10, tokens_stage2=1e10)
    assert answer.status == "undetermined"
    assert "only one option can be compared" in answer.reasons[0]
    assert answer.to_json()["best"] is None
    assert "no law of runs from scratch" in answer.missing["scratch"]


def test_a_budget_far_beyond_the_runs_is_undetermined_as_in_allocate(joint):
    answer = decide(joint, tokens_stage1=1e10, tokens_stage2=1.1e14)
    assert answer.status == "undetermined"
    assert "3.0 decades outside the data" in answer.reasons[0]
    assert answer.flips == ()
    plan = allocate(joint, tokens_stage1=1e10, budget=1.1e14, unit="tokens")
    assert plan.status == "undetermined"
    assert decide(joint, tokens_stage1=1e10, tokens_stage2=0.9e14).status != "undetermined"


def test_a_budget_of_less_than_a_token_pays_for_nothing(joint):
    answer = decide(joint, tokens_stage1=1e10, budget=1.0)
    assert answer.status == "undetermined"
    assert answer.missing["scratch"] == "the budget does not pay for it"


def test_a_broken_fit_answers_nothing(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, status="not_identifiable")
    answer = decide(fit, tokens_stage1=1e10, tokens_stage2=1e10)
    assert answer.status == "undetermined"
    assert "rank deficient" in " ".join(answer.reasons)
    assert answer.to_json()["best"] is None


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({}, "give one budget"),
        ({"budget": 1e20, "tokens_stage2": 1e9}, "give one budget"),
        ({"budget": 0.0}, "budget is 0"),
        ({"budget": 1e20, "base_loss": 2.0, "base_law": "besiroglu2024"}, "or --base-law"),
        ({"tokens_stage2": 1e9, "params_base": 2e9}, "can be continued or grown, not shrunk"),
        ({"tokens_stage2": 1e9, "at": {"replay": 0.1}}, "does not read it"),
    ],
)
def test_senseless_questions_are_refused(joint, question, words):
    with pytest.raises(InputError, match=words):
        decide(joint, tokens_stage1=1e10, **question)


def test_a_known_model_needs_a_loss_above_zero():
    with pytest.raises(InputError, match="above zero"):
        Known(0.0)


def test_a_base_far_beyond_the_pilots_is_not_left_to_one_law_in_silence(joint):
    far = decide(joint, tokens_stage1=1e13, tokens_stage2=1e10)
    assert any("compare TABLE --out" in warning for warning in far.warnings)
    near = decide(joint, tokens_stage1=1e12, tokens_stage2=1e10)
    assert not any("compare TABLE --out" in warning for warning in near.warnings)


def test_losses_on_other_texts_are_not_compared():
    """Continued on code and grown on prose, a study's methods were ranked by loss in silence."""
    study = Path(__file__).parents[1] / "data" / "two_stage_study.csv"
    fits = {one: fit(study, "multiplicative+scratch", method=one) for one in ("cpt", "stack")}
    assert {one: found.eval_data for one, found in fits.items()} == {
        "cpt": "code",
        "stack": "prose",
    }
    with pytest.raises(InputError, match=r"of cpt is of losses on 'code' and .* on 'prose'"):
        decide(fits, tokens_stage1=1e6, tokens_stage2=1e6)
    prose = fit(
        study, "power", where="tokens_stage1 == 0 and eval_data == 'prose' and params > 6e4"
    )
    alone = fit(study, "multiplicative", method="cpt")
    with pytest.raises(InputError, match="different texts"):
        breakeven(alone, tokens_stage1=1e6, scratch=prose)
