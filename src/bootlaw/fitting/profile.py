"""Profile intervals: how far a quantity can be moved before the fit gets too much worse.

The quantity is held at each value of a grid and all parameters are fitted again, with the same
objective. The rise that is too much is not the chi-squared quantile, which belongs to a
likelihood: tables are simulated with the noise of this one (`resampled`, random effects), and
the limit is the `level` quantile of the rise that holding the quantity at its true value, there
the estimate, costs them. So the interval has Student's tails and is right for a Huber loss too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.bootstrap import Replicates
from bootlaw.fitting.graduated import follow
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum
from bootlaw.fitting.quantities import Quantity

Floats = NDArray[np.float64]

N_GRID = 33
"""Values on the grid; the ends are interpolated on the signed root of the rise, nearly linear."""

WIDENINGS = 4
"""Times that the grid is widened, each by a factor of 3, before an end counts as open."""


@dataclass(frozen=True, eq=False)
class Profile:
    """The least objective as a function of one quantity.

    Attributes
    ----------
    estimate : the quantity at the optimum.
    values : (k,) increasing, the estimate among them.
    rise : (k,) least objective with the quantity held there, less the least of all.
    threshold : rise up to which a value belongs to the interval.
    lower : least value that the law allows.
    """

    estimate: float
    values: Floats
    rise: Floats
    threshold: float
    lower: float

    def interval(self) -> tuple[float, float]:
        """Return the ends; where the rise stays below the threshold, `lower` and infinity."""
        roots = np.sqrt(np.maximum(self.rise, 0.0))
        limit = float(np.sqrt(self.threshold))
        low, high = self.values <= self.estimate, self.values >= self.estimate
        below = _first_above(self.values[low][::-1], roots[low][::-1], limit)
        above = _first_above(self.values[high], roots[high], limit)
        return (
            self.lower if below is None else below,
            np.inf if above is None else above,
        )


def profile(
    objective: Objective,
    optimum: Optimum,
    quantity: Quantity,
    tables: Objective,
    refits: Replicates,
    *,
    level: float = 0.95,
) -> Profile:
    """Return the profile of a quantity around the optimum of a table.

    Parameters
    ----------
    quantity : from `bootlaw.fitting.quantities`; a coefficient is profiled in its logarithm and a
        forecast in its log loss.
    tables, refits : simulated tables and their optima, for the threshold: what `resampled` with
        "random-effects" and `refit` returned.

    Raises
    ------
    InputError
        When the quantity has no finite value at the optimum (no break-even).
    """
    estimate = float(quantity.of(optimum.u[None, :])[0])
    if not np.isfinite(estimate):
        raise InputError("there is no crossing at the best fit, so there is nothing to profile")
    threshold = _threshold(tables, refits, quantity, estimate, level)
    half = _half_width(quantity.of(refits.u), estimate, level)
    found = Profile(estimate, np.array([estimate]), np.zeros(1), threshold, quantity.lower)
    for _ in range(WIDENINGS):
        values = estimate + half * np.linspace(-1.0, 1.0, N_GRID)
        values = np.unique(np.maximum(np.append(values, estimate), quantity.lower))
        rise = _least(objective, quantity, values, optimum.u) - optimum.objective
        found = replace(found, values=values, rise=rise)
        low, high = found.interval()
        if np.isfinite(high) and (np.isfinite(low) or values[0] == quantity.lower):
            break
        half *= 3.0
    return found


def _threshold(
    tables: Objective,
    refits: Replicates,
    quantity: Quantity,
    estimate: float,
    level: float,
) -> float:
    held = _least_at(tables, quantity, estimate, refits.u)
    rise = np.maximum(held - tables.value(refits.u), 0.0)
    return float(np.quantile(rise[np.isfinite(rise)], level))


def _half_width(cloud: Floats, estimate: float, level: float) -> float:
    """Return half the width of a first grid: twice what the refits span."""
    finite = cloud[np.isfinite(cloud)]
    spread = float(np.quantile(np.abs(finite - estimate), level)) if finite.size else 0.0
    return max(2.0 * spread, 1e-9 * max(abs(estimate), 1.0))


def _least(objective: Objective, quantity: Quantity, values: Floats, u: Floats) -> Floats:
    """Return the least objective (k,) with the quantity held at each of `values` (k,)."""
    return np.array([_least_at(objective, quantity, float(v), u[None, :])[0] for v in values])


def _least_at(objective: Objective, quantity: Quantity, value: float, starts: Floats) -> Floats:
    """Return the least objective (R,) of R tables with the quantity held at one value."""
    return follow(*quantity.held(objective, value, starts)).objective


def _first_above(values: Floats, roots: Floats, limit: float) -> float | None:
    """Return where `roots` first passes the limit going along `values`, None where it does not."""
    above = np.flatnonzero(roots > limit)
    if above.size == 0:
        return None
    at = int(above[0])
    if at == 0 or not np.isfinite(roots[at]):
        return float(values[at])
    share = (limit - roots[at - 1]) / (roots[at] - roots[at - 1])
    return float(values[at - 1] + share * (values[at] - values[at - 1]))
