"""Tail probabilities against scipy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from bootlaw.fitting.tails import beta_share, f_tail, t_limit

FREEDOM = st.floats(0.5, 2000)


@given(st.floats(0, 1), FREEDOM, FREEDOM)
def test_the_incomplete_beta_function(x: float, a: float, b: float) -> None:
    assert beta_share(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


@given(st.floats(0, 1e4), FREEDOM, FREEDOM)
def test_the_tail_of_f(f: float, numerator: float, denominator: float) -> None:
    expected = stats.f.sf(f, numerator, denominator)
    assert f_tail(f, numerator, denominator) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("freedom", [1.0, 2.5, 10.0, 300.0])
@pytest.mark.parametrize("probability", [0.5, 0.05, 1e-6])
def test_the_limit_of_t(probability: float, freedom: float) -> None:
    expected = stats.t.isf(probability / 2, freedom)
    assert t_limit(probability, freedom) == pytest.approx(expected, rel=1e-7)
