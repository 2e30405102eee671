"""Exact derivatives of every law, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from typical import grid, typical_vector

from bootlaw import laws
from bootlaw.laws import Design


@pytest.mark.parametrize("key", laws.names())
def test_jacobian_matches_finite_differences(key: str) -> None:
    law = laws.get(key)
    params, columns = typical_vector(law), grid(law)
    numeric = np.empty((len(next(iter(columns.values()))), params.size))
    for j in range(params.size):
        step = 1e-5 * params[j]
        up, down = params.copy(), params.copy()
        up[j] += step
        down[j] -= step
        numeric[:, j] = (law.loss(up, columns) - law.loss(down, columns)) / (2 * step)
    scale = np.abs(numeric).max(axis=0)
    np.testing.assert_allclose(
        law.jacobian(params, columns) / scale, numeric / scale, rtol=2e-8, atol=1e-8
    )


@pytest.mark.parametrize("key", laws.names())
def test_gradient_and_hessian_of_a_weighted_sum(key: str) -> None:
    law = laws.get(key)
    design = Design(law, grid(law))
    u = law.to_internal(typical_vector(law))
    first, second = np.random.default_rng(3).normal(size=(2, design.n_rows))
    jacobian = design.loss_and_jacobian(u)[1]
    gradient, hessian = design.weighted_derivatives(u, first, second)
    np.testing.assert_allclose(gradient, first @ jacobian, rtol=1e-9)
    curvature = np.zeros((u.size, u.size))
    for j in range(u.size):
        step = np.zeros(u.size)
        step[j] = 1e-6
        slopes = [design.weighted_derivatives(u + s * step, first, second)[0] for s in (1, -1)]
        curvature[:, j] = (slopes[0] - slopes[1]) / 2e-6
    expected = curvature + jacobian.T @ (second[:, None] * jacobian)
    size = np.sqrt(np.abs(np.diag(expected)) + 1e-6 * np.abs(np.diag(expected)).max())
    np.testing.assert_allclose(
        hessian / np.outer(size, size), expected / np.outer(size, size), atol=1e-5
    )


@pytest.mark.parametrize("key", laws.names())
def test_leading_axes_of_parameters_are_independent(key: str) -> None:
    law = laws.get(key)
    columns = grid(law)
    batch = typical_vector(law) * np.linspace(0.95, 1.05, 6).reshape(2, 3, 1)
    together = law.loss(batch, columns)
    assert together.shape == (2, 3, len(next(iter(columns.values()))))
    np.testing.assert_allclose(together[1, 2], law.loss(batch[1, 2], columns), rtol=1e-13)


@pytest.mark.parametrize("name", laws.preset_names())
def test_derivatives_at_published_coefficients(name: str) -> None:
    """They are far from typical: exponents of either sign, counts of 1e9 and more."""
    preset = laws.preset(name)
    law, params = preset.law, preset.params
    columns = grid(law)
    exact = law.jacobian(params, columns)
    for j, value in enumerate(params):
        step = np.zeros(params.size)
        step[j] = 1e-4 * max(abs(value), 1e-3)
        losses = [law.loss(params + k * step, columns) for k in (-2, -1, 1, 2)]
        numeric = (losses[0] - 8 * losses[1] + 8 * losses[2] - losses[3]) / (12 * step[j])
        np.testing.assert_allclose(
            exact[:, j], numeric, rtol=1e-6, atol=1e-8 * np.abs(exact[:, j]).max()
        )
