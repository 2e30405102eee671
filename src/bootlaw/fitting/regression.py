"""Robust regression of residuals that are linear in the step, for many problems at once.

The problem that a step of the solver solves: rho of r + J d summed over the rows, plus a quadratic
d' B d / 2 and a linear term. Newton steps on its pieces with a search along each of them end after
a few steps, since the loss is made of few pieces (for
Huber's: Madsen & Nielsen, BIT 30 (1990) 682).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.objective import Objective

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]

MOST_STEPS = 40
MOST_TRIALS = 20
FLAT_ENOUGH = 0.1
"""Slope at which a search along a line stops, as a share of that at its start."""
LARGEST_STEP = 64.0
"""Newton steps that a search along a line may take at once."""
WORTH_A_STEP = 1e-3
"""Share of what a regression has won that its next step has to add."""
FIRST_HOLD = 1e-8
"""Share of the metric that holds a Hessian that is not positive, to begin with."""
HIGHEST_HOLD = 1e12
RIDGE = 1e-10
SINGULAR = 1e-14


@dataclass(frozen=True)
class Model:
    """R problems near their points.

    Attributes
    ----------
    objective : whose influence functions count; its targets play no part.
    residuals, weights : (R, n).
    jacobian : (R, n, p).
    linear : (R, p) gradient of the prior.
    held : (R, p, p) B: curvature of the residuals, prior and damping.
    metric : (R, p, p) J^T J over the rows with weight.
    low, high : (R, p) bounds of the step d.
    floor : pull of residuals that are as good as zero.
    """

    objective: Objective
    residuals: Floats
    weights: Floats
    jacobian: Floats
    linear: Floats
    held: Floats
    metric: Floats
    low: Floats
    high: Floats
    floor: float

    def take(self, which: Numbers) -> Model:
        """Return some of the problems."""
        return replace(self, **{name: getattr(self, name)[which] for name in _ARRAYS})

    def influences(self, residuals: Floats) -> tuple[Floats, Floats]:
        """Return weighted rho' and rho'' (R, n)."""
        _, psi, bend = self.objective.influence(residuals)
        return self.weights * psi, self.weights * bend

    def gradient(self, psi: Floats, d: Floats) -> Floats:
        """Return the gradient (R, p) at steps d (R, p)."""
        rows = np.einsum("rn,rnp->rp", psi, self.jacobian)
        return np.asarray(rows + self.linear + np.einsum("rpq,rq->rp", self.held, d))

    def free(self, d: Floats, gradient: Floats) -> Mask:
        """Return (R, p) True where a parameter is neither fixed nor held by a bound."""
        stopped = (d <= self.low) & (gradient > 0) | (d >= self.high) & (gradient < 0)
        unseen = np.einsum("rpp->rp", self.metric) <= 0
        return np.asarray(~(stopped | unseen | (self.low == self.high)))

    def scaled_gradient(self, psi: Floats, gradient: Floats, free: Mask) -> Floats:
        """Return (R,) the cosine between the rows' pull and the parameters' directions."""
        x, _ = solve(only(self.metric, free), gradient * free, drop=True)
        size = np.sqrt(np.maximum(np.einsum("rp,rp->r", gradient * free, x), 0.0))
        pull = np.sqrt(np.einsum("rn,rn->r", psi, psi))
        return np.asarray(size / np.maximum(pull, self.floor))


_ARRAYS = ("residuals", "weights", "jacobian", "linear", "held", "metric", "low", "high")


def regress(model: Model, tolerance: Floats) -> tuple[Floats, Floats]:
    """Return the best steps d (R, p) and the linear residuals (R, n) there.

    Parameters
    ----------
    tolerance : (R,) scaled gradient at which a problem is done.
    """
    d, residuals = np.zeros_like(model.linear), model.residuals.copy()
    running, won = np.arange(len(d)), np.zeros(len(d))
    for _ in range(MOST_STEPS):
        some = model.take(running)
        psi, bend = some.influences(residuals[running])
        gradient = some.gradient(psi, d[running])
        free = some.free(d[running], gradient)
        going = some.scaled_gradient(psi, gradient, free) > tolerance[running]
        step, found = _newton_step(some, d[running], gradient, bend, free)
        going &= found
        if not going.any():
            break
        kept = np.flatnonzero(going)
        running, some, step = running[kept], some.take(kept), step[kept]
        along = np.einsum("rnp,rp->rn", some.jacobian, step)
        length = _search_line(some, residuals[running], along, step, d[running], gradient[kept])
        d[running] = np.clip(d[running] + length[:, None] * step, some.low, some.high)
        residuals[running] += length[:, None] * along
        gain = -0.5 * length * np.einsum("rp,rp->r", gradient[kept], step)
        won[running] += gain
        running = running[gain > WORTH_A_STEP * won[running]]
        if running.size == 0:
            break
    return d, residuals


def _newton_step(
    model: Model, d: Floats, gradient: Floats, bend: Floats, free: Mask
) -> tuple[Floats, Mask]:
    """Return Newton steps (R, p) that no bound blocks, and where there is one."""
    rows = np.einsum("rnp,rnq,rn->rpq", model.jacobian, model.jacobian, bend)
    hessian = rows + model.held
    free = free.copy()
    for _ in range(free.shape[1] + 1):
        step, found = _held_step(model, hessian, gradient, free)
        blocked = free & ((d <= model.low) & (step < 0) | (d >= model.high) & (step > 0))
        if not blocked.any():
            break
        free &= ~blocked
    return step, found


