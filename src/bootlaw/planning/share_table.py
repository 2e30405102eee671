"""The loss against the replay share, read off the runs without a law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.share_curves import REPLAY, ShareCurve
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]

FEWEST_SHARES = 3
"""Shares between which interpolation says more than a straight line through two points."""

DIGITS = 6
"""Shares that agree to so many digits are one."""


def why_not_interpolated(part: RunTable) -> str | None:
    """Return why rows of one D2 and size are too few to interpolate, None where they are not."""
    count = len(np.unique(np.round(part.numbers(REPLAY), DIGITS))) if len(part) else 0
    if count >= FEWEST_SHARES:
        return None
    return f"only {count} replay shares were tried, and interpolation needs {FEWEST_SHARES},"


def interpolated_curve(
    part: RunTable, n_draws: int, seed: int, *, straight: bool = False
) -> ShareCurve:
    """Return the mean losses at the shares tried, with a monotone cubic between them.

    The cubic of Fritsch and Butland (PCHIP) has no bump that the means do not have; straight
    lines, for comparison, cut the corners of a convex curve and read too high a loss.

    Replicates move each mean by a normal error, sd of the log losses within shares, pooled, over
    the root of the number of rows. Without two rows at any share there are none.

    Parameters
    ----------
    part : rows of one text, D2 and size.
    """
    shares, place = np.unique(np.round(part.numbers(REPLAY), DIGITS), return_inverse=True)
    logs = np.log(part.numbers("loss"))
    counts = np.bincount(place)
    means = np.bincount(place, weights=logs) / counts
    curves = means[np.newaxis]
    n_spare = len(logs) - len(shares)
    if n_spare > 0 and n_draws > 0:
        scatter = float(np.sqrt(np.sum((logs - means[place]) ** 2) / n_spare))
        draws = np.random.default_rng(seed).standard_normal((n_draws, len(shares)))
        curves = np.vstack([curves, means + draws * scatter / np.sqrt(counts)])

    def losses(at: Floats) -> Floats:
        inside = np.where((at < shares[0]) | (at > shares[-1]), np.nan, at)
        if straight:
            return np.asarray(np.exp([np.interp(inside, shares, curve) for curve in curves]))
        from scipy.interpolate import PchipInterpolator

        return np.asarray(np.exp(PchipInterpolator(shares, curves, axis=1)(inside)))

    return ShareCurve(
        losses=losses,
        n_replicates=len(curves) - 1,
        tried=(float(shares[0]), float(shares[-1])),
        label="interpolated runs",
        warnings=()
        if n_spare > 0
        else ("no two runs at one share: the scatter of runs is unknown",),
    )
