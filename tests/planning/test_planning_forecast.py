"""Forecasts against the law's own formula, and their refusals."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.planning import forecast

QUICK = settings(deadline=None, max_examples=40)


def main_law(values, d1, d2):
    exponent = values["a2"] - values["a3"] * math.log(d1)
    return values["A"] * d1 ** -values["a1"] * d2**-exponent + values["E"]


def beyond(*decades):
    """Return the larger one, 0 where it is under one per cent of the tokens."""
    return max(decades) if max(decades) >= math.log10(1.01) else 0


def test_loss_of_the_published_upcycling_law(factory):
    # arXiv 2502.03009, table of coefficients, N1 = 1e9: (74e9, 37e9) -> 2.144
    fit, _ = factory.upcycled(1e9)
    answer = forecast(fit, tokens_stage1=74e9, tokens_stage2=37e9)
    assert answer.loss == pytest.approx(2.144, abs=5e-4)
    assert answer.extrapolation == {"tokens_stage1": 0.0, "tokens_stage2": 0.0}


def test_without_replicates_there_is_no_interval_and_it_says_so(factory):
    answer = forecast(
        factory.make_fit("bootstrapped", factory.MAIN), tokens_stage1=1e10, tokens_stage2=1e10
    )
    assert (answer.lower, answer.upper) == (None, None)
    assert any("bootstrap" in warning for warning in answer.warnings)


def test_equal_replicates_leave_the_residual_noise(factory):
    fit = factory.make_fit(
        "bootstrapped", factory.MAIN, replicates=[factory.MAIN] * 20, residual_scale=0.01
    )
    answer = forecast(fit, tokens_stage1=1e10, tokens_stage2=1e10, level=0.9)
    half = 0.01 * norm.ppf(0.95)
    assert answer.lower == pytest.approx(answer.loss * math.exp(-half))
    assert answer.upper == pytest.approx(answer.loss * math.exp(half))
    assert answer.level == 0.9


@QUICK
@given(st.floats(8, 14), st.floats(6.1, 13.9))
def test_extrapolation_counts_decades(factory, log_d1, log_d2):
    fit = factory.make_fit("multiplicative", {"A": 20, "a1": 0.05, "a2": 0.08, "E": 1})
    answer = forecast(fit, tokens_stage1=10**log_d1, tokens_stage2=10**log_d2)
    assert answer.extrapolation["tokens_stage1"] == pytest.approx(
        beyond(9 - log_d1, log_d1 - 12), abs=1e-9
    )
    assert answer.extrapolation["tokens_stage2"] == pytest.approx(
        beyond(9 - log_d2, log_d2 - 11), abs=1e-9
    )


def test_warnings_grow_with_the_distance(factory):
    fit = factory.make_fit("multiplicative", {"A": 20, "a1": 0.05, "a2": 0.08, "E": 1})

    def said(tokens):
        warnings = forecast(fit, tokens_stage1=1e10, tokens_stage2=tokens).warnings
        return [warning for warning in warnings if "fitted range" in warning]

    assert said(1e10) == []
    assert "mild" in said(2e11)[0]
    assert "run in between" in said(7e11)[0]
    assert "decades out" in said(1e14)[0]
    assert "below" in said(1e7)[0]


def test_joint_law_answers_for_scratch_at_no_stage_1(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    answer = forecast(fit, tokens_stage1=0, tokens_stage2=1e10)
    assert answer.loss == pytest.approx(32.0 * 1e10**-0.14 + 1.0)
    assert set(answer.extrapolation) == {"tokens_stage2"}
    reuse = forecast(fit, tokens_stage1=1e10, tokens_stage2=1e10)
    assert reuse.loss == pytest.approx(main_law(factory.JOINT, 1e10, 1e10))


@pytest.mark.parametrize("key", ["bootstrapped", "multiplicative"])
def test_law_without_scratch_part_refuses_no_stage_1(factory, key):
    with pytest.raises(UndeterminedError, match=r"\+scratch"):
        forecast(factory.make_fit(key, factory.MAIN), tokens_stage1=0, tokens_stage2=1e10)


def test_one_stage_law_answers_at_no_stage_1_only(factory):
    fit = factory.make_fit("power", {"A": 10, "a": 0.1, "E": 1})
    assert forecast(fit, tokens_stage1=0, tokens_stage2=1e10).loss == pytest.approx(2.0)
    with pytest.raises(UndeterminedError, match="one stage"):
        forecast(fit, tokens_stage1=1e9, tokens_stage2=1e10)


def test_beyond_the_point_where_the_exponent_ends(factory):
    values = {**factory.MAIN, "a2": 0.5, "a3": 0.02}
    fit = factory.make_fit("bootstrapped", values)
    end = math.exp(0.5 / 0.02)
    assert forecast(fit, tokens_stage1=end * 0.99, tokens_stage2=1e10).loss > 0
    with pytest.raises(UndeterminedError, match=r"D1 below exp\(a2/a3\) = 72B"):
        forecast(fit, tokens_stage1=end * 1.01, tokens_stage2=1e10)


def test_negative_interaction_ends_below(factory):
    fit = factory.make_fit("bootstrapped", {**factory.MAIN, "a2": -0.5, "a3": -0.025})
    with pytest.raises(UndeterminedError, match="D1 above"):
        forecast(fit, tokens_stage1=1e8, tokens_stage2=1e10)
    assert forecast(fit, tokens_stage1=1e9, tokens_stage2=1e10).loss > 0


@pytest.mark.parametrize("status", ["not_converged", "not_identifiable"])
def test_unusable_fits_are_refused_with_their_reason(factory, status):
    fit = factory.make_fit("bootstrapped", factory.MAIN, status=status)
    with pytest.raises(UndeterminedError, match="rank deficient"):
        forecast(fit, tokens_stage1=1e10, tokens_stage2=1e10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens_stage1": -1.0},
        {"tokens_stage1": math.nan},
        {"tokens_stage2": 0.0},
        {"tokens_stage2": math.inf},
        {"level": 1.0},
        {"level": 0.0},
    ],
)
def test_senseless_numbers_are_input_errors(factory, wrong):
    fit = factory.make_fit("bootstrapped", factory.MAIN)
    with pytest.raises(InputError):
        forecast(fit, **({"tokens_stage1": 1e10, "tokens_stage2": 1e10} | wrong))


@QUICK
@given(st.integers(0, 500))
def test_interval_is_the_same_every_time_and_holds_the_middle(factory, seed):
    rng = np.random.default_rng(seed)
    replicates = [
        {name: value * (1 + 0.01 * rng.normal()) for name, value in factory.MAIN.items()}
        for _ in range(40)
    ]
    fit = factory.make_fit(
        "bootstrapped", factory.MAIN, replicates=replicates, residual_scale=0.005
    )
    first, second = (forecast(fit, tokens_stage1=2e10, tokens_stage2=3e10) for _ in range(2))
    assert first == second
    middle = np.median([main_law(row, 2e10, 3e10) for row in replicates])
    assert first.lower < middle < first.upper


def test_document_and_words(factory):
    fit = factory.make_fit(
        "bootstrapped", factory.MAIN, replicates=[factory.MAIN] * 5, residual_scale=0.01
    )
    answer = forecast(fit, tokens_stage1=1e10, tokens_stage2=2e10)
    document = json.loads(json.dumps(answer.to_json()))
    assert {"loss", "lower", "upper", "level", "extrapolation"} <= set(document)
    assert "10B + 20B tokens" in answer.summary()
    assert "95 % of runs between" in answer.summary()


def test_a_run_out_of_sight_has_no_forecast(factory):
    # 4M + 1e300 tokens had a loss, at exit code 0.
    fit = factory.make_fit("bootstrapped", factory.MAIN)
    assert forecast(fit, tokens_stage1=1e10, tokens_stage2=9e13).loss > 0
    with pytest.raises(UndeterminedError, match=r"lie 3\.3 decades outside the data"):
        forecast(fit, tokens_stage1=1e10, tokens_stage2=2e14)
