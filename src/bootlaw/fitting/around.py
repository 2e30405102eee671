"""Points around an optimum from which a better one may be reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.directions import orthonormal_steps
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.projection import neighbours, project

Floats = NDArray[np.float64]

PERTURBATIONS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""Sizes, as changes of log losses, of the steps from the best point that look for a better one."""


def around(objective: Objective, u: Floats, rng: np.random.Generator, n_each: int) -> Floats:
    """Return points that differ from u by given changes of log losses, in random directions."""
    # Along a direction that the rows hardly see, a step may leave the range of floats.
    steps = orthonormal_steps(objective, u, floor=1e-4)
    width = np.sqrt(objective.design.n_rows)
    draws = rng.normal(size=(len(PERTURBATIONS) * n_each, steps.shape[1]))
    sizes = np.repeat(PERTURBATIONS, n_each)[:, None] * width / np.sqrt(max(steps.shape[1], 1))
    points = u + sizes * draws @ steps.T
    inside = np.isfinite(objective.value(points))
    return np.concatenate([u[None, :], points[inside]])


def revived(objective: Objective, u: Floats) -> Floats:
    """Return points with another exponent each and the amounts that then fit the rows best.

    A term that vanished on the way through the larger deltas does not come back by small steps.
    """
    design = objective.design
    size = np.abs(np.nan_to_num(objective.residual_jacobian(u))).max(axis=0)
    points = neighbours(design, u, size)
    losses = np.exp(objective.targets) if objective.scale == "log" else objective.targets
    weights = np.sqrt(objective.weights) * row_weights(objective, losses)
    residuals = np.abs(objective.residuals(u))
    # Reweighted least squares: what Huber's loss is near this point.
    weights = weights * np.sqrt(objective.delta / np.maximum(residuals, objective.delta))
    return np.clip(project(design, losses, weights, points), *objective.bounds)


def row_weights(objective: Objective, losses: Floats) -> Floats:
    """Residuals are of logarithms, so a loss counts by its inverse."""
    return 1.0 / np.abs(losses) if objective.scale == "log" else np.ones(losses.shape)
