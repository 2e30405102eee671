"""Quantiles of mixtures of normals: what replicates and the noise of single runs make together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_STEPS = 80
"""Steps of the search for a quantile: halving alone takes some fifty, Newton's some six."""

PRECISION = 1e-13
"""Last step, in log loss, at which the search ends."""


def mixture_quantile(
    centres: Floats, weights: Floats, scales: Floats, probability: float
) -> Floats:
    """Return (n,) the quantile of a mixture of normals, by Newton's steps inside a bracket.

    Parameters
    ----------
    centres : (r, n) means, one row per component.
    weights, scales : (r,) shares with sum 1, and standard deviations above 0.
    """
    from scipy.special import ndtr, ndtri

    # Each normal has its own quantile; the mixture's lies between the extreme ones.
    own = centres + scales[:, None] * float(ndtri(probability))
    low, high = own.min(axis=0), own.max(axis=0)
    at = np.asarray(weights @ own)
    density = weights / (scales * math.sqrt(2 * math.pi))
    for _ in range(MOST_STEPS):
        z = (at - centres) / scales[:, None]
        missing = probability - weights @ ndtr(z)
        low, high = np.where(missing > 0, at, low), np.where(missing > 0, high, at)
        slope = density @ np.exp(-0.5 * z**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            following = at + missing / slope
        inside = (following > low) & (following < high)
        following = np.where(inside, following, (low + high) / 2)
        moved, at = np.abs(following - at), following
        if (moved <= PRECISION).all():
            break
    return np.asarray(at, dtype=np.float64)


def central_edge(scales: Floats, level: float) -> float:
    """Return the edge with `level` of an equal mixture of central normals (k,) within +-edge.

    The share inside is concave in the edge, so that Newton's steps from 0 rise to the answer.
    """
    widths: list[float] = (scales * math.sqrt(2.0)).tolist()
    edge = 0.0
    for _ in range(MOST_STEPS):
        inside = sum(math.erf(edge / width) for width in widths) / len(widths)
        slope = sum(math.exp(-((edge / width) ** 2)) / width for width in widths)
        step = (level - inside) * len(widths) * math.sqrt(math.pi) / (2.0 * slope)
        edge += step
        if step <= PRECISION * edge:
            break
    return edge
