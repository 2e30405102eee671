"""Ratios of held-out errors and their jackknife intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from bootlaw.fitting.ratios import HeldOutPair, error_ratio

QUICK = settings(deadline=None, max_examples=40)


def pair(seed, n=20, factor=1.0, cluster=None):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, n)) * 0.01
    return HeldOutPair(factor * one, two, np.arange(n) if cluster is None else cluster)


@QUICK
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_the_ratio_scales_with_the_errors_and_so_does_its_interval(seed, factor):
    plain, scaled = error_ratio([pair(seed)]), error_ratio([pair(seed, factor=factor)])
    assert scaled.value == pytest.approx(factor * plain.value)
    assert scaled.lower == pytest.approx(factor * plain.lower)
    assert scaled.upper == pytest.approx(factor * plain.upper)


@QUICK
@given(st.integers(0, 1000))
def test_laws_that_change_places_give_the_inverse(seed):
    one = pair(seed)
    other = HeldOutPair(one.other, one.law, one.cluster)
    there, back = error_ratio([one]), error_ratio([other])
    assert there.value * back.value == pytest.approx(1)
    assert there.lower * back.upper == pytest.approx(1)
    assert there.side == -back.side


def test_two_holdouts_are_averaged_geometrically():
    ones = np.ones(4)
    pairs = [HeldOutPair(2 * ones, ones, np.arange(4)), HeldOutPair(8 * ones, ones, np.arange(4))]
    found = error_ratio(pairs)
    assert found.value == pytest.approx(4)
    assert (found.lower, found.upper) == (pytest.approx(4), pytest.approx(4))
    assert (found.n_holdouts, found.n_clusters, found.side) == (2, 4, 1)


def test_interval_is_the_jackknife_of_the_log_ratio():
    found = pair(5, n=6)
    logs = [
        np.log(
            np.sqrt(np.mean(np.delete(found.law, i) ** 2) / np.mean(np.delete(found.other, i) ** 2))
        )
        for i in range(6)
    ]
    error = np.sqrt(5 / 6 * np.sum((logs - np.mean(logs)) ** 2))
    ratio = error_ratio([found])
    half = student.ppf(0.975, 5) * error
    assert np.log(ratio.upper / ratio.value) == pytest.approx(half)
    assert np.log(ratio.value / ratio.lower) == pytest.approx(half)


def test_rows_of_one_trunk_are_one_witness():
    rows = pair(7, n=24, factor=1.5)
    trunks = HeldOutPair(rows.law, rows.other, np.repeat(np.arange(4), 6))
    assert error_ratio([trunks]).n_clusters == 4


def test_one_cluster_has_no_interval_and_no_side():
    found = error_ratio([pair(1, factor=100, cluster=np.zeros(20, dtype=int))])
    assert (found.lower, found.upper, found.side) == (None, None, 0)
    assert "times" in found.words()


def test_exact_laws_have_the_ratio_1_and_no_holdout_has_none():
    zero = np.zeros(5)
    assert error_ratio([HeldOutPair(zero, zero, np.arange(5))]).value == 1
    assert error_ratio([]) is None


def test_intervals_cover_a_known_ratio():
    covered = []
    for seed in range(300):
        found = error_ratio([pair(seed, n=30, factor=2.0)])
        covered.append(found.lower <= 2.0 <= found.upper)
    # 300 draws: three standard errors of a share of 0.95 are 0.04.
    assert 0.90 <= np.mean(covered) <= 0.99
