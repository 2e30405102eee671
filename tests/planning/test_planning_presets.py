"""Break-evens and forecasts from published coefficients, against the values in their papers."""

import pytest

from bootlaw.errors import InputError
from bootlaw.planning import breakeven, forecast
from bootlaw.planning.cost import hardware

UPCYCLED, MOE = "liew2025-upcycling-upcycled", "liew2025-upcycling-moe"


@pytest.mark.parametrize(
    ("params", "tokens_stage1", "expected", "recrossing"),
    [
        (1e9, 1e9, 1.5e9, 9.7e14),
        (1e9, 1e10, 7.1e9, 3.3e14),
        (1e9, 1e11, 5.1e10, 7.3e13),
        (1e8, 1e10, 1.3e10, None),
        (7e9, 1e10, 3.9e9, None),
    ],
)
def test_upcycling_catches_up_where_the_published_coefficients_say(
    params, tokens_stage1, expected, recrossing
):
    answer = breakeven(UPCYCLED, scratch=MOE, params=params, tokens_stage1=tokens_stage1)
    assert answer.status == "crossing"
    assert answer.tokens == pytest.approx(expected, rel=0.03)
    if recrossing is not None:
        assert answer.crossings[1].tokens == pytest.approx(recrossing, rel=0.01)
        assert answer.crossings[1].winner_above == "reuse"


def test_a_base_of_a_trillion_tokens_is_undetermined_by_0_005_nats():
    # The published law has no crossing there by a hair; coefficients of three digits cannot say.
    answer = breakeven(UPCYCLED, scratch=MOE, params=1e9, tokens_stage1=1e12)
    assert answer.status == "undetermined"
    assert answer.verdict == "reuse_always_wins"
    assert "a gap of 0.005 nats" in answer.reasons[0]


def test_the_closed_form_is_refused_where_the_size_terms_do_not_cancel():
    answer = breakeven(UPCYCLED, scratch=MOE, params=1e9, tokens_stage1=1e10)
    assert answer.closed_form is None
    assert "differ by 0.506 nats and do not cancel" in answer.closed_form_reason


def test_published_forecasts():
    reused = forecast(UPCYCLED, tokens_stage1=74e9, tokens_stage2=37e9, params=1e9)
    assert reused.loss == pytest.approx(2.144, abs=5e-4)
    dense = forecast("liew2025-upcycling-dense", tokens_stage1=0, tokens_stage2=74e9, params=1e9)
    assert dense.loss == pytest.approx(2.253, abs=5e-4)
    assert (dense.lower, dense.upper) == (None, None)
    assert any("without a covariance" in warning for warning in dense.warnings)


def test_the_size_must_be_said_and_must_make_sense():
    with pytest.raises(InputError, match="give it with --params N"):
        breakeven(UPCYCLED, scratch=MOE, tokens_stage1=1e10)
    with pytest.raises(InputError, match="must be a finite number above zero"):
        breakeven(UPCYCLED, scratch=MOE, tokens_stage1=1e10, params=0)
    with pytest.raises(InputError, match="hold no scratch law"):
        breakeven(UPCYCLED, tokens_stage1=1e10, params=1e9)
    with pytest.raises(InputError, match="does not read it"):
        forecast(UPCYCLED, tokens_stage1=1e9, tokens_stage2=1e9, params=1e9, at={"replay": 0.1})


def test_two_published_laws_of_one_stage_are_no_duel():
    with pytest.raises(InputError, match="not a law of two stages"):
        breakeven(MOE, scratch=MOE, tokens_stage1=1e10, params=1e9)


def test_a_law_without_size_says_nothing_of_another_size(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    answer = breakeven(fit, tokens_stage1=1e10, params=7e9)
    assert answer.status == "undetermined"
    assert "says nothing about 7B" in answer.reasons[0]
    assert breakeven(fit, tokens_stage1=1e10, params=1e9).verdict == "crossing"


def test_a_joint_law_answers_for_every_size_and_its_closed_form_waits_for_equal_size_terms(factory):
    ranges = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (1e9, 1e11), "params": (1e8, 1e9)}
    values = {**factory.JOINT, "B": 8.0, "b": 0.1, "B_s": 8.0, "b_s": 0.1}
    same = factory.make_fit("bootstrapped-joint+scratch", values, ranges=ranges)
    answer = breakeven(same, tokens_stage1=1e10, params=5e8)
    assert answer.closed_form == pytest.approx(answer.tokens, rel=1e-8)
    other = factory.make_fit("bootstrapped-joint+scratch", {**values, "B_s": 8.1}, ranges=ranges)
    assert breakeven(other, tokens_stage1=1e10, params=5e8).closed_form is None
    with pytest.raises(InputError, match="differs between the fitted rows"):
        breakeven(same, tokens_stage1=1e10)


def test_a_crossing_without_an_interval_far_outside_the_data_is_undetermined(factory):
    ranges = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (1e7, 1e8), "params": (1e9, 1e9)}
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, ranges=ranges)
    answer = breakeven(fit, tokens_stage1=1e10)
    assert answer.extrapolation["tokens_stage2"] > 1
    assert "has no interval" in " ".join(answer.reasons)


def test_a_breakeven_in_flops_hours_and_money():
    on = hardware("h100", price=2.0, mfu=0.5)
    answer = breakeven(UPCYCLED, scratch=MOE, params=1e9, tokens_stage1=1e10, on=on)
    assert answer.cost.flops == pytest.approx(6e9 * answer.tokens)
    hours = float(answer.cost.flops) / (989e12 * 0.5 * 3600)
    assert answer.cost.device_hours == pytest.approx(hours)
    assert answer.cost.money == pytest.approx(2 * hours)
    assert "device-hours" in answer.summary()


def test_reuse_that_overtakes_rests_on_the_gaps_on_both_sides_of_that_crossing():
    # The gap at the crossing itself is 0 by definition: it must not be what the verdict rests on.
    asked = {"scratch": MOE, "params": 1e9, "tokens_stage1": 1e11, "stage1": "paid"}
    answer = breakeven(UPCYCLED, **asked, search=(1e6, 1e19))
    assert answer.tokens is None
    assert answer.crossings[0].winner_above == "reuse"
    assert answer.status == "crossing"


def test_laws_of_two_papers_are_not_set_against_each_other_in_silence():
    asked = {"params": 1e9, "tokens_stage1": 1e9}
    mixed = breakeven(UPCYCLED, scratch="besiroglu2024", **asked)
    assert "arXiv 2502.03009 and arXiv 2404.10102" in " ".join(mixed.warnings)
    same = breakeven(UPCYCLED, scratch=MOE, **asked)
    assert not any("only if held-out" in warning for warning in same.warnings)
