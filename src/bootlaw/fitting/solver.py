"""Sequential robust regression on the exact objective, for many problems at once.

With delta = 1e-3 most residuals lie in the linear part of Huber's loss, where reweighted least
squares creeps and a Newton step sees only the few rows inside delta. So a step keeps the loss as it
is and takes the residuals for linear in the parameters, plus the quadratic that their curvature
adds: a robust linear regression (`bootlaw.fitting.regression`), which costs no evaluation of the
law. Near the optimum that is Newton's method; a step that gains less than it promised is damped,
in the metric J^T J of the residuals' Jacobian J and in how far the law's exponents and logarithms
move (`Design.reach`), so that steps do not depend on units, on centring or on which of equivalent
parameters a law is written in. Passes that only show the way, at larger deltas, leave the
curvature out (Gauss-Newton): far from the optimum it leads astray.

The compiled kernel and these modules are two writings of one method; ``tests/fitting`` compares
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting import kernel
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.regression import RIDGE, Model, regress

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE = 1e-8
"""Scaled gradient below which a point counts as stationary: the cosine between the pull of the
residuals and the directions in which the parameters can move them."""

PULL_FLOOR = 1e-7
"""Residuals smaller than this are as good as zero, so that an exact fit can be recognised."""

RESIDUAL_ROUNDING = 1e-14
"""Rounding of one log residual, with room to spare."""

DAMPING = 0.1
"""Damping of the first step."""

INNER = 0.03
"""Scaled gradient at which the regression of a step ends, as a share of that at its start."""

COARSE = (1e-3, 30)
"""Tolerance and most iterations of a pass at a larger delta, which only shows the way."""

MOST_ITERATIONS = 300

_LOWEST_DAMPING, _HIGHEST_DAMPING = 1e-14, 1e12


@dataclass(frozen=True)
class Solution:
    """Where R problems ended.

    Attributes
    ----------
    u : (R, p) internal coordinates.
    objective : (R,), infinite where the start lies outside the law's domain.
    scaled_gradient : (R,) see `TOLERANCE`.
    """

    u: Floats
    objective: Floats
    scaled_gradient: Floats

    @property
    def stationary(self) -> Mask:
        """(R,) True where the gradient vanishes."""
        return np.asarray(self.scaled_gradient <= TOLERANCE, dtype=np.bool_)


def minimise(
    objective: Objective,
    starts: Floats,
    *,
    deltas: Sequence[float] = (),
    tolerance: float = TOLERANCE,
    max_iterations: int = MOST_ITERATIONS,
    damping: float = DAMPING,
    threads: int | None = None,
) -> Solution:
    """Return the local minima reached from `starts` (R, p) within the objective's bounds.

    Parameters
    ----------
    deltas : larger deltas to go through first, coarsely: the objective is smooth for a large
        delta and has many kinks for a small one.
    tolerance : scaled gradient at which a problem is done.
    threads : of the kernel; results do not depend on it.
    """
    stages = [(delta, *COARSE, True) for delta in deltas]
    if objective.loss == "squared":
        stages.append((objective.delta, tolerance, max_iterations, True))
    stages.append((objective.delta, tolerance, max_iterations, False))
    if len(starts) == 0:
        return Solution(np.array(starts), np.zeros(0), np.zeros(0))
    if kernel.usable(objective):
        return Solution(*kernel.minimise(objective, starts, stages, damping, threads))
    u = np.array(starts, dtype=np.float64)
    for delta, aim, most, gauss in stages:
        solution = _newton(objective.with_delta(delta), u, aim, most, damping, gauss=gauss)
        u = solution.u
    return solution


class _Problems:
    """The state of R problems: position, expansion there, damping."""

    def __init__(
        self, objective: Objective, starts: Floats, damping: float, *, gauss: bool
    ) -> None:
        n, p = starts.shape
        rows = objective.design.n_rows
        self.objective, self.gauss = objective, gauss
        self.lower, self.upper = objective.bounds
        self.u = np.clip(starts, self.lower, self.upper)
        self.value = objective.value(self.u)
        self.damping, self.growth = np.full(n, damping), np.full(n, 4.0)
        self.residuals, self.jacobian = np.zeros((n, rows)), np.zeros((n, rows, p))
        self.curvature, self.metric = np.zeros((n, p, p)), np.zeros((n, p, p))
        self.scaled_gradient, self.pull = np.full(n, np.inf), np.zeros(n)
        self.width = float(np.sqrt(rows))
        self.stalled = ~np.isfinite(self.value)

    def refresh(self, which: NDArray[np.intp]) -> None:
        """Expand the problems that moved around where they are now."""
        if which.size == 0:
            return
        some, u = self.objective.take(which), self.u[which]
        self.residuals[which] = residuals = some.residuals(u)
        self.jacobian[which] = jacobian = some.residual_jacobian(u)
        weights = np.broadcast_to(some.weights, residuals.shape)
        bend = weights * some.influence(residuals)[2]
        curvature = np.zeros_like(self.metric[which])
        if not self.gauss:
            inside = np.einsum("rnp,rnq,rn->rpq", jacobian, jacobian, bend)
            curvature = some.derivatives(u)[1] - inside
        elif some.prior is not None:
            curvature = curvature + np.diag(some.prior.weight)
        self.curvature[which] = curvature
        used = (weights > 0).astype(np.float64)
        self.metric[which] = np.einsum("rnp,rnq,rn->rpq", jacobian, jacobian, used)
        self._measure(which)

    def _measure(self, which: NDArray[np.intp]) -> None:
        model = self._model(which)
        none = np.zeros((which.size, self.u.shape[1]))
        psi, _ = model.influences(model.residuals)
        gradient = model.gradient(psi, none)
        free = model.free(none, gradient)
        self.scaled_gradient[which] = model.scaled_gradient(psi, gradient, free)
        self.pull[which] = np.sqrt(np.einsum("rn,rn->r", psi, psi))

    def _model(self, which: NDArray[np.intp]) -> Model:
        """Return the problem that the next step solves."""
        some, metric = self.objective.take(which), self.metric[which]
        ridge = RIDGE * np.einsum("rpp->rp", metric)[:, :, None] * np.eye(metric.shape[-1])
        damping = metric + some.design.reach + ridge
        linear = np.zeros((which.size, self.u.shape[1]))
        if some.prior is not None:
            linear = some.prior.weight * (self.u[which] - some.prior.mean)
        return Model(
            objective=some,
            residuals=self.residuals[which],
            weights=np.broadcast_to(some.weights, self.residuals[which].shape),
            jacobian=self.jacobian[which],
            linear=linear,
            held=self.curvature[which] + self.damping[which, None, None] * damping,
            metric=metric,
            low=self.lower - self.u[which],
            high=self.upper - self.u[which],
            # Weights of another unit change nothing.
            floor=PULL_FLOOR * self.width * float(self.objective.weights.max()),
        )

    def advance(self, which: NDArray[np.intp], tolerance: float) -> NDArray[np.intp]:
        """Try one step of these problems; return the numbers of those that moved."""
        model = self._model(which)
        aim = np.maximum(0.1 * tolerance, INNER * self.scaled_gradient[which])
        d, residuals = regress(model, aim)
        predicted = self._loss(model, model.residuals) - self._loss(model, residuals)
        predicted -= np.einsum("rp,rp->r", model.linear, d)
        predicted -= 0.5 * np.einsum("rp,rpq,rq->r", d, self.curvature[which], d)
        trial = np.clip(self.u[which] + d, self.lower, self.upper)
        value = self.objective.take(which).value(trial)
        rounding = RESIDUAL_ROUNDING * self.width * self.pull[which]
        with np.errstate(invalid="ignore"):
            gain = _gain(self.value[which] - value, predicted, rounding)
        gain = np.where(np.isfinite(value), gain, -1.0)
        better = gain > 1e-4
        self._set_damping(which, better, gain)
        moved: NDArray[np.intp] = which[better]
        self.u[moved], self.value[moved] = trial[better], value[better]
        return moved

    @staticmethod
    def _loss(model: Model, residuals: Floats) -> Floats:
        rho = model.objective.influence(residuals)[0]
        return np.asarray((model.weights * rho).sum(axis=-1))

    def _set_damping(self, which: NDArray[np.intp], better: Mask, gain: Floats) -> None:
        """Shrink damping after a good step, grow it ever faster after bad ones (Nielsen 1999)."""
        shrink = np.clip(1 - (2 * np.clip(gain, 0.0, 2.0) - 1) ** 3, 0.05, 4.0)
        factor = np.where(better, shrink, self.growth[which])
        self.growth[which] = np.where(better, 4.0, 2.0 * self.growth[which])
        self.damping[which] = np.maximum(self.damping[which] * factor, _LOWEST_DAMPING)
        self.stalled[which] |= self.damping[which] > _HIGHEST_DAMPING


def _newton(
    objective: Objective,
    starts: Floats,
    tolerance: float,
    max_iterations: int,
    damping: float,
    *,
    gauss: bool,
) -> Solution:
    problems = _Problems(objective, starts, damping, gauss=gauss)
    running = np.flatnonzero(~problems.stalled)
    problems.refresh(running)
    for _ in range(max_iterations):
        done = (problems.scaled_gradient <= tolerance) | problems.stalled
        running = running[~done[running]]
        if running.size == 0:
            break
        problems.refresh(problems.advance(running, tolerance))
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
