"""Where a new run will land: the spread of the parameters and of single runs together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.result import Fit

Floats = NDArray[np.float64]


_EXTREME = 50.0
"""Absolute log loss beyond which all losses are alike."""


def can_predict(fit: Fit) -> bool:
    """Return whether the fit has what an interval for a new run needs: replicates and noise."""
    return len(fit.replicates) > 0 and bool(np.isfinite(fit.residual_scale))


def prediction_interval(
    predictions: Floats, residual_scale: float, level: float
) -> tuple[Floats, Floats]:
    """Return the lower and upper ends (n,), in nats, between which a new run falls.

    The distribution of a new run's log loss is the equal mixture, over the replicates, of a
    normal around that replicate's prediction with standard deviation `residual_scale`. Its
    quantiles are solved for, not drawn, so the same fit always gives the same interval.

    Parameters
    ----------
    predictions : (r, n) losses predicted by the replicates, nats.
    residual_scale : standard deviation of one run's log residual.
    level : share of new runs inside, between 0 and 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predictions)
    # A replicate far from the data may overflow or vanish: it counts as extreme, not as nothing.
    centres = np.clip(np.nan_to_num(logs, nan=_EXTREME), -_EXTREME, _EXTREME)
    tail = (1 - level) / 2
    # With hardly a row to spare the noise may be anything: an end beyond floats is infinity.
    with np.errstate(over="ignore"):
        return (
            np.exp(_mixture_quantile(centres, residual_scale, tail)),
            np.exp(_mixture_quantile(centres, residual_scale, 1 - tail)),
        )


def _mixture_quantile(centres: Floats, scale: float, probability: float) -> Floats:
    """Return (n,) the quantile of an equal mixture of normals around `centres` (r, n)."""
    if scale <= 0:
        return np.asarray(np.quantile(centres, probability, axis=0), dtype=np.float64)
    from scipy.special import ndtr, ndtri

    # Each normal has its own quantile; the mixture's lies between the extreme ones.
    shift = scale * float(ndtri(probability))
    low, high = centres.min(axis=0) + shift, centres.max(axis=0) + shift
    for _ in range(36):
        middle = (low + high) / 2
        too_low = ndtr((middle - centres) / scale).mean(axis=0) < probability
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return np.asarray((low + high) / 2, dtype=np.float64)
