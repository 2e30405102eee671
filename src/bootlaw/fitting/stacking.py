"""How much of each law a combined prediction should hold, and which laws tie.

Both read only held-out log residuals. With a handful of held-out rows they say little: two
laws whose residuals have opposite signs on one row cancel there with the right weights,
whatever they do elsewhere. Weights are worth quoting from some twenty held-out rows on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE = 1e-3
"""Pull towards equal weights, as a share of the best law's mean squared residual. It decides
between combinations that the held-out rows cannot tell apart and hardly moves the others."""

TIE_SCATTER = 1.0
"""Standard errors, from the scatter between clusters, within which two laws tie: the one standard
error rule of Breiman et al., Classification and Regression Trees (1984), 3.4.3. Squared errors
of a few rows are so skewed that with two of them everything would tie."""

TIE_NOISE = 2.0
"""Standard errors, from the noise of single runs, within which two laws tie: 95 % of a normal."""

MEANINGLESS_RMS = 1e-6
"""Errors in log loss closer than this tie: losses are written with about six digits."""


def stacking_weights(residuals: Floats) -> Floats:
    """Return weights (k,), non-negative with sum 1, that minimise the squared held-out error.

    The weighted law is the geometric mean of the laws' predictions, so that its log residual
    is the weighted sum of theirs. Stacking: Wolpert, Neural Networks 5 (1992) 241; Breiman,
    Machine Learning 24 (1996) 49.

    Parameters
    ----------
    residuals : (n, k) held-out log residuals, one column per law, all finite.

    Notes
    -----
    With weights w = u / sum(u), minimising |R u|^2 + (sum(u) - 1)^2 over u >= 0 minimises
    |R w|^2 on the simplex: for a fixed direction w the best length is 1 / (1 + |R w|^2), which
    leaves |R w|^2 / (1 + |R w|^2), an increasing function. So non-negative least squares solves
    it exactly.
    """
    n_rows, n_laws = residuals.shape
    best = float(np.sqrt(np.min(np.mean(residuals**2, axis=0))))
    scaled = residuals / max(best, MEANINGLESS_RMS) / np.sqrt(n_rows)
    design = np.vstack([scaled, np.sqrt(RIDGE) * np.eye(n_laws), np.ones((1, n_laws))])
    target = np.zeros(design.shape[0])
    target[-1] = 1.0
    amounts = non_negative_least_squares(design, target)
    return np.asarray(amounts / amounts.sum(), dtype=np.float64)


def non_negative_least_squares(design: Floats, target: Floats) -> Floats:
    """Return x (k,) of at least 0 that minimises |design x - target|^2, by the active-set method.

    Lawson & Hanson, Solving Least Squares Problems (1974), chapter 23. For a few well-conditioned
    columns; scipy has it too, behind an import that takes longer than a contest's other sums.

    Parameters
    ----------
    design, target : (n, k) with independent columns, and (n,).
    """
    x = np.zeros(design.shape[1])
    used = np.zeros(x.size, dtype=bool)
    slack = 1e-12 * float(np.abs(design.T @ target).max())
    for _ in range(3 * x.size):
        pull = np.where(used, 0.0, design.T @ (target - design @ x))
        if pull.max() <= slack:
            break
        used[int(np.argmax(pull))] = True
        while True:
            best = np.zeros(x.size)
            best[used] = np.linalg.lstsq(design[:, used], target, rcond=None)[0]
            low = used & (best <= 0)
            if not low.any():
                break
            # As far towards the best as all stay at 0 or above; who gets to 0 leaves.
            x = x + (x[low] / (x[low] - best[low])).min() * (best - x)
            used &= x > 1e-12 * x.max()
            x[~used] = 0.0
        x = best
    return x


@dataclass(frozen=True, eq=False)
class HeldOutErrors:
    """How well each law predicts the held-out rows, all (k,).

    Attributes
    ----------
    rms, rms_se : root mean square log residual and its standard error from the scatter of the
        clusters' squared residuals; NaN where one row is all there is. It says how much another
        draw of such held-out runs would move it, not what other fitted runs would.
    behind, behind_se : rms less that of the best law, and its uncertainty, which pairs the laws
        row by row, so that noise which they share cancels.
    ties : whether these rows cannot tell the law from the best one.
    """

    rms: Floats
    rms_se: Floats
    behind: Floats
    behind_se: Floats
    ties: NDArray[np.bool_]


def held_out_errors(residuals: Floats, clusters: NDArray[np.intp], noise: float) -> HeldOutErrors:
    """Return each law's error on the held-out rows with its uncertainty, and which laws tie.

    The best law has the smallest mean squared residual. Another ties with it when the mean
    difference of their squared residuals, paired by row, is at most its uncertainty: the larger
    of one standard error as the scatter between clusters shows it, and of two as the noise of
    single runs causes it. The second keeps a few rows that happen to agree from deciding a
    contest. Rows of one trunk are one cluster; with fewer than three clusters every
    row is its own, which understates the uncertainty. One row tells no laws apart: all tie.

    Parameters
    ----------
    residuals : (n, k) held-out log residuals, one column per law, all finite.
    clusters : (n,) numbers; rows with one number are not independent.
    noise : standard deviation of one run's log loss, 0 where it is not known.
    """
    squared = residuals**2
    mean = squared.mean(axis=0)
    best, rms = int(np.argmin(mean)), np.sqrt(mean)
    groups = _renumbered(clusters)
    difference = squared - squared[:, [best]]
    # A law whose prediction is d away has squared residual (r + d)^2, so noise in r enters the
    # difference as 2 d r.
    shift = residuals - residuals[:, [best]]
    by_noise = TIE_NOISE * 2 * noise * _root_of_squared_sums(shift, groups)
    uncertainty = np.maximum(TIE_SCATTER * _standard_error(difference, groups), by_noise)
    ties = (difference.mean(axis=0) <= uncertainty) | (rms - rms[best] < MEANINGLESS_RMS)
    # rms - rms_best = (mean - mean_best) / (rms + rms_best): an identity, so its error is exact.
    per_rms = 1.0 / np.maximum(rms + rms[best], np.finfo(float).tiny)
    return HeldOutErrors(
        rms=rms,
        rms_se=_not_infinite(_standard_error(squared, groups) / np.maximum(2 * rms, 1e-300)),
        behind=rms - rms[best],
        behind_se=_not_infinite(uncertainty * per_rms),
        ties=np.asarray(ties),
    )


def ties_with_best(
    residuals: Floats, clusters: NDArray[np.intp], noise: float
) -> NDArray[np.bool_]:
    """Return (k,) True for the laws that these rows cannot tell from the best one.

    See `held_out_errors`, whose arguments it takes.
    """
    return held_out_errors(residuals, clusters, noise).ties


def _not_infinite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _renumbered(clusters: NDArray[np.intp]) -> NDArray[np.intp]:
    numbers = np.unique(clusters, return_inverse=True)[1]
    return numbers if numbers.max() >= 2 else np.arange(clusters.size)


def _standard_error(difference: Floats, groups: NDArray[np.intp]) -> Floats:
    """Return (k,) the standard error of each column's mean from its scatter between groups."""
    n_groups = int(groups.max()) + 1
    if n_groups < 2:
        return np.full(difference.shape[1], np.inf)
    centred = difference - difference.mean(axis=0)
    correction = np.sqrt(n_groups / (n_groups - 1))
    return np.asarray(correction * _root_of_squared_sums(centred, groups))


def _root_of_squared_sums(values: Floats, groups: NDArray[np.intp]) -> Floats:
    """Return (k,) the root of the sum of squares of the groups' sums, over the rows' number."""
    sums = np.zeros((int(groups.max()) + 1, values.shape[1]))
    np.add.at(sums, groups, values)
    return np.asarray(np.sqrt((sums**2).sum(axis=0)) / values.shape[0])
