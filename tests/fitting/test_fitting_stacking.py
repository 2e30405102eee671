"""Stacking weights against brute force; ties against cases whose answer is plain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from bootlaw.fitting.stacking import (
    held_out_errors,
    non_negative_least_squares,
    stacking_weights,
    ties_with_best,
)

QUICK = settings(deadline=None, max_examples=40)


def rows(n):
    return np.arange(n)


@QUICK
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 30))
def test_weights_are_a_distribution_and_beat_every_single_law(seed, n_laws, n_rows):
    residuals = 0.02 * np.random.default_rng(seed).normal(size=(n_rows, n_laws))
    weights = stacking_weights(residuals)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(), 1.0)
    combined = np.mean((residuals @ weights) ** 2)
    assert combined <= np.mean(residuals**2, axis=0).min() * 1.002 + 1e-14


@QUICK
@given(st.integers(0, 10_000))
def test_weights_of_two_laws_match_a_fine_grid(seed):
    residuals = 0.01 * np.random.default_rng(seed).normal(size=(25, 2)) + [0.004, -0.001]
    shares = np.linspace(0, 1, 2001)
    errors = np.mean((residuals @ np.stack([shares, 1 - shares])) ** 2, axis=0)
    assert abs(stacking_weights(residuals)[0] - shares[np.argmin(errors)]) < 0.01


def test_a_law_with_much_larger_error_gets_nothing():
    noise = np.random.default_rng(1).normal(size=40)
    residuals = np.stack([0.001 * noise, 0.1 + 0.001 * noise], axis=1)
    np.testing.assert_allclose(stacking_weights(residuals), [1, 0], atol=1e-12)


@QUICK
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_non_negative_least_squares_is_that_of_scipy(seed, size):
    rng = np.random.default_rng(seed)
    design, target = rng.normal(size=(2 * size + 3, size)), rng.normal(size=2 * size + 3)
    found = non_negative_least_squares(design, target)
    np.testing.assert_allclose(found, nnls(design, target)[0], atol=1e-10)


def test_identical_laws_share_the_weight():
    column = np.random.default_rng(2).normal(size=12)
    np.testing.assert_allclose(stacking_weights(np.stack([column] * 3, axis=1)), [1 / 3] * 3)


def test_exact_laws_give_finite_weights():
    weights = stacking_weights(np.zeros((4, 2)))
    np.testing.assert_allclose(weights, [0.5, 0.5])


def test_one_row_cannot_separate_laws():
    assert ties_with_best(np.array([[0.001, 0.5]]), rows(1), 0.0).all()


def test_clear_winner_on_many_rows():
    noise = np.random.default_rng(3).normal(size=30)
    residuals = np.stack([0.004 * noise, 0.02 * noise], axis=1)
    assert ties_with_best(residuals, rows(30), 0.0).tolist() == [True, False]


def test_laws_of_equal_size_errors_tie():
    rng = np.random.default_rng(4)
    assert ties_with_best(0.01 * rng.normal(size=(20, 2)), rows(20), 0.0).all()


def test_rows_of_one_trunk_count_once():
    # Only one trunk in four favours the best law: twelve rows of it are not twelve witnesses.
    excess = np.repeat([0.06, 0.009, 0.0095, 0.009], 12)
    residuals = np.stack([np.full(48, 0.01), excess], axis=1)
    trunks = np.repeat(np.arange(4), 12)
    assert ties_with_best(residuals, rows(48), 0.0).tolist() == [True, False]
    assert ties_with_best(residuals, trunks, 0.0).tolist() == [True, True]


def test_rows_that_agree_cannot_beat_the_noise_of_runs():
    residuals = np.array([[0.0080, 0.0083], [0.0081, 0.0084], [0.0083, 0.0086]])
    assert ties_with_best(residuals, rows(3), 0.0).tolist() == [True, False]
    assert ties_with_best(residuals, rows(3), 0.008).tolist() == [True, True]
    far = residuals + np.array([0.0, 0.03])
    assert ties_with_best(far, rows(3), 0.008).tolist() == [True, False]


def test_two_clusters_fall_back_on_rows():
    noise = np.random.default_rng(6).normal(size=30)
    residuals = np.stack([0.004 * noise, 0.02 * noise], axis=1)
    halves = np.repeat([3, 8], 15)
    np.testing.assert_array_equal(
        ties_with_best(residuals, halves, 0.0), ties_with_best(residuals, rows(30), 0.0)
    )


def test_errors_below_the_digits_of_a_loss_tie():
    residuals = np.stack([np.full(10, 1e-9), np.full(10, 1e-7)], axis=1)
    assert ties_with_best(residuals, rows(10), 0.0).all()


@QUICK
@given(st.integers(0, 10_000), st.integers(3, 40))
def test_standard_error_of_the_rms_is_that_of_the_mean_square_by_the_delta_method(seed, n):
    residuals = 0.01 * np.random.default_rng(seed).normal(size=(n, 2))
    found = held_out_errors(residuals, rows(n), 0.0)
    squared = residuals**2
    error = squared.std(axis=0, ddof=1) / np.sqrt(n) / (2 * np.sqrt(squared.mean(axis=0)))
    np.testing.assert_allclose(found.rms_se, error)
    np.testing.assert_allclose(found.rms, np.sqrt(squared.mean(axis=0)))


def test_standard_error_is_the_spread_over_repeated_tables():
    rng = np.random.default_rng(9)
    draws = [held_out_errors(0.01 * rng.normal(size=(60, 1)), rows(60), 0.0) for _ in range(400)]
    spread = np.std([found.rms[0] for found in draws])
    # The spread of 400 draws is known to 3.5 %, the mean of their errors better.
    assert np.mean([found.rms_se[0] for found in draws]) == pytest.approx(spread, rel=0.12)


def test_rows_of_one_trunk_make_errors_less_certain():
    shared = np.repeat(0.01 * np.random.default_rng(1).normal(size=8), 6)[:, None]
    trunks = np.repeat(np.arange(8), 6)
    by_trunk = held_out_errors(shared, trunks, 0.0).rms_se[0]
    by_row = held_out_errors(shared, rows(48), 0.0).rms_se[0]
    assert by_trunk == pytest.approx(by_row * np.sqrt(6 * 47 / 48 * 8 / 7))


@QUICK
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_laws_tie_where_they_are_behind_by_no_more_than_its_uncertainty(seed, n_laws):
    rng = np.random.default_rng(seed)
    residuals = 0.01 * rng.normal(size=(12, n_laws)) + 0.003 * rng.normal(size=n_laws)
    found = held_out_errors(residuals, rows(12), 0.005)
    assert found.behind.min() == 0.0
    np.testing.assert_array_equal(found.ties, found.behind <= found.behind_se)


def test_one_row_has_no_standard_error():
    found = held_out_errors(np.array([[0.01, 0.02]]), rows(1), 0.0)
    assert np.isnan(found.rms_se).all()
    assert np.isnan(found.behind_se).all()
    assert found.ties.all()
