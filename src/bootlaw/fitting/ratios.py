"""How much more one law errs than another on held-out rows, over several hold-outs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95
LEAST_RMS = 1e-9
"""Errors are not told apart below this: two exact laws have the ratio 1."""


@dataclass(frozen=True)
class ErrorRatio:
    """Held-out error of one law over that of another, averaged over hold-outs.

    Attributes
    ----------
    value : geometric mean over the hold-outs of the ratio of the two RMS errors.
    lower, upper : its interval at `level`; None where there are fewer than two clusters.
    n_holdouts, n_clusters : hold-outs averaged over, and trunks (or rows) behind the interval.
    """

    value: float
    lower: float | None
    upper: float | None
    level: float
    n_holdouts: int
    n_clusters: int

    @property
    def side(self) -> int:
        """1 where the law errs more than the other beyond chance, -1 where less, else 0."""
        if self.lower is None or self.upper is None:
            return 0
        return int(self.lower > 1.0) - int(self.upper < 1.0)

    def words(self) -> str:
        """Return the ratio and its interval as text."""
        if self.lower is None or self.upper is None:
            return f"{self.value:.3g} times"
        ends = f"{self.lower:.3g} to {self.upper:.3g}"
        return f"{self.value:.3g} times ({100 * self.level:.0f} % interval {ends})"


@dataclass(frozen=True, eq=False)
class HeldOutPair:
    """Held-out log residuals of two laws on one hold-out, and the cluster of each row, all (n,)."""

    law: Floats
    other: Floats
    cluster: NDArray[np.intp]

    def log_ratio(self, without: int | None) -> float:
        """Return ln(rms of the law / rms of the other), without the rows of one cluster.

        A hold-out that consists of that cluster alone keeps its rows: it has no others.
        """
        keep = self.cluster != without
        if not keep.any():
            keep = np.ones(self.cluster.size, dtype=bool)
        one, two = (
            max(float(np.mean(values[keep] ** 2)), LEAST_RMS**2)
            for values in (self.law, self.other)
        )
        return 0.5 * float(np.log(one / two))


def error_ratio(pairs: Sequence[HeldOutPair]) -> ErrorRatio | None:
    """Return the law's error over the other's with its interval; None without a hold-out.

    The interval leaves out one cluster at a time, in all hold-outs together: Tukey's jackknife of
    the log ratio, with Student's t for the few clusters (Efron & Tibshirani, An Introduction to
    the Bootstrap (1993), 11). It takes the fits as they are.
    """
    if not pairs:
        return None
    names = np.unique(np.concatenate([pair.cluster for pair in pairs]))
    value = _mean_log_ratio(pairs, None)
    half = _half_width([_mean_log_ratio(pairs, int(name)) for name in names])
    return ErrorRatio(
        value=float(np.exp(value)),
        lower=None if half is None else float(np.exp(value - half)),
        upper=None if half is None else float(np.exp(value + half)),
        level=LEVEL,
        n_holdouts=len(pairs),
        n_clusters=names.size,
    )


def _mean_log_ratio(pairs: Sequence[HeldOutPair], without: int | None) -> float:
    return float(np.mean([pair.log_ratio(without) for pair in pairs]))


def _half_width(left_out: Sequence[float]) -> float | None:
    from scipy.special import stdtrit

    size = len(left_out)
    if size < 2:
        return None
    variance = (size - 1) / size * np.sum((np.array(left_out) - np.mean(left_out)) ** 2)
    return float(stdtrit(size - 1, 0.5 + LEVEL / 2) * np.sqrt(variance))
