"""Numbers read the way people write them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bootlaw.reports import quantities as q
from bootlaw.reports.quantities import Interval


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (124_928, "125k"),
        (1_000_448, "1M"),
        (999_900, "1M"),
        (1_319_936, "1.32M"),
        (16e6, "16M"),
        (3e14, "300T"),
        (3e16, "30000T"),
        (128, "128"),
        (math.inf, "–"),
    ],
)
def test_tokens_have_three_digits_and_a_suffix(count: float, text: str) -> None:
    assert q.tokens(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0341, "0.0341"), (-1.5, "−1.50"), (0.0, "0"), (1.23e-7, "1.23e-07"), (None, "–")],
)
def test_numbers_keep_their_digits(value: float | None, text: str) -> None:
    assert q.number(value) == text


def test_an_interval_shares_the_decimals_of_its_value() -> None:
    assert q.with_interval(Interval(0.0341, 0.02, 0.05)) == "0.0341 [0.0200, 0.0500]"
    assert q.with_interval(Interval(0.0341)) == "0.0341"
    assert q.with_interval(Interval(-0.5, -1.0, 0.25)) == "−0.500 [−1.000, 0.250]"


def test_open_ends_are_words() -> None:
    assert q.tokens_with_interval(Interval(1.4e6, 1.1e6, math.inf)) == "1.4M [1.1M, no upper end]"
    assert q.tokens_with_interval(Interval(1.4e6)) == "1.4M"


def test_interval_of_replicates_covers_their_share() -> None:
    replicates = np.arange(1001.0)
    found = q.interval_of(500.0, replicates, 0.95)
    assert (found.lower, found.upper) == pytest.approx((25.0, 975.0))
    assert not q.interval_of(1.0, np.full(5, np.nan), 0.95).known


def test_lists_and_plurals() -> None:
    assert q.listing(["a", "b", "c"]) == "a, b and c"
    assert q.listing([]) == ""
    assert q.plural(1, "run") == "1 run"
    assert q.plural(1200, "run") == "1,200 runs"
