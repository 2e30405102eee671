"""What comes with an answer: scratch beyond its runs, agreement, the fit's own warnings."""

import math

import pytest

from bootlaw.errors import UndeterminedError
from bootlaw.planning import breakeven, forecast, words

RANGES = {"tokens_stage1": (2.56e5, 3999744.0), "tokens_stage2": (2.56e5, 1.024e6)}
AHEAD = {"A": 16.0, "a1": 0.05, "a2": 0.1, "a3": 0.0, "A_s": 30.0, "a_s": 0.3, "E": 1.0}


def test_paid_stage_1_counts_as_extrapolation_of_the_scratch_law(factory):
    # Scratch was read from D2 + D1 tokens up, beyond all its runs, and nothing said so.
    fit = factory.make_fit("bootstrapped+scratch", AHEAD, ranges=RANGES)
    answer = breakeven(fit, tokens_stage1=4e6, stage1="paid")
    assert answer.status == "scratch_always_wins"
    beyond = math.log10((4e6 + 2.56e4) / 1.024e6)
    assert answer.extrapolation["tokens_scratch"] == pytest.approx(beyond)
    said = [w for w in answer.warnings if "tokens from scratch" in w]
    assert len(said) == 1
    assert "even at the nearest D2 searched 4.03M tokens from scratch is 3.93 times" in said[0]


def test_free_stage_1_leaves_no_word_about_scratch(factory):
    fit = factory.make_fit("bootstrapped+scratch", AHEAD, ranges=RANGES)
    answer = breakeven(fit, tokens_stage1=4e6)
    assert answer.extrapolation["tokens_scratch"] == 0
    assert not any("tokens from scratch" in warning for warning in answer.warnings)


def test_crossing_far_beyond_the_scratch_runs_can_be_undetermined(factory):
    # Only the reuse side's distance counted, however far the scratch law was read beyond its runs.
    fit, scratch = factory.upcycled(1e9)
    reuse, alone = ({name: f.value(name) for name in f.law.names} for f in (fit, scratch))
    rows = [{**alone, "A": alone["A"] * (1 + step / 100)} for step in range(-15, 16)]
    answer = breakeven(
        factory.make_fit("bootstrapped", reuse, replicates=[reuse] * len(rows)),
        scratch=factory.make_fit(
            "power", alone, replicates=rows, ranges={"tokens_stage2": (1e7, 1e8)}
        ),
        tokens_stage1=1e10,
    )
    assert answer.extrapolation["tokens_stage2"] == 0
    assert answer.extrapolation["tokens_scratch"] == pytest.approx(math.log10(71), abs=0.02)
    assert any("lies 1.8 decades outside the data" in reason for reason in answer.reasons)


def test_no_crossing_says_how_many_replicates_agree(factory):
    # "no crossing" was followed by an interval of the break-even, with an upper end in JSON.
    crossed = {**AHEAD, "A_s": 60.0}
    fit = factory.make_fit(
        "bootstrapped+scratch", AHEAD, replicates=[AHEAD] * 9 + [crossed], ranges=RANGES
    )
    answer = breakeven(fit, tokens_stage1=4e6)
    document = answer.to_json()
    assert answer.tokens is None
    assert (document["lower"], document["upper"]) == (None, None)
    assert document["replicate_verdicts"]["scratch_always_wins"] == pytest.approx(0.9)
    assert "90 % of the replicates agree" in answer.summary()
    assert "interval:" not in answer.summary()


def test_agreement_about_reuse_that_overtakes_counts_only_the_same_turn(factory):
    values = {**factory.JOINT, "A_s": 1.2, "a_s": 0.01}
    rows = [values] * 9 + [factory.JOINT]
    fit = factory.make_fit("bootstrapped+scratch", values, replicates=rows)
    answer = breakeven(fit, tokens_stage1=1e10, search=(1e3, 1e20))
    assert answer.tokens is None
    assert answer.agreement == pytest.approx(0.9)


def test_warnings_of_the_fit_come_along_once(factory):
    # A plan dropped every warning of the fit that it rests on.
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, warns=["e_not_identified"])
    for answer in (
        forecast(fit, tokens_stage1=1e10, tokens_stage2=1e10),
        breakeven(fit, tokens_stage1=1e10),
    ):
        assert sum("(e_not_identified): about" in warning for warning in answer.warnings) == 1
        assert "e_not_identified" in answer.summary()


def test_warnings_of_a_separate_scratch_fit_come_along(factory):
    fit, scratch = factory.upcycled(1e9, warns=["few_trunks"])
    warnings = breakeven(fit, scratch=scratch, tokens_stage1=1e10).warnings
    assert [w.split(" warns")[0] for w in warnings if "few_trunks" in w] == [
        "the bootstrapped fit",
        "the power fit",
    ]


def test_beyond_a_decade_an_interval_holds_if_the_law_does(factory):
    fit = factory.make_fit(
        "bootstrapped", factory.MAIN, replicates=[factory.MAIN] * 5, residual_scale=0.01
    )
    far = forecast(fit, tokens_stage1=1e10, tokens_stage2=2e12)
    near = forecast(fit, tokens_stage1=1e10, tokens_stage2=2e11)
    assert "95 % of runs if the law holds between" in far.summary()
    assert "if the law holds" not in near.summary()


def test_a_whole_number_of_batches_is_no_extrapolation(factory):
    # "4M" is 3,999,744 tokens in the table: asking for 4M was an extrapolation of 3e-5 decades.
    fit = factory.make_fit("bootstrapped", factory.MAIN, ranges=RANGES)
    assert forecast(fit, tokens_stage1=4e6, tokens_stage2=1e6).extrapolation == {
        "tokens_stage1": 0.0,
        "tokens_stage2": 0.0,
    }


def test_fit_that_is_not_identifiable_is_undetermined_without_a_scratch_law_too(factory):
    # The missing scratch law was bad usage (2) first, though no scratch law could have helped.
    fit = factory.make_fit("bootstrapped", factory.MAIN, status="not_identifiable")
    answer = breakeven(fit, tokens_stage1=1e10)
    assert answer.status == "undetermined"
    assert "rank deficient" in answer.reasons[0]


def test_refusal_beyond_the_laws_validity_says_where_the_runs_end(factory):
    fit = factory.make_fit(
        "bootstrapped", {**factory.MAIN, "a2": 0.5, "a3": 0.04}, ranges=RANGES, warns=["at_bound"]
    )
    with pytest.raises(UndeterminedError, match="your runs end at D1 = 4M") as refusal:
        forecast(fit, tokens_stage1=4e7, tokens_stage2=1e6)
    document = refusal.value.to_json()
    assert document["status"] == "undetermined"
    assert document["extrapolation"]["tokens_stage1"] == pytest.approx(1, abs=1e-3)
    assert "at_bound" in document["warnings"][0]


def test_a_share_below_one_never_reads_as_all():
    assert words.per_cent(0.9999) == "99.99 %"
    assert words.per_cent(1.0) == "100 %"
    assert words.per_cent(0.95) == "95 %"
