"""How uncertain a decision is, now and, on average over what a run may show, after one more.

Each goal reads a `Belief` and has a closed form, so that a thousand candidates cost no loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, owens_t

from bootlaw.planning.pilots.belief import Belief

Floats = NDArray[np.float64]

SURE = 6.0
"""Standard deviations from zero at which a sign is sure: one in 1e9 is wrong."""


class Goal(Protocol):
    """What is to become certain."""

    def now(self, belief: Belief) -> float:
        """Return the expected uncertainty after the runs that `belief` has done already."""
        ...

    def after_each(self, belief: Belief) -> Floats:
        """Return the expected uncertainty (n,) once each candidate alone is done as well."""
        ...


@dataclass(frozen=True)
class Spread:
    """The standard deviation of one quantity."""

    def now(self, belief: Belief) -> float:
        """Return the standard deviation after the runs done."""
        return float(np.sqrt(belief.variance[0]))

    def after_each(self, belief: Belief) -> Floats:
        """Return the standard deviation (n,), the same whatever a run shows."""
        left = belief.variance[0] - belief.slopes()[:, 0] ** 2
        return np.asarray(np.sqrt(np.maximum(left, 0.0)))


@dataclass(frozen=True, eq=False)
class Signs:
    """The signs of a gap at many places: where along x does the winner change?

    With one change of sign at x*, the share of x with the wrong verdict is |x* - truth|, so that
    the integral over x of the probability of a wrong verdict is the expected absolute error of
    x*, a gap without a change counting as one at the end of the range. For a Gaussian gap with
    mean mu and variance v of which v1 remains after a run, a verdict by the sign of the new mean
    is wrong with probability 2 T(|mu| / sqrt v, sqrt(v1 / (v - v1))), T Owen's function (D. B.
    Owen, Ann. Math. Stat. 27 (1956) 1075): Phi(-|mu| / sqrt v) at v1 = v, 0 at v1 = 0.

    Attributes
    ----------
    widths : (m,) the length of x that each place stands for.
    """

    widths: Floats

    def now(self, belief: Belief) -> float:
        """Return the expected absolute error of the place of the change."""
        return float(self._error(belief, belief.variance))

    def after_each(self, belief: Belief) -> Floats:
        """Return that error (n,) once each candidate is done."""
        return self._error(belief, belief.variance - belief.slopes() ** 2)

    def _error(self, belief: Belief, variance: Floats) -> Floats:
        prior = np.maximum(belief.prior, 1e-300)
        sure = np.abs(belief.mean) / np.sqrt(prior)
        open_ = sure < SURE
        prior, left = prior[open_], np.clip(variance[..., open_], 0.0, prior[open_])
        with np.errstate(divide="ignore"):
            ratio = np.sqrt(left / (prior - left))
        return np.asarray(2.0 * owens_t(sure[open_], ratio) @ self.widths[open_])


@dataclass(frozen=True)
class Steps:
    """The loss given away by taking a step along a line of options on the wrong side.

    Where losses fall to one lowest option and rise from there, the loss given away by another
    option is the sum of the differences between neighbours in between; so it is the sum over all
    steps of |d| where the sign of d is taken wrongly. With d normal and its mean known to be m
    after a run, that is (E|d| - E|m|) / 2, both in closed form: what two options gain from a run
    (the knowledge gradient: Frazier, Powell & Dayanik, INFORMS J. Comput. 21 (2009) 599).
    """

    def now(self, belief: Belief) -> float:
        """Return the expected loss given away."""
        return float(self._regret(belief, belief.variance))

    def after_each(self, belief: Belief) -> Floats:
        """Return it (n,) once each candidate is done."""
        return self._regret(belief, belief.variance - belief.slopes() ** 2)

    def _regret(self, belief: Belief, variance: Floats) -> Floats:
        known = belief.prior - np.clip(variance, 0.0, belief.prior)
        gained = _mean_size(belief.mean, belief.prior) - _mean_size(belief.mean, known)
        return np.asarray(0.5 * gained.sum(axis=-1))


def _mean_size(mean: Floats, variance: Floats) -> Floats:
    """Return E|x| of normal x, elementwise."""
    spread = np.sqrt(np.maximum(variance, 1e-300))
    away = np.clip(mean / spread, -40.0, 40.0)
    density = np.sqrt(2.0 / np.pi) * np.exp(-0.5 * away**2)
    return np.asarray(spread * density + mean * (1.0 - 2.0 * ndtr(-away)))


@dataclass(frozen=True)
class Information:
    """Minus what has been learned of the law as a whole, nats: D-optimal choice, no decision.

    For a Gaussian belief a run with variance v + s^2 of which s^2 is its own noise raises half the
    log determinant of the parameters' precision by ln(1 + v / s^2) / 2.
    """

    def now(self, belief: Belief) -> float:
        """Return minus the information of the runs done."""
        return -belief.information

    def after_each(self, belief: Belief) -> Floats:
        """Return minus the information (n,) once each candidate is done."""
        return -belief.information - 0.5 * np.log1p(belief.run_variance / belief.noise)
