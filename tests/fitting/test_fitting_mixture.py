"""Quantiles of mixtures against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bootlaw.fitting.mixture import central_edge, mixture_quantile

QUICK = settings(deadline=None, max_examples=40)


@QUICK
@given(st.floats(-1, 1), st.floats(0.01, 2), st.floats(0.01, 0.99))
def test_one_component_has_the_normal_quantile(centre, scale, probability):
    found = mixture_quantile(np.array([[centre]]), scale, probability, np.ones(1))
    assert found[0] == pytest.approx(norm.ppf(probability, centre, scale), abs=1e-9)


@QUICK
@given(st.integers(0, 1000), st.floats(0.01, 0.99))
def test_the_quantile_has_its_share_of_the_mixture_below(seed, probability):
    rng = np.random.default_rng(seed)
    centres, scales = rng.normal(size=(6, 3)), rng.uniform(0.05, 2, 6)
    weights = rng.dirichlet(np.ones(6))
    found = mixture_quantile(centres, scales[:, None], probability, weights)
    below = weights @ norm.cdf((found - centres) / scales[:, None])
    np.testing.assert_allclose(below, probability, atol=1e-9)


def test_far_apart_components_with_hardly_any_width_keep_their_shares():
    centres = np.array([[0.0], [1.0], [50.0]])
    scales = np.full(3, 1e-9)
    for probability, expected in ((0.2, 0.0), (0.5, 1.0), (0.9, 50.0)):
        found = mixture_quantile(centres, scales[:, None], probability, np.full(3, 1 / 3))
        assert found[0] == pytest.approx(expected, abs=1e-7)


@QUICK
@given(st.integers(0, 1000), st.floats(0.01, 0.99))
def test_equal_weights_need_not_be_given(seed, probability):
    rng = np.random.default_rng(seed)
    centres = rng.standard_t(2, size=(30, 3))
    scales = rng.uniform(0.01, 1, 3)
    found = mixture_quantile(centres, scales, probability)
    weighted = mixture_quantile(centres, scales, probability, np.full(30, 1 / 30))
    np.testing.assert_allclose(found, weighted, atol=1e-8)


@QUICK
@given(st.integers(0, 1000), st.floats(0.05, 0.999), st.floats(0.0, 4.0))
def test_the_central_edge_holds_its_share(seed, level, spread):
    scales = np.exp(np.random.default_rng(seed).normal(-5, spread, 50))
    edge = central_edge(scales, level)
    inside = np.mean(norm.cdf(edge / scales) - norm.cdf(-edge / scales))
    assert inside == pytest.approx(level, abs=1e-10)
