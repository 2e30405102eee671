"""The lowest points of many smooth functions of up to two variables, all at once.

A coarse grid finds the basin, boxes that shrink around the best point come close, and Newton
steps on differences finish: they find a minimum to about 1e-6 where comparing values alone would
stop at 1e-4. No loop over functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Objective = Callable[[Floats], Floats]
"""(k, n, d) or (1, n, d) points -> (k, n) values, inf where there is none."""

GRID = {1: 61, 2: 16}
"""Points of the coarse grid along each of so many variables."""
ZOOMS = 3
NEWTON_STEPS = 8
_STEP = 1e-3
_CONVERGED = 1e-7
_LONGEST_STEP = 1.0
_FLATTEST = 1e-12
_NEAR_WALL, _WALL_STEPS, _WALL_SHRINKS = 1.0, 48, 0.8
_NOISE = 2e-12
"""Slopes below this share of the value are the rounding of the differences."""


@dataclass(frozen=True, eq=False)
class Minima:
    """Where k functions are lowest.

    Attributes
    ----------
    points : (k, d).
    values : (k,); inf where a function has no value anywhere.
    """

    points: Floats
    values: Floats


def minimise(objective: Objective, lower: Floats, upper: Floats, k: int) -> Minima:
    """Return the minima of k functions within the box from `lower` to `upper` (d,), d <= 2."""
    found = _on_grid(objective, lower, upper, k)
    if lower.size == 0:
        return found
    width = (upper - lower) / (GRID[lower.size] - 1)
    for _ in range(ZOOMS):
        found = _zoomed(objective, found, width, lower, upper)
        width = width / 2
    return polish(objective, found, lower, upper)


def polish(objective: Objective, start: Minima, lower: Floats, upper: Floats) -> Minima:
    """Return the minima that damped Newton steps from `start` lead to; none goes uphill."""
    found = start
    if lower.size == 0:
        return found
    for _ in range(NEWTON_STEPS):
        before = found.points
        found = _newton(objective, found, lower, upper)
        if np.max(np.abs(found.points - before), initial=0.0) < _CONVERGED:
            break
    return _up_to_walls(objective, found, lower, upper)


def _up_to_walls(objective: Objective, found: Minima, lower: Floats, upper: Floats) -> Minima:
    """Return the minima that boxes shrink to where a function ends nearby, by infinite values.

    Newton's steps, which overshoot such a wall and are refused, end at some distance from it.
    """
    width = np.full(lower.size, _NEAR_WALL)
    around = np.clip(found.points[:, np.newaxis] + mesh(-width, width, 3), lower, upper)
    if np.isfinite(objective(around)).all() or not np.isfinite(found.values).any():
        return found
    for _ in range(_WALL_STEPS):
        found = _zoomed(objective, found, width, lower, upper)
        width = width * _WALL_SHRINKS
    return found


def mesh(lower: Floats, upper: Floats, points: int) -> Floats:
    """Return a grid (points^d, d) over the box; one empty point for d = 0."""
    axes = [np.linspace(a, b, points) for a, b in zip(lower, upper, strict=True)]
    if not axes:
        return np.zeros((1, 0))
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=-1)


def _on_grid(objective: Objective, lower: Floats, upper: Floats, k: int) -> Minima:
    grid = mesh(lower, upper, GRID.get(lower.size, 1))
    values = np.broadcast_to(objective(grid[np.newaxis]), (k, len(grid)))
    return _best(np.broadcast_to(grid[np.newaxis], (k, *grid.shape)), values)


def _zoomed(
    objective: Objective, found: Minima, width: Floats, lower: Floats, upper: Floats
) -> Minima:
    box = mesh(-width, width, 5)
    points = np.clip(found.points[:, np.newaxis] + box[np.newaxis], lower, upper)
    return _best(points, objective(points))


def _newton(objective: Objective, found: Minima, lower: Floats, upper: Floats) -> Minima:
    """Return where one damped Newton step leads to, along the bounds where they are met."""
    d = lower.size
    gradient, curvature = _differences(objective, found)
    stuck = _pressed(found.points, gradient, lower, upper)
    noise = _NOISE * np.abs(found.values)[:, np.newaxis]
    gradient = np.where(stuck | (np.abs(gradient) < noise), 0.0, gradient)
    both = stuck[:, :, np.newaxis] | stuck[:, np.newaxis, :]
    curvature = np.where(both, np.eye(d), curvature)
    step = _downhill(gradient, curvature)
    fractions = np.array([0.0, 0.25, 1.0])[np.newaxis, :, np.newaxis]
    points = np.clip(found.points[:, np.newaxis] + fractions * step[:, np.newaxis], lower, upper)
    values = objective(points)
    # At the very bottom the values are equal to rounding, and the step, which rests on
    # differences over a much larger distance, knows better where the middle is.
    rows = np.arange(len(points))
    rounding = 4 * np.finfo(np.float64).eps * np.abs(values[:, 0])
    level = np.asarray(values[:, 2] <= values[:, 0] + rounding)
    chosen = np.where(level, 2, np.argmin(values, axis=1))
    return Minima(points[rows, chosen], values[rows, chosen])


def _pressed(points: Floats, gradient: Floats, lower: Floats, upper: Floats) -> Flags:
    """Return where a point lies at a bound and downhill is beyond it."""
    below = (points <= lower) & (gradient > 0)
    return np.asarray(below | ((points >= upper) & (gradient < 0)))


def _downhill(gradient: Floats, curvature: Floats) -> Floats:
    """Return Newton steps (k, d) against the gradient, bounded; 0 where nothing is known."""
    finite = np.isfinite(curvature).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    known = np.asarray(finite)
    gradient = np.where(known[:, np.newaxis], gradient, 0.0)
    curvature = np.where(known[:, np.newaxis, np.newaxis], curvature, np.eye(gradient.shape[1]))
    scale, axes = np.linalg.eigh(curvature)
    along = np.einsum("kij,ki->kj", axes, gradient)
    step = -np.einsum("kij,kj->ki", axes, along / np.maximum(np.abs(scale), _FLATTEST))
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, _LONGEST_STEP / np.maximum(length, 1e-300)))


def _differences(objective: Objective, found: Minima) -> tuple[Floats, Floats]:
    """Return gradients (k, d) and second derivatives (k, d, d) by central differences."""
    d = found.points.shape[1]
    stencil = mesh(np.full(d, -_STEP), np.full(d, _STEP), 3)
    with np.errstate(invalid="ignore"):
        values = objective(found.points[:, np.newaxis] + stencil[np.newaxis])
        cube = values.reshape((-1,) + (3,) * d)
        if d == 1:
            slope = (cube[:, 2] - cube[:, 0]) / (2 * _STEP)
            bend = (cube[:, 2] - 2 * cube[:, 1] + cube[:, 0]) / _STEP**2
            return slope[:, np.newaxis], bend[:, np.newaxis, np.newaxis]
        slopes = [cube[:, 2, 1] - cube[:, 0, 1], cube[:, 1, 2] - cube[:, 1, 0]]
        gradient = np.stack(slopes, axis=1) / (2 * _STEP)
        first = (cube[:, 2, 1] - 2 * cube[:, 1, 1] + cube[:, 0, 1]) / _STEP**2
        second = (cube[:, 1, 2] - 2 * cube[:, 1, 1] + cube[:, 1, 0]) / _STEP**2
        mixed = (cube[:, 2, 2] - cube[:, 2, 0] - cube[:, 0, 2] + cube[:, 0, 0]) / (4 * _STEP**2)
    rows = [np.stack([first, mixed], axis=1), np.stack([mixed, second], axis=1)]
    return gradient, np.stack(rows, axis=1)


def _best(points: Floats, values: Floats) -> Minima:
    rows = np.arange(len(values))
    chosen = np.argmin(values, axis=1)
    return Minima(points[rows, chosen], values[rows, chosen])
