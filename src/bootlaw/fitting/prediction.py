"""Where a new run will land: the spread of the parameters and of single runs together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.fitting.result import Fit

Floats = NDArray[np.float64]


_EXTREME = 50.0
"""Absolute log loss beyond which all losses are alike."""


def can_predict(fit: Fit) -> bool:
    """Return whether the fit has what an interval for a new run needs: replicates and noise."""
    return len(fit.replicates) > 0 and bool(np.isfinite(fit.residual_scale))


_PRECISION = 1e-10
"""Width of a bracket around a quantile of the log loss that is near enough."""

_LAST_STEP = 1e-5
"""Newton step, in standard deviations of the noise, after which the error is of its square."""

_ROUNDS = 100
_BLOCK = 1 << 18
"""Numbers that are worked on at a time, so that they stay in the cache."""


def prediction_interval(
    predictions: Floats, residual_scale: ArrayLike, level: float
) -> tuple[Floats, Floats]:
    """Return the lower and upper ends (n,), in nats, between which a new run falls.

    The distribution of a new run's log loss is the equal mixture, over the replicates, of a
    normal around that replicate's prediction with standard deviation `residual_scale`. Its
    quantiles are solved for, not drawn, so the same fit always gives the same interval.

    Parameters
    ----------
    predictions : (r, n) losses predicted by the replicates, nats.
    residual_scale : standard deviation of one run's log residual; one for all or (n,).
    level : share of new runs inside, between 0 and 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predictions)
    # A replicate far from the data may overflow or vanish: it counts as extreme, not as nothing.
    centres = np.clip(np.nan_to_num(logs, nan=_EXTREME), -_EXTREME, _EXTREME)
    scales = np.broadcast_to(np.asarray(residual_scale, dtype=np.float64), centres.shape[1:])
    tail = (1 - level) / 2
    # With hardly a row to spare the noise may be anything: an end beyond floats is infinity.
    with np.errstate(over="ignore"):
        lower, upper = (
            np.exp(_mixture_quantile(centres, scales, share)) for share in (tail, 1 - tail)
        )
    return lower, upper


def _mixture_quantile(centres: Floats, scales: Floats, probability: float) -> Floats:
    """Return (n,) the quantile of equal mixtures of normals around `centres` (r, n)."""
    found = np.empty(scales.size)
    noisy = scales > 0
    if not noisy.all():
        found[~noisy] = np.quantile(centres[:, ~noisy], probability, axis=0)
    columns = np.flatnonzero(noisy)
    for part in np.array_split(columns, max(1, columns.size * len(centres) // _BLOCK)):
        if part.size:
            by_column = np.ascontiguousarray(centres[:, part].T)
            found[part] = _solve(by_column, scales[part], probability)
    return found


def _solve(centres: Floats, scales: Floats, probability: float) -> Floats:
    """Return (n,) the quantile of the mixtures around `centres` (n, r), by safeguarded Newton.

    The normal score of the mixture's distribution function is close to a straight line where
    the centres scatter like a normal sample or lie closer than the noise, so that few steps do;
    where neither holds, bisection of the bracket takes over.
    """
    from scipy.special import ndtri

    score = float(ndtri(probability))
    low, high = _bracket(centres, scales, probability, score)
    mean, variance = centres.mean(axis=1), centres.var(axis=1)
    at = np.clip(mean + score * np.sqrt(variance + scales**2), low, high)
    todo = np.arange(scales.size)
    for round_number in range(_ROUNDS):
        share, step = _newton(centres[todo], scales[todo], at[todo], score)
        below = share < probability
        low[todo] = np.where(below, at[todo], low[todo])
        high[todo] = np.where(below, high[todo], at[todo])
        new = at[todo] + step
        astray = ~((new > low[todo]) & (new < high[todo]))
        # Newton that creeps along one side of a step is cut short by a bisection now and then.
        last = np.abs(step) <= _LAST_STEP * scales[todo]
        astray = (astray | (round_number % 4 == 3)) & ~last
        at[todo] = np.where(astray, (low[todo] + high[todo]) / 2, new)
        todo = todo[~(last | (high[todo] - low[todo] <= _PRECISION))]
        if todo.size == 0:
            break
    return np.asarray(at, dtype=np.float64)


def _bracket(
    centres: Floats, scales: Floats, probability: float, score: float
) -> tuple[Floats, Floats]:
    """Return ends (n,) that the quantiles of the mixtures around `centres` (n, r) lie between.

    Each normal has its own quantile, and the mixture's lies between the extreme ones; nearer
    where the noise is small, since four deviations to the side of a centre all but 3e-5 of the
    normals beyond it is decided.
    """
    r = centres.shape[1]
    first = min(max(int(np.floor((probability - 1e-4) * r)), 0), r - 1)
    last = min(max(int(np.ceil((probability + 1e-4) * r)) - 1, 0), r - 1)
    ordered = np.partition(centres, (0, first, last, r - 1), axis=1)
    low, high = (ordered[:, end] + scales * score for end in (0, r - 1))
    if first > 0:
        low = np.maximum(low, ordered[:, first] - 4 * scales)
    if last < r - 1:
        high = np.minimum(high, ordered[:, last] + 4 * scales)
    return low, high


def _newton(centres: Floats, scales: Floats, at: Floats, score: float) -> tuple[Floats, Floats]:
    """Return (n,) the distribution functions at `at`, and Newton steps of their normal scores."""
    from scipy.special import ndtr, ndtri

    z = (at[:, np.newaxis] - centres) / scales[:, np.newaxis]
    share = ndtr(z).mean(axis=1)
    np.square(z, out=z)
    z *= -0.5
    density = np.exp(z, out=z).mean(axis=1) / scales
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reached = ndtri(share)
        # d score / d at is the mixture's density over that of a standard normal at the score.
        slope = density * np.exp(0.5 * reached**2)
        return share, (score - reached) / slope
