"""Where a new run will land: the spread of the parameters and of single runs together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.fitting.mixture import mixture_quantile
from bootlaw.fitting.result import Fit

Floats = NDArray[np.float64]


_EXTREME = 50.0
"""Absolute log loss beyond which all losses are alike."""


_NO_NOISE = 1e-9
"""Stands for a standard deviation of 0 among others: far below what a loss is written with."""


def can_predict(fit: Fit) -> bool:
    """Return whether the fit has what an interval for a new run needs: replicates and noise."""
    return len(fit.replicates) > 0 and bool(np.isfinite(fit.residual_scale))


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
    residual_scale : standard deviation of one run's log residual; one for all, (n,), or (r, 1)
        where it differs between replicates.
    level : share of new runs inside, between 0 and 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predictions)
    # A replicate far from the data may overflow or vanish: it counts as extreme, not as nothing.
    centres = np.clip(np.nan_to_num(logs, nan=_EXTREME), -_EXTREME, _EXTREME)
    scales = np.asarray(residual_scale, dtype=np.float64)
    if scales.ndim < 2:
        scales = np.broadcast_to(scales, centres.shape[1:])
    tail = (1 - level) / 2
    # With hardly a row to spare the noise may be anything: an end beyond floats is infinity.
    with np.errstate(over="ignore"):
        lower, upper = (np.exp(_quantile(centres, scales, share)) for share in (tail, 1 - tail))
    return lower, upper


def _quantile(centres: Floats, scales: Floats, probability: float) -> Floats:
    """Return (n,) the quantile of equal mixtures of normals, or points, around `centres` (r, n)."""
    if scales.ndim == 2:
        return mixture_quantile(centres, np.maximum(scales, _NO_NOISE), probability)
    found = np.empty(scales.size)
    noisy = scales > 0
    found[~noisy] = np.quantile(centres[:, ~noisy], probability, axis=0)
    found[noisy] = mixture_quantile(centres[:, noisy], scales[noisy], probability)
    return found
