"""The objective of every fit: a sum over rows of a robust loss of the residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.fitting import kernel
from bootlaw.laws import Design, Law

Floats = NDArray[np.float64]
Loss = Literal["huber", "squared", "student-t"]
Scale = Literal["log", "level"]

FREEDOM = 4.0
"""Degrees of freedom of Student's t: heavy tails whose variance exists (Lange, Little & Taylor,
J. Am. Stat. Assoc. 84 (1989) 881, who recommend 4 where the data cannot tell)."""


def huber(residuals: Floats, delta: float) -> Floats:
    """Return r^2/2 where |r| <= delta, else delta (|r| - delta/2) (Huber 1964), elementwise."""
    clipped = np.clip(residuals, -delta, delta)
    return np.asarray(clipped * (residuals - 0.5 * clipped))


@dataclass(frozen=True)
class Prior:
    """A normal prior on internal coordinates: adds weight (u - mean)^2 / 2 to the objective.

    Attributes
    ----------
    mean, weight : (p,); a weight of 0 is no prior.
    """

    mean: Floats
    weight: Floats


@dataclass(frozen=True)
class Objective:
    """Sum of weighted losses rho(r) of the residuals r, for R problems at once.

    r = ln predicted - ln observed on the ``log`` scale, predicted - observed on the ``level``
    scale. rho is Huber's loss; r^2/2 (``squared``); or (nu + 1)/2 delta^2 ln(1 + r^2 / (nu
    delta^2)), the likelihood of Student's t with scale delta (``student-t``).

    Attributes
    ----------
    design : the law on the rows.
    targets : observed loss, its logarithm on the log scale; (n,) for all problems or (R, n).
    weights : (n,) or (R, n), at least 0.
    delta : where the Huber loss turns from quadratic to linear; the scale of Student's t.
    lower, upper : (p,) bounds of the internal coordinates; equal ones fix a parameter.
    """

    design: Design
    targets: Floats
    weights: Floats
    delta: float
    loss: Loss = "huber"
    scale: Scale = "log"
    lower: Floats | None = None
    upper: Floats | None = None
    prior: Prior | None = None

    @classmethod
    def of(
        cls,
        law: Law,
        columns: Mapping[str, ArrayLike],
        losses: ArrayLike,
        delta: float,
        *,
        loss: Loss = "huber",
        scale: Scale = "log",
        weights: Floats | None = None,
    ) -> Objective:
        """Return the objective of one table, with weight 1 on every row unless given."""
        observed = np.asarray(losses, dtype=np.float64)
        targets = np.log(observed) if scale == "log" else observed
        design = Design(law, columns)
        ones = np.ones(targets.shape) if weights is None else weights
        return cls(design, targets, ones, delta, loss, scale)

    @property
    def n_parameters(self) -> int:
        """The number of internal coordinates, p."""
        return self.design.n_parameters

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds (p,): those given, else the law's own (E >= 0)."""
        parameters = self.design.law.parameters
        own = np.array([0.0 if p.kind == "irreducible" else -np.inf for p in parameters])
        return (
            own if self.lower is None else self.lower,
            np.full(len(parameters), np.inf) if self.upper is None else self.upper,
        )

    def with_bounds(self, lower: Floats, upper: Floats) -> Objective:
        """Return the same objective with other bounds (p,) of the internal coordinates."""
        return replace(self, lower=lower, upper=upper)

    def with_fixed(self, parameter: int, value: float) -> Objective:
        """Return the same objective with one internal coordinate held at `value`."""
        lower, upper = (bound.copy() for bound in self.bounds)
        lower[parameter] = upper[parameter] = value
        return self.with_bounds(lower, upper)

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
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            predicted = self.design.loss(u)
            return np.asarray(self._transformed(predicted) - self.targets)

    def value(self, u: Floats) -> Floats:
        """Return the objective (R,) at u (R, p), infinite outside the domain."""
        if kernel.usable(self) and u.ndim == 2:
            return kernel.evaluate(self, u)
        with np.errstate(all="ignore"):
            total = (self.weights * self.influence(self.residuals(u))[0]).sum(axis=-1)
            if self.prior is not None:
                off = u - self.prior.mean
                total = total + 0.5 * (self.prior.weight * off**2).sum(axis=-1)
        return np.where(np.isfinite(total), total, np.inf)

    def derivatives(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the gradient (R, p), the Hessian (R, p, p) and |w psi| (R,) at u (R, p).

        psi is the derivative of the loss rho; |w psi| bounds the gradient in coordinates where
        the residuals' Jacobian has orthonormal columns.
        """
        if kernel.usable(self) and u.ndim == 2:
            return kernel.derivatives(self, u)
        with np.errstate(all="ignore"):
            predicted = self.design.loss(u)
            _, psi, bend = self.influence(self._transformed(predicted) - self.targets)
            pull, inside = self.weights * psi, self.weights * bend
            if self.scale == "log":
                first, second = pull / predicted, (inside - pull) / predicted**2
            else:
                first, second = pull, inside
            gradient, hessian = self.design.weighted_derivatives(u, first, second)
            size = np.sqrt(np.einsum("...n,...n->...", pull, pull))
        if self.prior is not None:
            gradient = gradient + self.prior.weight * (u - self.prior.mean)
            hessian = hessian + np.diag(self.prior.weight)
        return gradient, hessian, size

    def residual_jacobian(self, u: Floats) -> Floats:
        """Return d r / d u, (..., n, p)."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            losses, slopes = self.design.loss_and_jacobian(u)
            return slopes / losses[..., None] if self.scale == "log" else slopes

    def _transformed(self, predicted: Floats) -> Floats:
        return np.log(predicted) if self.scale == "log" else predicted

    def influence(self, r: Floats) -> tuple[Floats, Floats, Floats]:
        """Return rho(r) and its first and second derivatives, elementwise."""
        if self.loss == "huber":
            psi = np.clip(r, -self.delta, self.delta)
            return psi * (r - 0.5 * psi), psi, (psi == r).astype(np.float64)
        if self.loss == "squared":
            return 0.5 * r**2, r, np.ones_like(r)
        nu, q = FREEDOM, (r / self.delta) ** 2
        rho = 0.5 * (nu + 1) * self.delta**2 * np.log1p(q / nu)
        return rho, (nu + 1) * r / (nu + q), (nu + 1) * (nu - q) / (nu + q) ** 2


def _rows(values: Floats, problems: NDArray[np.intp]) -> Floats:
    return values[problems] if values.ndim == 2 else values
