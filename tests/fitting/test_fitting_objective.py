"""The objective and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw import laws
from bootlaw.fitting.objective import Objective, huber

COLUMNS = {
    "tokens_stage1": np.repeat([2.5e5, 1e6, 4e6], 3),
    "tokens_stage2": np.tile([1e5, 4e5, 2e6], 3),
}
PARAMS = np.array([20.0, 0.05, 0.3, 0.012, 1.1])


def noisy_objective(delta: float) -> tuple[Objective, np.ndarray]:
    law = laws.get("bootstrapped")
    noise = np.random.default_rng(1).normal(scale=0.01, size=9)
    losses = law.loss(PARAMS, COLUMNS) * np.exp(noise)
    return Objective.of(law, COLUMNS, losses, delta), law.to_internal(PARAMS)


@given(st.floats(-10, 10), st.floats(1e-4, 5))
def test_huber_matches_its_definition(residual: float, delta: float) -> None:
    size = abs(residual)
    expected = residual**2 / 2 if size <= delta else delta * (size - delta / 2)
    assert huber(np.array(residual), delta) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("delta", [1.0, 8e-3, 1e-3])
def test_gradient_and_hessian_match_finite_differences(delta: float) -> None:
    objective, u = noisy_objective(delta)
    gradient, hessian, _ = objective.derivatives(u[None])
    step = 1e-7
    for j in range(u.size):
        pair = np.stack([u, u])
        pair[0, j] += step
        pair[1, j] -= step
        up, down = objective.value(pair)
        slopes = objective.derivatives(pair)[0]
        scale = np.abs(gradient).max()
        assert gradient[0, j] == pytest.approx((up - down) / (2 * step), abs=1e-6 * scale)
        column = (slopes[0] - slopes[1]) / (2 * step)
        np.testing.assert_allclose(hessian[0, :, j], column, atol=1e-6 * np.abs(hessian).max())


def test_weights_repeat_rows() -> None:
    objective, u = noisy_objective(1e-3)
    law = laws.get("bootstrapped")
    counts = np.array([0, 1, 2, 0, 3, 1, 1, 0, 1])
    weighted = Objective(objective.design, objective.targets, counts[None].astype(float), 1e-3)
    repeated = {name: np.repeat(values, counts) for name, values in COLUMNS.items()}
    losses = np.exp(np.repeat(objective.targets, counts))
    written_out = Objective.of(law, repeated, losses, 1e-3)
    assert weighted.value(u[None])[0] == pytest.approx(written_out.value(u[None])[0], rel=1e-12)
    for one, other in zip(
        weighted.derivatives(u[None])[:2], written_out.derivatives(u[None])[:2], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-15)


def test_points_where_the_loss_is_not_positive_have_an_infinite_objective() -> None:
    objective, u = noisy_objective(1e-3)
    outside = u.copy()
    outside[-1] = -50.0
    assert objective.value(np.stack([outside, u]))[0] == np.inf
