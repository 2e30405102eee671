"""Prediction intervals against closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bootlaw.fitting.prediction import prediction_interval

QUICK = settings(deadline=None, max_examples=40)


def test_one_centre_gives_the_lognormal_interval():
    lower, upper = prediction_interval(np.full((50, 1), 2.5), 0.01, 0.9)
    np.testing.assert_allclose([lower[0], upper[0]], 2.5 * np.exp(0.01 * norm.ppf([0.05, 0.95])))


def test_without_noise_it_is_the_percentile_interval():
    losses = np.random.default_rng(0).uniform(2, 3, size=(400, 3))
    lower, upper = prediction_interval(losses, 0.0, 0.95)
    np.testing.assert_allclose(lower, np.quantile(losses, 0.025, axis=0), rtol=1e-3)
    np.testing.assert_allclose(upper, np.quantile(losses, 0.975, axis=0), rtol=1e-3)


def test_normal_replicates_and_noise_add_in_quadrature():
    centres = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, np.newaxis] * 0.03
    lower, upper = prediction_interval(np.exp(centres), 0.04, 0.95)
    expected = 0.05 * norm.ppf(0.975)
    np.testing.assert_allclose(np.log([lower[0], upper[0]]), [-expected, expected], rtol=2e-3)


@QUICK
@given(st.integers(0, 1000), st.floats(1e-6, 0.1), st.floats(0.05, 0.98))
def test_higher_level_and_more_noise_widen(seed, scale, level):
    losses = np.random.default_rng(seed).uniform(1, 4, size=(30, 2))
    narrow = prediction_interval(losses, scale, level)
    wide = prediction_interval(losses, scale, level + 0.015)
    assert (narrow[0] <= narrow[1]).all()
    assert (wide[0] <= narrow[0] + 1e-9).all()
    assert (wide[1] >= narrow[1] - 1e-9).all()


def test_share_of_simulated_runs_inside():
    rng = np.random.default_rng(7)
    losses = np.exp(rng.normal(1.0, 0.02, size=(300, 1)))
    lower, upper = prediction_interval(losses, 0.03, 0.8)
    runs = losses[rng.integers(300, size=20000), 0] * np.exp(0.03 * rng.normal(size=20000))
    assert np.mean((runs >= lower) & (runs <= upper)) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("odd", [np.inf, 0.0, np.nan])
def test_a_replicate_that_overflows_counts_as_extreme(odd: float) -> None:
    """It made the interval of every run undefined, with a warning on the user's terminal."""
    predictions = np.full((100, 1), 2.0)
    predictions[0] = odd
    lower, upper = prediction_interval(predictions, 0.01, 0.9)
    assert 1.95 < lower[0] < 2.0 < upper[0] < 2.05


@pytest.mark.parametrize("spread", [1e-4, 0.02, 1.0])
@pytest.mark.parametrize("shape", ["normal", "heavy", "two lumps"])
def test_the_ends_are_quantiles_of_the_mixture(spread: float, shape: str) -> None:
    rng = np.random.default_rng(1)
    draws = {
        "normal": rng.standard_normal((300, 40)),
        "heavy": rng.standard_t(1.5, (300, 40)),
        "two lumps": np.where(rng.random((300, 40)) < 0.1, 1.0, 0.0),
    }[shape]
    centres = np.clip(1.0 + spread * draws, -40, 40)
    scales = np.linspace(0.002, 0.05, 40)
    ends = prediction_interval(np.exp(centres), scales, 0.9)
    for end, share in zip(ends, (0.05, 0.95), strict=True):
        reached = norm.cdf((np.log(end) - centres) / scales).mean(axis=0)
        np.testing.assert_allclose(reached, share, atol=1e-9)
        alone = [prediction_interval(np.exp(centres[:, [i]]), scales[i], 0.9) for i in (0, 39)]
        index = 0 if share < 0.5 else 1
        np.testing.assert_allclose([one[index][0] for one in alone], end[[0, 39]], rtol=1e-9)
