"""Whether the optimum is one point or a plateau on which every point fits as well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.best import AGREEMENT
from bootlaw.fitting.directions import orthonormal_steps
from bootlaw.fitting.graduated import DELTAS, follow
from bootlaw.fitting.identifiability import FAR
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum
from bootlaw.fitting.starts import SHARES, starting_points

Floats = NDArray[np.float64]

HELD = 0.03
"""Least singular value, relative to 1 for all rows together, of the rows inside delta from which
they hold every direction: the objective is quadratic there and has no plateau."""

STEPS = np.geomspace(1e-4, 0.3, 12)
"""Steps from the optimum along its flattest direction, as the norm of the change of log losses."""

MATERIAL = 0.05
"""Change of a parameter, as a share of its size (of the lowest loss for E), worth a remark."""


@dataclass(frozen=True)
class Plateau:
    """Where the objective equals its minimum.

    Attributes
    ----------
    lower, upper : (p,) the least and greatest values found there, natural units.
    moving : names of the parameters that change materially: E, exponents, coefficients.
    hopeless : whether an exponent changes by more than its own size.
    """

    lower: Floats
    upper: Floats
    moving: tuple[str, ...]
    hopeless: bool


def find_plateau(objective: Objective, optimum: Optimum) -> Plateau | None:
    """Return the plateau around the optimum, None where it is one point.

    Rows further than delta from the curve pull with constant force, so that a curve between two
    bands of rows can move without changing the sum. E is profiled: the other parameters are
    fitted again at fixed values of E, all at once; and the flattest direction is walked.
    """
    constant = objective.design.irreducible
    bounds = objective.bounds
    if (
        constant is None
        or objective.scale != "log"
        or not bounds[0][constant] < bounds[1][constant]
    ):
        return None
    if _held(objective, optimum):
        return None
    points = np.concatenate([optimum.u[None, :], _walk(objective, optimum)])
    coarse = _profile(objective, SHARES * _lowest(objective))
    points = _level(objective, optimum, np.concatenate([points, coarse]))
    fine = _profile(objective, _between(objective, points))
    points = _level(objective, optimum, np.concatenate([points, fine]))
    return _plateau(objective, optimum, points)


def _plateau(objective: Objective, optimum: Optimum, points: Floats) -> Plateau | None:
    """Return what the points (k, p) that fit equally well say of each parameter."""
    law = objective.design.law
    reach = np.where(law.logged, np.clip(points, -FAR, FAR), points)
    natural = np.array([law.from_internal(point) for point in reach])
    lower, upper = natural.min(axis=0), natural.max(axis=0)
    size = np.abs(law.from_internal(np.where(law.logged, np.clip(optimum.u, -FAR, FAR), optimum.u)))
    size[_constant(objective)] = _lowest(objective)
    material = upper - lower > MATERIAL * size
    moving = [name for name, moves in zip(law.names, material, strict=True) if moves]
    if not moving:
        return None
    kinds = {p.name: p.kind for p in law.parameters}
    moving.sort(key=lambda name: ("irreducible", "exponent", "coefficient").index(kinds[name]))
    exponents = np.array([p.kind == "exponent" for p in law.parameters])
    hopeless = bool((exponents & (upper - lower > size)).any())
    return Plateau(lower, upper, tuple(moving), hopeless)


def _held(objective: Objective, optimum: Optimum) -> bool:
    """Return whether the rows inside delta alone hold every parameter."""
    inside = np.abs(objective.residuals(optimum.u)) < objective.delta
    transform = orthonormal_steps(objective, optimum.u)
    active = objective.residual_jacobian(optimum.u)[inside] @ transform
    if active.shape[0] < active.shape[1]:
        return False
    return bool(np.linalg.svd(active, compute_uv=False)[-1] > HELD)


def _lowest(objective: Objective) -> float:
    return float(np.exp(objective.targets.min()))


def _walk(objective: Objective, optimum: Optimum) -> Floats:
    """Return points on either side of the optimum along its flattest direction."""
    transform = orthonormal_steps(objective, optimum.u)
    transform = np.where(optimum.at_bound[:, None], 0.0, transform)
    hessian = transform.T @ objective.derivatives(optimum.u[None, :])[1][0] @ transform
    flattest = transform @ np.linalg.eigh(hessian)[1][:, 0]
    return np.asarray(optimum.u + np.concatenate([-STEPS, STEPS])[:, None] * flattest)


def _profile(objective: Objective, constants: Floats) -> Floats:
    """Return the best points (k, p) with E fixed at each of the constants (k,)."""
    constant = _constant(objective)
    starts = starting_points(objective.design, np.exp(objective.targets), constants)
    groups = starts.reshape(constants.size, -1, starts.shape[1])
    values = objective.with_delta(DELTAS[0]).value(starts).reshape(constants.size, -1)
    chosen = groups[np.arange(constants.size), np.argmin(values, axis=1)]
    return np.concatenate(
        [
            follow(objective.with_fixed(constant, float(value)), start[None, :]).u
            for value, start in zip(constants, chosen, strict=True)
        ]
    )


def _constant(objective: Objective) -> int:
    """Return the position of E; only laws that have it and leave it free are looked at."""
    constant = objective.design.irreducible
    assert constant is not None
    return constant


def _between(objective: Objective, level: Floats) -> Floats:
    """Return values of E from the greatest one on the plateau up to the grid's next."""
    grid = SHARES * _lowest(objective)
    greatest = min(level[:, _constant(objective)].max(), grid[-1])
    above = grid[grid > greatest]
    following = above[0] if above.size else grid[-1]
    return np.linspace(greatest, following, 8)


def _level(objective: Objective, optimum: Optimum, points: Floats) -> Floats:
    """Return the points that are as good as the optimum, E >= 0."""
    with np.errstate(over="ignore"):
        values = objective.value(points)
    allowed = points[:, _constant(objective)] >= 0
    good = values <= optimum.objective * (1 + AGREEMENT) + 1e-18
    good[0] = True
    return np.asarray(points[good & allowed])