def _held_step(model: Model, hessian: Floats, gradient: Floats, free: Mask) -> tuple[Floats, Mask]:
    """Return Newton steps; the metric holds a Hessian that is not positive."""
    diagonal = np.einsum("rpp->rp", model.metric)[:, :, None] * np.eye(free.shape[1])
    metric = model.metric + RIDGE * diagonal
    step, found = solve(only(hessian, free), -gradient * free, drop=False)
    hold = FIRST_HOLD
    while not found.all() and hold <= HIGHEST_HOLD:
        lost = np.flatnonzero(~found)
        held = only(hessian[lost] + hold * metric[lost], free[lost])
        step[lost], found[lost] = solve(held, -(gradient * free)[lost], drop=False)
        hold *= 10.0
    return step * free, found


def _search_line(
    model: Model, residuals: Floats, along: Floats, step: Floats, d: Floats, gradient: Floats
) -> Floats:
    """Return the lengths (R,) that make the model least along the steps."""
    start = np.einsum("rp,rp->r", gradient, step)
    held = np.einsum("rpq,rq->rp", model.held, step)
    constant = np.einsum("rp,rp->r", model.linear, step) + np.einsum("rp,rp->r", held, d)
    linear = np.einsum("rp,rp->r", held, step)
    longest = _longest(model, d, step)
    low, high = np.zeros(start.size), np.full(start.size, np.inf)
    a = np.minimum(1.0, longest)
    done = np.zeros(start.size, dtype=bool)
    for _ in range(MOST_TRIALS):
        psi, bend = model.influences(residuals + a[:, None] * along)
        slope = np.einsum("rn,rn->r", psi, along) + constant + a * linear
        curve = np.einsum("rn,rn->r", bend, along**2) + linear
        done |= np.abs(slope) <= FLAT_ENOUGH * np.abs(start)
        low = np.where(~done & (slope < 0), a, low)
        high = np.where(~done & (slope >= 0), a, high)
        at_end = ~done & ((low >= longest) | (np.isinf(high) & (low >= LARGEST_STEP)))
        a = np.where(at_end, np.minimum(low, longest), a)
        done |= at_end
        if done.all():
            return a
        a = np.where(done, a, _next_length(a, slope, curve, low, high, longest))
    return np.where(done | (low <= 0), a, low)


def _next_length(
    a: Floats, slope: Floats, curve: Floats, low: Floats, high: Floats, longest: Floats
) -> Floats:
    """Return Newton's next length, or the middle of the bracket where that leaves it."""
    closed = np.isfinite(high)
    most = np.minimum(np.where(closed, high, np.minimum(4.0 * a, LARGEST_STEP)), longest)
    following = np.where(curve > 0, a - slope / np.where(curve > 0, curve, 1.0), np.inf)
    inside = (following > low) & (following < most)
    middle = np.where(closed, 0.5 * (low + np.where(closed, high, low)), most)
    return np.where(inside, following, middle)


def _longest(model: Model, d: Floats, step: Floats) -> Floats:
    """Return the longest lengths (R,) within the bounds."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(step > 0, (model.high - d) / step, LARGEST_STEP)
        down = np.where(step < 0, (model.low - d) / step, LARGEST_STEP)
    return np.asarray(np.clip(np.minimum(up, down).min(axis=1), 0.0, LARGEST_STEP))


def only(matrices: Floats, free: Mask) -> Floats:
    """Return the matrices (R, p, p) with the identity in place of parameters that are held."""
    both = free[:, :, None] & free[:, None, :]
    return np.where(both, matrices, np.eye(matrices.shape[-1]))


def solve(matrices: Floats, vectors: Floats, *, drop: bool) -> tuple[Floats, Mask]:
    """Return solutions (R, p) and where there is one, by Cholesky at unit diagonal.

    With `drop`, directions that a matrix does not hold get 0 and every problem has a solution.
    """
    diagonal = np.einsum("rpp->rp", matrices)
    solved = (diagonal > 0).all(axis=1)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    a, b = matrices * scale[:, :, None] * scale[:, None, :], vectors * scale
    size = a.shape[-1]
    factor = np.zeros_like(a)
    for i in range(size):
        for j in range(i):
            rest = a[:, i, j] - np.einsum("rk,rk->r", factor[:, i, :j], factor[:, j, :j])
            factor[:, i, j] = _over(rest, factor[:, j, j])
        pivot = a[:, i, i] - np.einsum("rk,rk->r", factor[:, i, :i], factor[:, i, :i])
        held = pivot > SINGULAR
        solved &= held | drop
        factor[:, i, i] = np.sqrt(np.where(held, pivot, 0.0))
    x = np.zeros_like(b)
    for i in range(size):
        rest = b[:, i] - np.einsum("rk,rk->r", factor[:, i, :i], x[:, :i])
        x[:, i] = _over(rest, factor[:, i, i])
    for i in reversed(range(size)):
        rest = x[:, i] - np.einsum("rk,rk->r", factor[:, i + 1 :, i], x[:, i + 1 :])
        x[:, i] = _over(rest, factor[:, i, i])
    return np.where(solved[:, None], x * scale, 0.0), solved


def _over(numerator: Floats, denominator: Floats) -> Floats:
    """Return the quotient, 0 where the denominator is 0."""
    held = denominator > 0
    return np.where(held, numerator, 0.0) / np.where(held, denominator, 1.0)
