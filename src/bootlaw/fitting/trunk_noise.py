"""Noise like that of the table: new trunk and row effects, for simulated tables and new runs."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.mixture import central_edge
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.random_effects import RandomEffects, random_effects

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

MIXTURE_POINTS = 64
"""Quantiles of the scales that stand for their distribution."""

WILD = 3.0
"""Robust standard deviations at which the deviation of a row from its trunk is cut. Normal noise
loses 0.5 % of its variance, a wild row counts as one of three standard deviations."""


@dataclass(frozen=True, eq=False)
class TrunkNoise:
    """The noise of one fitted table.

    Attributes
    ----------
    effects : what the residuals say of its two scales.
    trunks : (n,) numbers of the rows' trunks from 0; each row its own where they are unknown.
    row_factors : (n,) what sigma_row is multiplied with on a row, 1 / sqrt(weight).
    """

    effects: RandomEffects
    trunks: Labels
    row_factors: Floats

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Return noise (`n`, rows), each table with scales of its own from the posterior."""
        trunk, row = self.effects.draw(rng, n)
        noise = row[:, None] * rng.standard_normal((n, self.trunks.size)) * self.row_factors
        if self.effects.tells_trunks:
            offsets = trunk[:, None] * rng.standard_normal((n, int(self.trunks.max()) + 1))
            noise += offsets[:, self.trunks]
        return noise

    def new_run_scale(self, level: float, n: int = 1000, seed: int = 0) -> float:
        """Return the standard deviation to use for a new run, NaN without a row to spare.

        A new run starts a trunk of its own: sigma_trunk^2 + sigma_row^2. As the scales are
        uncertain, this is the one of a normal whose central `level` interval is that of the
        mixture over their posterior; Student's t at that level where rows are independent.
        """
        if self.effects.df < 1:
            return float("nan")
        scales = np.hypot(*self.effects.draw(np.random.default_rng(seed), n))
        return _mixture_edge(scales, level) / NormalDist().inv_cdf(0.5 + level / 2)


def trunk_noise(
    objective: Objective, u: Floats, trunks: Labels | None, free: NDArray[np.bool_] | None = None
) -> TrunkNoise:
    """Return the noise of the table fitted by `objective` at its optimum `u` (p,).

    Rows further than `WILD` robust standard deviations from their trunk are pulled in first.

    Parameters
    ----------
    trunks : (n,) numbers of the rows' trunks, or None where rows are independent; one trunk
        alone counts as none.
    free : (p,) True for the parameters that were fitted; all if None.
    """
    jacobian = objective.residual_jacobian(u)
    jacobian = jacobian if free is None else jacobian[:, free]
    weights = objective.weights
    if trunks is not None and trunks.max() == 0:
        # What one trunk differs by from others is nowhere in the table: any scale would fit.
        trunks = None
    own = np.arange(weights.size) if trunks is None else trunks
    residuals = winsorised(objective.residuals(u), own, jacobian.shape[1])
    with np.errstate(divide="ignore"):
        factors = np.where(weights > 0, 1.0 / np.sqrt(weights), 0.0)
    return TrunkNoise(random_effects(residuals, jacobian, trunks, weights), own, factors)


def winsorised(residuals: Floats, trunks: Labels, n_params: int) -> Floats:
    """Return the residuals (n,), none further than `WILD` robust deviations from its trunk.

    The robust standard deviation is the median distance from the trunk's median over 0.6745,
    after leaving out as many of the smallest as there are parameters and medians, at most half.
    Trunks are not cut: a few offsets do not tell a wild one from a wide spread.
    """
    shared = int(trunks.max()) + 1 < trunks.size
    centres = _medians(residuals, trunks) if shared else np.zeros(residuals.size)
    deviations = residuals - centres
    n_centres = int(trunks.max()) + 1 if shared else 0
    distances = np.sort(np.abs(deviations))
    kept = distances[min(n_params + n_centres, distances.size // 2) :]
    scale = float(np.median(kept)) / 0.6745
    if not scale > 0:
        return residuals
    return np.asarray(centres + np.clip(deviations, -WILD * scale, WILD * scale))


def _medians(residuals: Floats, trunks: Labels) -> Floats:
    """Return (n,) the median residual of each row's trunk."""
    ordered = residuals[np.lexsort((residuals, trunks))]
    counts = np.bincount(trunks)
    first = np.cumsum(counts) - counts
    middle = 0.5 * (ordered[first + (counts - 1) // 2] + ordered[first + counts // 2])
    return np.asarray(middle[trunks])


def _mixture_edge(scales: Floats, level: float) -> float:
    """Return the edge with `level` of an equal mixture of central normals (k,) within +-edge."""
    if not (scales > 0).any():
        return 0.0
    # A few of the ordered scales stand for all: erf of thousands would cost more than the fit.
    middles = (np.arange(MIXTURE_POINTS) + 0.5) / MIXTURE_POINTS
    values = np.quantile(scales[scales > 0], middles)
    return central_edge(values, level)
