"""Quantiles of mixtures of normals: what replicates and the noise of single runs make together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_PRECISION = 1e-10
"""Width of a bracket around a quantile that is near enough."""

_LAST_STEP = 1e-5
"""Newton step, in the least standard deviation, after which the error is of its square."""

_ROUNDS = 100
_BLOCK = 1 << 18
"""Numbers that are worked on at a time, so that they stay in the cache."""

_EDGE_STEPS = 80
_EDGE_PRECISION = 1e-13


def mixture_quantile(
    centres: Floats, scales: ArrayLike, probability: float, weights: Floats | None = None
) -> Floats:
    """Return (n,) the quantiles of n mixtures of normals.

    Parameters
    ----------
    centres : (r, n) means, one row per component.
    scales : standard deviations above 0; one for all, (n,), (r, 1) or (r, n).
    weights : (r,) shares of the components with sum 1; equal where none are given.
    """
    by_column = np.ascontiguousarray(centres.T)
    widths = np.atleast_2d(np.asarray(scales, dtype=np.float64)).T
    found = np.empty(len(by_column))
    n_blocks = max(1, by_column.size // _BLOCK)
    for part in np.array_split(np.arange(len(by_column)), n_blocks):
        if part.size:
            own = widths[part] if len(widths) > 1 else widths
            found[part] = _solve(by_column[part], own, probability, weights)
    return found


def _solve(centres: Floats, scales: Floats, probability: float, weights: Floats | None) -> Floats:
    """Return (n,) the quantiles of the mixtures around `centres` (n, r), by safeguarded Newton.

    The normal score of the mixture's distribution function is close to a straight line where
    the centres scatter like a normal sample or lie closer than the noise, so that few steps do;
    where neither holds, bisection of the bracket takes over.
    """
    from scipy.special import ndtri

    score = float(ndtri(probability))
    low, high = _bracket(centres, scales, probability, score, weights is None)
    mean = _mean(centres, weights)
    variance = _mean((centres - mean[:, np.newaxis]) ** 2 + scales**2, weights)
    at = np.clip(mean + score * np.sqrt(variance), low, high)
    narrowest = np.broadcast_to(scales.min(axis=1), at.shape)
    todo = np.arange(at.size)
    for round_number in range(_ROUNDS):
        widths = scales[todo] if len(scales) > 1 else scales
        share, step = _newton(centres[todo], widths, weights, at[todo], score)
        below = share < probability
        low[todo] = np.where(below, at[todo], low[todo])
        high[todo] = np.where(below, high[todo], at[todo])
        new = at[todo] + step
        astray = ~((new > low[todo]) & (new < high[todo]))
        # Newton that creeps along one side of a step is cut short by a bisection now and then.
        last = np.abs(step) <= _LAST_STEP * narrowest[todo]
        astray = (astray | (round_number % 4 == 3)) & ~last
        at[todo] = np.where(astray, (low[todo] + high[todo]) / 2, new)
        todo = todo[~(last | (high[todo] - low[todo] <= _PRECISION))]
        if todo.size == 0:
            break
    return np.asarray(at, dtype=np.float64)


def _bracket(
    centres: Floats, scales: Floats, probability: float, score: float, equal: bool
) -> tuple[Floats, Floats]:
    """Return ends (n,) that the quantiles of the mixtures around `centres` (n, r) lie between.

    Each normal has its own quantile, and the mixture's lies between the extreme ones; nearer
    where the noise is small and all components weigh the same, since four deviations to the
    side of a centre all but 3e-5 of the normals beyond it is decided.
    """
    own = centres + scales * score
    low, high = own.min(axis=1), own.max(axis=1)
    r = centres.shape[1]
    if not equal:
        return low, high
    first = min(max(int(np.floor((probability - 1e-4) * r)), 0), r - 1)
    last = min(max(int(np.ceil((probability + 1e-4) * r)) - 1, 0), r - 1)
    ordered = np.partition(centres, (first, last), axis=1)
    reach = 4 * scales.max(axis=1)
    if first > 0:
        low = np.maximum(low, ordered[:, first] - reach)
    if last < r - 1:
        high = np.minimum(high, ordered[:, last] + reach)
    return low, high


def _newton(
    centres: Floats, scales: Floats, weights: Floats | None, at: Floats, score: float
) -> tuple[Floats, Floats]:
    """Return (n,) the distribution functions at `at`, and Newton steps of their normal scores."""
    from scipy.special import ndtr, ndtri

    z = (at[:, np.newaxis] - centres) / scales
    share = _mean(ndtr(z), weights)
    np.square(z, out=z)
    z *= -0.5
    density = _mean(np.exp(z, out=z) / scales, weights)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reached = ndtri(share)
        # d score / d at is the mixture's density over that of a standard normal at the score.
        slope = density * np.exp(0.5 * reached**2)
        return share, (score - reached) / slope


def _mean(values: Floats, weights: Floats | None) -> Floats:
    """Return (n,) weighted means of rows, each the same whatever rows it is worked out with."""
    if weights is None:
        return np.asarray(values.mean(axis=1))
    return np.asarray((values * weights).sum(axis=1))


def central_edge(scales: Floats, level: float) -> float:
    """Return the edge with `level` of an equal mixture of central normals (k,) within +-edge.

    The share inside is concave in the edge, so that Newton's steps from 0 rise to the answer.
    """
    widths: list[float] = (scales * math.sqrt(2.0)).tolist()
    edge = 0.0
    for _ in range(_EDGE_STEPS):
        inside = sum(math.erf(edge / width) for width in widths) / len(widths)
        slope = sum(math.exp(-((edge / width) ** 2)) / width for width in widths)
        step = (level - inside) * len(widths) * math.sqrt(math.pi) / (2.0 * slope)
        edge += step
        if step <= _EDGE_PRECISION * edge:
            break
    return edge
