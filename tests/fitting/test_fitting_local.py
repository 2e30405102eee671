"""Local exponents against closed forms, for single terms and sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw import laws
from bootlaw.fitting.local import Response, middles, responses
from bootlaw.laws.names import D1, D2

POINT = {D1: 3e9, D2: 2e8}


def at_point(key: str, params: list[float]) -> dict[str, Response]:
    law = laws.get(key)
    return {r.variable: r for r in responses(law, law.to_internal(params), [POINT])}


@given(a2=st.floats(0.1, 0.5), a3=st.floats(-0.02, 0.02))
def test_both_exponents_of_a_single_term_are_exact(a2: float, a3: float) -> None:
    answer = at_point("bootstrapped", [20.0, 0.12, a2, a3, 1.1])[D2]
    expected = a2 - a3 * np.log(POINT[D1])
    assert answer.exponent == pytest.approx(expected, abs=1e-7)
    if abs(expected) > 1e-3:
        assert answer.decay == pytest.approx(expected, abs=1e-5)
        np.testing.assert_allclose(
            answer.decay_gradient[:4], [0, 0, 1, -np.log(3e9)], rtol=1e-4, atol=1e-3
        )


def test_the_decay_is_that_of_the_variables_own_term() -> None:
    """The exponent of loss - E is diluted by the other terms; the decay is not."""
    answer = at_point("additive", [300.0, 0.3, 900.0, 0.35, 1.5])
    assert answer[D1].decay == pytest.approx(0.3, abs=1e-9)
    assert answer[D2].decay == pytest.approx(0.35, abs=1e-9)
    assert 0 < answer[D1].exponent < 0.3
    np.testing.assert_allclose(answer[D2].decay_gradient, [0, 0, 0, 1, 0], atol=1e-6)


def test_gradients_are_derivatives() -> None:
    law, params = laws.get("additive"), [300.0, 0.3, 900.0, 0.35, 1.5]
    u = law.to_internal(params)
    here = responses(law, u, [POINT])[0]
    for i in range(u.size):
        step = np.eye(u.size)[i] * 1e-6
        up, down = (responses(law, u + s, [POINT])[0].exponent for s in (step, -step))
        assert here.exponent_gradient[i] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_a_variable_without_an_effect_has_no_decay() -> None:
    answer = at_point("multiplicative", [20.0, 0.0, 0.3, 1.1])[D1]
    assert answer.slope == 0
    assert answer.exponent == 0
    assert np.isnan(answer.decay)


def test_runs_from_scratch_have_a_middle_of_their_own() -> None:
    columns = {D1: np.array([0.0, 0.0, 1e9, 4e9]), D2: np.array([1e8, 4e8, 1e9, 1e9])}
    first, second = sorted(middles(columns), key=lambda point: point[D1])
    assert first == pytest.approx({D1: 0.0, D2: 2e8})
    assert second == pytest.approx({D1: 2e9, D2: 1e9})
    law = laws.get("multiplicative+scratch")
    u = law.to_internal([20.0, 0.1, 0.3, 30.0, 0.25, 1.1])
    found = {(r.point[D1] > 0, r.variable): r.exponent for r in responses(law, u, [first, second])}
    assert found == pytest.approx({(False, D2): 0.25, (True, D1): 0.1, (True, D2): 0.3})
