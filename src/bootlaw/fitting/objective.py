"""The objective of every fit: the sum of Huber losses of log residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.laws import Design, Law

Floats = NDArray[np.float64]


def huber(residuals: Floats, delta: float) -> Floats:
    """Return r^2/2 where |r| <= delta, else delta (|r| - delta/2) (Huber 1964), elementwise."""
    clipped = np.clip(residuals, -delta, delta)
    return np.asarray(clipped * (residuals - 0.5 * clipped))


@dataclass(frozen=True)
class Objective:
    """Sum of weighted Huber losses of r = ln predicted - ln observed, for R problems at once.

    Attributes
    ----------
    design : the law on the rows.
    targets : ln observed loss, (n,) shared by all problems or (R, n).
    weights : (n,) or (R, n), at least 0.
    delta : where the Huber loss turns from quadratic to linear.
    """

    design: Design
    targets: Floats
    weights: Floats
    delta: float

    @classmethod
    def of(
        cls, law: Law, columns: Mapping[str, ArrayLike], losses: ArrayLike, delta: float
    ) -> Objective:
        """Return the objective of one table with weight 1 on every row."""
        targets = np.log(np.asarray(losses, dtype=np.float64))
        return cls(Design(law, columns), targets, np.ones(targets.shape), delta)

    def with_delta(self, delta: float) -> Objective:
        """Return the same objective with another delta."""
        return replace(self, delta=delta)

    def take(self, problems: NDArray[np.intp]) -> Objective:
        """Return the objective of some of the R problems."""
        return replace(
            self, targets=_rows(self.targets, problems), weights=_rows(self.weights, problems)
        )

    def residuals(self, u: Floats) -> Floats:
        """Return r (R, n) at internal coordinates u (R, p); not finite outside the domain."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(self.design.loss(u)) - self.targets)

    def value(self, u: Floats) -> Floats:
        """Return the objective (R,) at u (R, p), infinite outside the domain."""
        with np.errstate(invalid="ignore"):
            total = (self.weights * huber(self.residuals(u), self.delta)).sum(axis=-1)
        return np.where(np.isfinite(total), total, np.inf)

    def derivatives(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the gradient (R, p), the Hessian (R, p, p) and |w psi| (R,) at u (R, p).

        psi is the derivative of the Huber loss; |w psi| bounds the gradient in coordinates
        where the residuals' Jacobian has orthonormal columns.
        """
        there = self.design.at(u)
        residuals = np.log(there.loss) - self.targets
        psi = np.clip(residuals, -self.delta, self.delta)
        pull = self.weights * psi
        first = pull / there.loss
        inside = self.weights * (psi == residuals)
        second = (inside - pull) / there.loss**2
        size = np.sqrt(np.einsum("...n,...n->...", pull, pull))
        return there.gradient(first), there.hessian(first, second), size

    def residual_jacobian(self, u: Floats) -> Floats:
        """Return d r / d u, (..., n, p)."""
        there = self.design.at(u)
        return there.jacobian() / there.loss[..., None]


def _rows(values: Floats, problems: NDArray[np.intp]) -> Floats:
    return values[problems] if values.ndim == 2 else values
