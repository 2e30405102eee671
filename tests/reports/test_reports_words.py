"""Every branch of the wording follows from the numbers it is given."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bootlaw.reports import caveats, standing, words
from bootlaw.reports.findings import (
    BreakevenAnswer,
    Contest,
    ContestRow,
    Gain,
    Noise,
    Saturation,
    Scale,
    Trend,
    Trunks,
)
from bootlaw.reports.quantities import Interval

SATURATION = Saturation(
    interaction=Interval(0.034, 0.021, 0.047),
    shortest_base=250e3,
    longest_base=16e6,
    at_shortest=Interval(0.30, 0.27, 0.33),
    at_longest=Interval(0.16, 0.12, 0.20),
    level=0.95,
)
NOISE = Noise(n_cells=3, n_runs=9, relative_sd=0.0121, sampling_error=0.0065)


def with_interaction(value: float, lower: float | None, upper: float | None) -> Saturation:
    drop = value * math.log(64)
    return replace(
        SATURATION,
        interaction=Interval(value, lower, upper),
        at_longest=Interval(0.30 - drop),
    )


@pytest.mark.parametrize(
    ("saturation", "trend", "verdict", "reason"),
    [
        (with_interaction(0.034, 0.02, 0.05), Trend.FALLS, "saturates", "wholly above zero"),
        (with_interaction(-0.02, -0.03, -0.01), Trend.GROWS, "grows", "wholly below zero"),
        (with_interaction(0.001, -0.001, 0.003), Trend.STEADY, "not fall noticeably", "a tenth"),
        (
            with_interaction(0.01, -0.01, 0.03),
            Trend.UNDETERMINED,
            "cannot be told",
            "includes zero",
        ),
        (with_interaction(0.01, None, None), Trend.UNDETERMINED, "cannot", "without an interval"),
    ],
)
def test_saturation_follows_the_interval_of_a3(
    saturation: Saturation, trend: Trend, verdict: str, reason: str
) -> None:
    assert saturation.trend is trend
    assert verdict in words.saturation_verdict(saturation)
    assert reason in words.saturation_sentence(saturation)


def test_exponents_are_quoted_inside_the_grid_only() -> None:
    sentence = words.saturation_sentence(SATURATION)
    assert "0.300 [0.270, 0.330] at D₁ = 250k" in sentence
    assert "0.160 [0.120, 0.200] at D₁ = 16M" in sentence


def test_without_a_fit_nothing_is_claimed() -> None:
    assert "cannot be told" in words.saturation_verdict(None)
    assert "could not be fitted" in words.saturation_sentence(None)


def test_gain_says_only_where_it_is_smaller() -> None:
    gain = Gain(125e3, 1e6, 250e3, 16e6, on_shortest=0.296, on_longest=0.082)
    assert "by only 0.082 nats" in words.gain_sentence(gain)
    grown = replace(gain, on_longest=0.4)
    assert "only" not in words.gain_sentence(grown)
    assert "cannot be compared" in words.gain_sentence(None)


def contest(*laws: tuple[str, float, bool], holdout: str = "lowest-loss") -> Contest:
    rows = tuple(
        ContestRow(key, key, 5, 0.006, error, 0.9, 0.5, tie, "converged")
        for key, error, tie in laws
    )
    return Contest(holdout, rows, n_in=20, n_out=3)


WINNER = contest(("bootstrapped", 0.004, True), ("multiplicative", 0.018, False))
OTHER = contest(
    ("multiplicative", 0.004, True), ("bootstrapped", 0.018, False), holdout="largest-d1"
)
TIE = contest(
    ("multiplicative", 0.004, True), ("bootstrapped", 0.005, True), ("additive", 0.03, False)
)
ALL_TIE = contest(("multiplicative", 0.004, True), ("bootstrapped", 0.05, True))
EMPTY = Contest("largest-d1", (), 0, 0)


@pytest.mark.parametrize(
    ("contests", "expected"),
    [
        ([WINNER], "the main law (with interaction) describes the data best"),
        ([WINNER, EMPTY], "the main law (with interaction) describes the data best"),
        ([WINNER, OTHER], "the tests disagree"),
        ([TIE, TIE], "a tie between the law without interaction (a3 = 0) and the main law"),
        ([WINNER, TIE], "the only one among the best in every test"),
        ([ALL_TIE, ALL_TIE], "3 and 3 held-out runs cannot tell the laws apart"),
        ([EMPTY], "cannot be told"),
        ([], "cannot be told"),
    ],
)
def test_the_contest_names_a_winner_a_tie_or_neither(
    contests: list[Contest], expected: str
) -> None:
    assert expected in words.contest_verdict(contests)


def test_a_test_that_the_main_law_loses_says_by_how_much() -> None:
    sentence = words.contest_sentence(OTHER)
    assert "longest-trained base (3 of 23)" in sentence
    assert "errs least, by 0.40 %; the main law errs by 1.80 %" in sentence
    assert "tied with the main law" in words.contest_sentence(TIE)
    assert "not possible" in words.contest_sentence(EMPTY)


CROSSING = BreakevenAnswer(
    tokens_stage1=250e3,
    stage1="free",
    status="crossing",
    tokens=Interval(1.4e6, 1.1e6, 2.3e6),
    data=(125e3, 2e6),
    search=(12.5e3, 2e10),
)


def test_a_crossing_is_quoted_with_its_interval() -> None:
    paid = replace(CROSSING, stage1="paid", tokens=Interval(1e6, 0.9e6, 1.2e6))
    assert words.breakeven_sentence([CROSSING, paid]) == (
        "Base of 250k tokens: if that base exists already, starting over is better from 1.4M "
        "[1.1M, 2.3M] second-stage tokens on; if its training is counted too, starting over is "
        "better from 1M [900k, 1.2M] second-stage tokens on."
    )


def test_a_crossing_outside_the_runs_is_called_so() -> None:
    far = replace(CROSSING, tokens=Interval(9e6, 4e6, math.inf))
    assert "beyond the runs, which end at 2M" in words.breakeven_clause(far)
    assert "no upper end" in words.breakeven_clause(far)
    near = replace(CROSSING, tokens=Interval(50e3, 40e3, 60e3))
    assert "below the shortest run, 125k" in words.breakeven_clause(near)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("reuse_always_wins", "reuse is better at every length (searched to 20B tokens)"),
        (
            "scratch_always_wins",
            "starting over is better at every length (searched from 12.5k tokens)",
        ),
        (
            "undetermined",
            "the runs cannot tell from which length starting over is better (replicates disagree)",
        ),
    ],
)
def test_no_crossing_is_an_answer(status: str, expected: str) -> None:
    answer = replace(CROSSING, status=status, tokens=None, reason="replicates disagree")
    assert expected in words.breakeven_clause(answer)


def test_reuse_may_overtake_instead() -> None:
    answer = replace(CROSSING, tokens=None, until=300e3)
    assert words.breakeven_clause(answer) == (
        "starting over is better only below 300k second-stage tokens"
    )


def test_missing_scratch_runs_say_how_to_get_them() -> None:
    assert "tokens_stage1 = 0" in words.breakeven_missing("no runs", has_scratch=False)
    assert "It takes" not in words.breakeven_missing("E is open", has_scratch=True)


def test_noise_compares_seeds_with_sampling() -> None:
    assert "1.21 %" in words.noise_sentence(NOISE)
    assert "0.0065 nats" in words.noise_sentence(NOISE)
    assert "0.0016 nats" in words.noise_sentence(replace(NOISE, paired_error=0.0016))
    silent = Noise(0, 0, math.nan, math.nan)
    assert "a second seed" in words.noise_sentence(silent)
    assert "nan" not in words.noise_sentence(silent)


def limits(**changes: object) -> list[str]:
    everything: dict[str, object] = {
        "saturation": SATURATION,
        "breakevens": [CROSSING],
        "contests": [WINNER],
        "noise": NOISE,
        "irreducible": Interval(1.2, 1.1, 1.3),
        "n_bases": 6,
        "n_lengths": 4,
    }
    return caveats.limits(**{**everything, **changes})  # type: ignore[arg-type]


def test_a_clean_study_leaves_nothing_open() -> None:
    assert limits() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_bases": 1}, "one base length"),
        ({"n_bases": 3}, "3 base lengths"),
        ({"n_lengths": 2}, "2 lengths"),
        ({"saturation": with_interaction(0.01, -0.01, 0.03)}, "The sign of a3"),
        ({"contests": [TIE]}, "Which form is right"),
        ({"irreducible": Interval(1.0, 0.0, 1.4)}, "irreducible loss E"),
        ({"breakevens": [replace(CROSSING, tokens=Interval(9e6))]}, "lies beyond"),
        (
            {"breakevens": [replace(CROSSING, tokens=None, status="undetermined")]},
            "of the base of 250k tokens with its training already paid: the fit leaves it open",
        ),
        ({"noise": Noise(0, 0, math.nan, math.nan)}, "second seed"),
    ],
)
def test_each_gap_in_the_data_is_named(changes: dict[str, object], expected: str) -> None:
    found = limits(**changes)
    assert len(found) == 1
    assert expected in found[0]


def test_what_carries_over_quotes_the_sizes_of_the_table() -> None:
    scale = Scale(50_432, 100_864, (5.0, 317.0), (1.2, 20.0))
    text = " ".join(caveats.carries_over(scale, Trunks(12, True), ["bytes"], own_study=True))
    assert "50.4k to 101k parameters" in text
    assert "5 to 317 tokens per parameter in stage 1" in text
    assert "12 trunks" in text
    assert "bytes here" in text
    unknown = caveats.carries_over(
        Scale(math.nan, math.nan, None, None), Trunks(None, False), ["gpt2"], own_study=False
    )
    assert "does not say how large" in unknown[0]
    assert "bytes" not in " ".join(unknown)


def test_the_verdict_says_where_the_gain_shrinks_though_the_exponent_is_open() -> None:
    gain = Gain(125e3, 1e6, 250e3, 16e6, on_shortest=0.296, on_longest=0.082)
    unclear = with_interaction(0.01, -0.01, 0.03)
    assert words.saturation_verdict(unclear, gain).startswith("The gain shrinks on longer")
    assert words.saturation_verdict(unclear, replace(gain, on_longest=0.5)).startswith("Whether")
    assert "by which law cannot be told" in words.saturation_verdict(None, gain)


def test_the_joint_fit_speaks_where_there_is_one() -> None:
    joint = replace(SATURATION, joint_interaction=Interval(0.025, 0.013, 0.043))
    assert "Together with the runs from scratch, a3 = 0.0250" in words.saturation_sentence(joint)
    assert "Together" not in words.saturation_sentence(SATURATION)


def test_the_joint_a3_is_quoted_only_where_it_says_something_else() -> None:
    """The page repeated the value of a3 to the last digit as if it were a second finding."""
    same = replace(SATURATION, joint_interaction=Interval(0.0342, 0.020, 0.047))
    assert "Together" not in words.saturation_sentence(same)
    holds_zero = replace(SATURATION, joint_interaction=Interval(0.034, -0.001, 0.047))
    assert "Together" in words.saturation_sentence(holds_zero)


FEW_TRUNKS = SimpleNamespace(diagnostics=(SimpleNamespace(code="few_trunks"),))
SOUND = SimpleNamespace(diagnostics=())
LOST_TO_THIRD = contest(
    ("additive", 0.004, True), ("bootstrapped", 0.018, False), ("multiplicative", 0.03, False)
)


@pytest.mark.parametrize(
    ("contests", "main", "expected"),
    [
        ([WINNER, WINNER], SOUND, ""),
        ([WINNER], FEW_TRUNKS, "its interval rests on few trunks"),
        ([OTHER, OTHER], SOUND, "the law without interaction predicts held-out runs as well or"),
        ([TIE], FEW_TRUNKS, "the law without interaction predicts held-out runs as well or"),
        ([WINNER, OTHER], SOUND, "the hold-out tests disagree whether the law without interaction"),
        ([LOST_TO_THIRD], SOUND, "other laws predict held-out runs better in 1 of 1 hold-out test"),
        ([EMPTY], SOUND, "no held-out runs test that law"),
    ],
)
def test_the_exponent_is_the_main_laws_word_only_where_held_out_runs_doubt_it(
    contests: list[Contest], main: SimpleNamespace, expected: str
) -> None:
    """The headline claimed a falling exponent though the law without one predicted better."""
    doubt = standing.doubt(contests, main)  # type: ignore[arg-type]
    assert doubt.startswith(expected)
    verdict = words.saturation_verdict(SATURATION, None, doubt)
    assert verdict.startswith("Within the main law" if expected else "The second stage saturates")
    assert expected in verdict


def test_a_law_that_could_not_be_fitted_wins_nothing() -> None:
    """A contest in which no law could be fitted named a winner that "errs least, by –."."""
    unfitted = replace(TIE.rows[0], rms_out=None, tie=False, status="not_identifiable")
    nothing = Contest("lowest-loss", (unfitted,), 20, 3)
    assert nothing.winners == ()
    assert "not possible" in words.contest_sentence(nothing)
    verdict = words.contest_verdict([nothing], "the main law cannot be fitted")
    assert verdict.endswith("cannot be told: the main law cannot be fitted.")


def test_a_paid_base_may_ask_for_runs_from_scratch_that_nobody_trained() -> None:
    """A verdict "at every length" hid that it compared with scratch runs twice as long as any."""
    paid = replace(
        CROSSING,
        stage1="paid",
        status="scratch_always_wins",
        tokens=None,
        head_start=4e6,
        longest_scratch=5e6,
    )
    assert words.breakeven_clause(paid).endswith(
        "an extrapolation: starting over then gets 6M tokens, and the runs from scratch end at 5M"
    )
    assert any("lies beyond" in limit for limit in limits(breakevens=[paid]))
    assert "extrapolation" not in words.breakeven_clause(replace(paid, longest_scratch=8e6))


def test_open_breakevens_are_named() -> None:
    """ "Every break-even: for some bases" contradicted the break-evens quoted above it."""
    open_one = replace(CROSSING, tokens=None, status="undetermined")
    paid = replace(open_one, stage1="paid", tokens_stage1=16e6)
    assert limits(breakevens=[CROSSING, open_one, paid]) == [
        "The break-even of the base of 250k tokens with its training already paid and of the base "
        "of 16M tokens with its training counted: the fit leaves it open."
    ]


def test_a_table_without_trunks_and_seeds_is_not_given_any() -> None:
    """Rows of a bare table were called trunks, their spread one "between seeds"."""
    scale = Scale(5e4, 5e4, None, None)
    text = " ".join(caveats.carries_over(scale, Trunks(None, False), [], own_study=False))
    assert "branch off" not in text
    assert "names neither trunks nor seeds" in text
    assert "learning rate" not in text
    assert "stand in for it" in " ".join(
        caveats.carries_over(scale, Trunks(4, False), [], own_study=False)
    )
    bare = words.noise_sentence(replace(NOISE, by_seed=False))
    assert bare.startswith("Between repeated runs")
    assert "seed" not in words.noise_sentence(Noise(0, 0, math.nan, math.nan, by_seed=False))
