"""A damped Newton method on the exact Huber objective, for many problems at once.

With delta = 1e-3 most residuals lie in the linear part, where reweighted least squares creeps;
the true Hessian of the active pieces (quadratic inside, curvature of the law outside) finishes
in a few steps. Damping follows Levenberg and Marquardt, one factor per problem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.objective import Objective

Floats = NDArray[np.float64]

TOLERANCE = 1e-8
"""Scaled gradient below which a point counts as stationary: the cosine between the pull of the
residuals and the directions in which the parameters can move them."""

PULL_FLOOR = 1e-7
"""Residuals smaller than this are as good as zero, so that an exact fit can be recognised."""

RESIDUAL_ROUNDING = 1e-14
"""Rounding of one log residual, with room to spare."""

_LOWEST_DAMPING, _HIGHEST_DAMPING = 1e-14, 1e12


@dataclass(frozen=True)
class Solution:
    """Where R problems ended.

    Attributes
    ----------
    u : (R, p) internal coordinates.
    objective : (R,).
    scaled_gradient : (R,) see `TOLERANCE`.
    """

    u: Floats
    objective: Floats
    scaled_gradient: Floats

    @property
    def stationary(self) -> NDArray[np.bool_]:
        """(R,) True where the gradient vanishes."""
        return np.asarray(self.scaled_gradient <= TOLERANCE, dtype=np.bool_)


def preconditioner(objective: Objective, u: Floats, free: NDArray[np.bool_]) -> Floats:
    """Return T (..., p, f): steps T v of the free parameters with a well-conditioned Jacobian.

    T = V / S from the singular value decomposition of the residuals' Jacobian at u (..., p).
    Logs of token counts are far from 0, so that in plain coordinates the Hessian is singular to
    working precision; this is exact centring and scaling for every law. Directions that the data
    do not see keep a finite scale.
    """
    jacobian = objective.residual_jacobian(u)[..., free]
    # A QR factor has the same singular values; the rows would only make the SVD slow.
    _, singular, basis = np.linalg.svd(np.linalg.qr(jacobian, mode="r"), full_matrices=False)
    floor = 1e-10 * singular[..., :1]
    scaled = np.swapaxes(basis, -1, -2) / np.maximum(singular, floor)[..., None, :]
    full = np.zeros((*u.shape, scaled.shape[-1]))
    full[..., free, :] = scaled
    return full


class _Problems:
    """The problems that still run: position, derivatives and damping of each."""

    def __init__(self, objective: Objective, u: Floats, transform: Floats, damping: float) -> None:
        n = u.shape[0]
        size = transform.shape[-1]
        self.objective, self.transform = objective, transform
        self.u, self.value = u.copy(), objective.value(u)
        self.damping, self.growth = np.full(n, damping), np.full(n, 2.0)
        self.gradient, self.hessian = np.zeros((n, size)), np.zeros((n, size, size))
        self.scaled_gradient, self.rounding = np.full(n, np.inf), np.zeros(n)
        self.stalled = ~np.isfinite(self.value)

    def refresh(self, which: NDArray[np.intp]) -> None:
        """Recompute derivatives of the problems that moved."""
        transform = self._transform(which)
        back = np.swapaxes(transform, -1, -2)
        gradient, hessian, pull = self.objective.take(which).derivatives(self.u[which])
        self.gradient[which] = (back @ gradient[:, :, None])[:, :, 0]
        self.hessian[which] = back @ hessian @ transform
        width = np.sqrt(self.objective.design.n_rows)
        self.rounding[which] = RESIDUAL_ROUNDING * width * pull
        steepest = np.abs(self.gradient[which]).max(axis=1)
        self.scaled_gradient[which] = steepest / np.maximum(pull, PULL_FLOOR * width)

    def advance(self, which: NDArray[np.intp]) -> NDArray[np.intp]:
        """Try one damped Newton step of these problems; return the numbers of those that moved."""
        gradient, hessian = self.gradient[which], self.hessian[which]
        damped = hessian + self.damping[which, None, None] * np.eye(hessian.shape[-1])
        step = _solve(damped, -gradient)
        slope = np.einsum("rf,rf->r", gradient, step)
        curvature = np.einsum("rf,rfg,rg->r", step, hessian, step)
        predicted = -(slope + 0.5 * curvature)
        trial = self.u[which] + (self._transform(which) @ step[:, :, None])[:, :, 0]
        value = self.objective.take(which).value(trial)
        gain = _gain(self.value[which] - value, predicted, self.rounding[which])
        better = (slope < 0) & (gain > 1e-4)
        self._set_damping(which, better, gain)
        moved: NDArray[np.intp] = which[better]
        self.u[moved], self.value[moved] = trial[better], value[better]
        return moved

    def _set_damping(
        self, which: NDArray[np.intp], better: NDArray[np.bool_], gain: Floats
    ) -> None:
        """Shrink damping after a good step, grow it ever faster after bad ones (Nielsen 1999)."""
        shrink = np.clip(1 - (2 * np.clip(gain, 0.0, 2.0) - 1) ** 3, 0.1, 4.0)
        factor = np.where(better, shrink, self.growth[which])
        self.growth[which] = np.where(better, 2.0, 2.0 * self.growth[which])
        self.damping[which] = np.maximum(self.damping[which] * factor, _LOWEST_DAMPING)
        self.stalled[which] |= self.damping[which] > _HIGHEST_DAMPING

    def _transform(self, which: NDArray[np.intp]) -> Floats:
        return self.transform[which] if self.transform.ndim == 3 else self.transform


def minimise(
    objective: Objective,
    starts: Floats,
    transform: Floats,
    *,
    tolerance: float = TOLERANCE,
    max_iterations: int = 200,
    damping: float = 1e-2,
) -> Solution:
    """Return the local minima reached from `starts` (R, p).

    Parameters
    ----------
    transform : (p, f) or (R, p, f) from `preconditioner`; parameters outside its range stay.
    tolerance : scaled gradient at which a problem is done.
    """
    problems = _Problems(objective, starts, transform, damping)
    running = np.flatnonzero(~problems.stalled)
    moved = running
    for _ in range(max_iterations):
        problems.refresh(moved)
        done = (problems.scaled_gradient <= tolerance) | problems.stalled
        running = running[~done[running]]
        if running.size == 0:
            break
        moved = problems.advance(running)
    return Solution(problems.u, problems.value, problems.scaled_gradient)


def _gain(decrease: Floats, predicted: Floats, rounding: Floats) -> Floats:
    """Return (R,) the decrease of the objective over the predicted one; 1 below rounding.

    Near the optimum the decrease of a good step drowns in the rounding of the objective, while
    the gradient still has digits to gain; there a step counts as good if it costs nothing.
    """
    usable = predicted > 0
    gain = np.where(usable, decrease, -1.0) / np.where(usable, predicted, 1.0)
    drowned = (predicted < 10 * rounding) & (decrease >= -rounding)
    return np.where(drowned, 1.0, gain)


def _solve(matrices: Floats, vectors: Floats) -> Floats:
    """Return the solutions (R, f); zero where a matrix is singular to the last bit."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        return np.asarray((np.linalg.pinv(matrices) @ vectors[:, :, None])[:, :, 0])
