"""The paragraph at the top of the page: each claim appears only where the analysis bears it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bootlaw.reports import summary
from bootlaw.reports.findings import (
    Ahead,
    BreakevenAnswer,
    Contest,
    ContestRow,
    Gain,
    Saturation,
)
from bootlaw.reports.measures import reuse_against_scratch
from bootlaw.reports.quantities import Interval
from bootlaw.reports.series import Runs


def saturation(value: float, lower: float, upper: float) -> Saturation:
    return Saturation(
        interaction=Interval(value, lower, upper),
        shortest_base=1e5,
        longest_base=1e7,
        at_shortest=Interval(0.4, 0.3, 0.5),
        at_longest=Interval(0.2, 0.1, 0.3),
        level=0.95,
    )


def contest(*winners: str) -> Contest:
    row = {"title": "", "n_params": 5, "rms_in": 0.01, "rms_out": 0.01, "coverage": 1.0}
    rows = [ContestRow(law=law, weight=0.5, tie=True, status="converged", **row) for law in winners]
    losing = ContestRow(law="power", weight=0.0, tie=False, status="converged", **row)
    return Contest("lowest-loss", (*rows, losing), n_in=20, n_out=3)


CROSSING = BreakevenAnswer(
    tokens_stage1=1e7,
    stage1="free",
    status="crossing",
    tokens=Interval(5e6, 4e6, 7e6),
    data=(1e5, 1e6),
    search=(1e4, 1e10),
)


def method(title: str = "Continual pretraining", **changes: object) -> SimpleNamespace:
    values = {
        "group": SimpleNamespace(title=title),
        "gain": Gain(1e5, 1e6, 1e5, 1e7, 0.3, 0.1),
        "saturation": saturation(0.04, 0.02, 0.06),
        "contests": (contest("bootstrapped"),),
        "breakevens": (CROSSING,),
        "ahead": Ahead(6, 6),
        "main": SimpleNamespace(diagnostics=()),
        "problems": {},
    }
    return SimpleNamespace(**{**values, **changes})


def in_short(methods: list[SimpleNamespace]) -> str:
    return summary.in_short(methods)  # type: ignore[arg-type]


def test_a_clear_study_is_summed_up_without_reservations() -> None:
    text = in_short([method()])
    assert text.startswith(
        "The longer the base was trained, the less its second stage still gained (continual "
        "pretraining: 0.300 nats on the base of 100k tokens, 0.100 on the base of 10M)."
    )
    assert "falls with the logarithm of the base's tokens for continual pretraining" in text
    assert "the main law (with interaction) predicts held-out runs best" in text
    assert "reuse beat starting over in all 6 comparisons at equal second-stage tokens" in text
    assert "catches up at 5M [4M, 7M] second-stage tokens (an extrapolation)" in text
    assert "What these runs do not give" not in text
    assert "the base's training not counted." in text


def test_the_paid_case_of_the_longest_base_is_said() -> None:
    """The paragraph praised reuse and kept silent about what the base had cost."""
    paid = replace(CROSSING, stage1="paid", status="scratch_always_wins", tokens=None)
    text = in_short([method(breakevens=(CROSSING, paid))])
    assert "With the training of that base counted too, starting over is better at every" in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gain": None}, "cannot show how a second stage depends on its base"),
        ({"gain": Gain(1e5, 1e6, 1e5, 1e7, 0.1, 0.2)}, "did not leave less to gain"),
        ({"saturation": saturation(0.04, -0.1, 0.2)}, "itself falls cannot be told"),
        ({"saturation": saturation(-0.04, -0.1, -0.01)}, "grows with the base"),
        ({"saturation": saturation(1e-4, -2e-4, 3e-4)}, "does not fall noticeably"),
        (
            {"contests": (), "problems": {"fit": "3 rows for 5 parameters"}},
            "cannot be told: the main law cannot be fitted to these runs.",
        ),
        (
            {"contests": (contest("multiplicative", "additive"),)},
            "For continual pretraining, within the main law the exponent falls",
        ),
        ({"contests": (contest("additive"), contest("power"))}, "No law predicts held-out"),
        ({"contests": (contest("additive", "multiplicative"),)}, "No law wins clearly"),
        ({"ahead": Ahead(4, 6)}, "in 4 of 6 comparisons"),
    ],
)
def test_each_reservation_is_said(changes: dict[str, object], expected: str) -> None:
    assert expected in in_short([method(**changes)])


def test_methods_that_differ_are_told_apart() -> None:
    other = method("Model growth", saturation=saturation(0.04, -0.1, 0.2), ahead=None)
    text = in_short([method(), other])
    assert "tokens for continual pretraining; whether" in text
    assert "cannot be told for model growth" in text


def test_methods_with_one_verdict_share_a_sentence() -> None:
    open_case = replace(CROSSING, status="undetermined", tokens=None)
    same = in_short([method(), method("Model growth")])
    assert "exists already, starting over catches up at 5M" in same
    assert same.count("catches up") == 1
    apart = in_short([method(), method("Model growth", breakevens=(open_case,))])
    assert "continual pretraining: starting over catches up" in apart
    assert "model growth: the runs cannot tell" in apart


def test_what_fits_say_about_themselves_is_repeated() -> None:
    codes = ["e_not_identified", "few_trunks"]
    main = SimpleNamespace(diagnostics=tuple(SimpleNamespace(code=code) for code in codes))
    text = in_short([method(main=main)])
    assert "the irreducible loss E" in text
    assert "too few trunks" in text


def test_reuse_is_compared_with_scratch_at_equal_length_only() -> None:
    reuse = Runs(np.array([1e6, 1e6, 4e6]), np.array([1e5, 2e5, 1e5]), np.array([2.0, 1.9, 1.5]))
    scratch = Runs(np.zeros(2), np.array([1e5, 3e5]), np.array([1.8, 1.2]))
    assert reuse_against_scratch(reuse, scratch) == Ahead(reuse_better=1, compared=2)
    assert reuse_against_scratch(reuse, scratch.select(np.array([False, True]))) is None
