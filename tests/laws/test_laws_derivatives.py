"""Exact derivatives of every law, against complex steps and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.laws import Design

TYPICAL = {
    "A": 20.0, "B": 9.0, "a1": 0.05, "a2": 0.3, "a3": 0.012, "a": 0.17, "b": 0.21, "k": 3.0,
    "c": 0.7, "E": 1.1, "A_s": 30.0, "a_s": 0.25,
}  # fmt: skip


def rows(law: laws.Law) -> dict[str, np.ndarray]:
    stage1 = [2.5e5, 1e6, 4e6, 1.6e7, 1.6e7]
    stage2 = [1e5, 4e5, 1e5, 2e6, 8e6]
    if law.has_scratch_part:
        stage1, stage2 = [*stage1, 0.0, 0.0], [*stage2, 3e5, 1e6]
    return {"tokens_stage1": np.array(stage1), "tokens_stage2": np.array(stage2)}


def typical(law: laws.Law) -> np.ndarray:
    return np.array([TYPICAL[name] for name in law.names])


@pytest.mark.parametrize("key", laws.names())
def test_jacobian_matches_finite_differences(key: str) -> None:
    law = laws.get(key)
    params, columns = typical(law), rows(law)
    numeric = np.empty((len(columns["tokens_stage2"]), params.size))
    for j in range(params.size):
        step = 1e-5 * params[j]
        up, down = params.copy(), params.copy()
        up[j] += step
        down[j] -= step
        numeric[:, j] = (law.loss(up, columns) - law.loss(down, columns)) / (2 * step)
    np.testing.assert_allclose(law.jacobian(params, columns), numeric, rtol=2e-8, atol=1e-9)


@pytest.mark.parametrize("key", laws.names())
def test_gradient_and_hessian_of_a_weighted_sum(key: str) -> None:
    law = laws.get(key)
    design = Design(law, rows(law))
    u = law.to_internal(typical(law))
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, design.n_rows))
    there = design.at(u)
    jacobian = there.jacobian()

    np.testing.assert_allclose(there.gradient(first), first @ jacobian, rtol=1e-12)
    curvature = np.zeros((u.size, u.size))
    for j in range(u.size):
        step = np.zeros(u.size)
        step[j] = 1e-6
        slopes = [design.at(u + s * step).gradient(first) for s in (1, -1)]
        curvature[:, j] = (slopes[0] - slopes[1]) / 2e-6
    expected = curvature + jacobian.T @ (second[:, None] * jacobian)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(there.hessian(first, second), expected, atol=1e-7 * scale)


@pytest.mark.parametrize("key", laws.names())
def test_leading_axes_of_parameters_are_independent(key: str) -> None:
    law = laws.get(key)
    columns = rows(law)
    batch = typical(law) * np.linspace(0.9, 1.1, 6).reshape(2, 3, 1)
    together = law.loss(batch, columns)
    assert together.shape == (2, 3, len(columns["tokens_stage2"]))
    np.testing.assert_allclose(together[1, 2], law.loss(batch[1, 2], columns), rtol=1e-13)
    design = Design(law, columns)
    weights = np.ones(together.shape)
    u = law.to_internal(batch)
    np.testing.assert_allclose(
        design.at(u).hessian(weights, weights)[0, 1],
        design.at(u[0, 1]).hessian(weights[0, 1], weights[0, 1]),
        rtol=1e-9,
    )
