"""AICc: closed forms at both ends of the Huber likelihood, and quadrature between."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from bootlaw.fitting.information import aicc, huber_log_likelihood
from bootlaw.fitting.objective import huber

QUICK = settings(deadline=None, max_examples=30)


def residuals(seed, n=40, scale=0.01):
    return scale * np.random.default_rng(seed).normal(size=n)


@QUICK
@given(st.integers(0, 1000), st.integers(5, 80))
def test_large_delta_is_the_normal_likelihood(seed, n):
    r = residuals(seed, n)
    variance = np.mean(r**2)
    expected = -n / 2 * (math.log(2 * math.pi * variance) + 1)
    found = huber_log_likelihood(huber(r, 1.0).sum(), n, 1.0)
    assert found == pytest.approx(expected, rel=1e-9)


@QUICK
@given(st.integers(0, 1000), st.integers(5, 80))
def test_small_delta_is_the_laplace_likelihood(seed, n):
    r = residuals(seed, n)
    expected = -n * (math.log(2 * np.mean(np.abs(r))) + 1)
    found = huber_log_likelihood(huber(r, 1e-9).sum(), n, 1e-9)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("delta", [0.002, 0.01, 0.03])
def test_between_them_the_density_is_normalised_and_its_scale_the_best(delta):
    r = residuals(3)

    def minus_log_likelihood(ln_scale):
        scale = math.exp(ln_scale)

        def density(x):
            return math.exp(-float(huber(np.array(x), delta)) / scale)

        half = quad(density, 0, delta)[0] + quad(density, delta, delta + 100 * scale / delta)[0]
        return huber(r, delta).sum() / scale + r.size * math.log(2 * half)

    best = minimize_scalar(minus_log_likelihood, bracket=(-10, -8), tol=1e-10).fun
    found = huber_log_likelihood(huber(r, delta).sum(), r.size, delta)
    assert found == pytest.approx(-best, rel=1e-7)


@QUICK
@given(st.floats(1e-3, 1e3), st.integers(0, 100))
def test_other_units_of_residuals_shift_every_law_alike(factor, seed):
    r, delta = residuals(seed), 0.005
    one = huber_log_likelihood(huber(r, delta).sum(), r.size, delta)
    other = huber_log_likelihood(huber(factor * r, factor * delta).sum(), r.size, factor * delta)
    assert other - one == pytest.approx(-r.size * math.log(factor), abs=1e-6)


def test_smaller_residuals_are_likelier():
    values = [huber_log_likelihood(f, 20, 1e-3) for f in (1e-5, 1e-4, 1e-3)]
    assert values == sorted(values, reverse=True)


def test_correction_counts_the_noise_scale():
    # k = 4 + 1: 2 k - 2 ln L + 2 k (k + 1) / (n - k - 1).
    assert aicc(10.0, 4, 20) == pytest.approx(10 - 20 + 60 / 14)


def test_no_value_without_rows_to_spare_or_for_a_perfect_fit():
    assert aicc(10.0, 4, 6) is None
    assert aicc(10.0, 4, 7) is not None
    assert aicc(huber_log_likelihood(0.0, 20, 1e-3), 4, 20) is None
