"""The misfit of the curve against what runs of one configuration differ by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.replicas import replicate_cells, replicate_spread, row_labels
from bootlaw.fitting.tails import f_tail
from bootlaw.fitting.trunks import trunk_numbers

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

SMALL_DELTA = 10.0
"""Spread of replicates, in deltas, from which most rows lie in the linear part of the Huber
loss, so that the fit is nearly one of least absolute deviations."""

UNLIKELY = 0.01
"""Probability under replicate noise below which the law is said not to fit."""


@dataclass(frozen=True)
class LackOfFit:
    """A test of the law's form against replicate noise.

    Attributes
    ----------
    f, p_value : the ratio of the mean squares, and its probability where the law is true.
    freedom : degrees of freedom of the misfit and of the noise, counted in trunks.
    noise, misfit : standard deviation of a run's log loss around its cell, and what the cells'
        means lie off the curve beyond that.
    """

    f: float
    p_value: float
    freedom: tuple[int, int]
    noise: float
    misfit: float


def lack_of_fit(
    residuals: Floats, cells: Labels, trunks: Labels, n_params: int
) -> LackOfFit | None:
    """Return the pure-error F test (Draper & Smith, Applied Regression Analysis, section 2.1).

    Runs of one trunk share their noise, so that neither cells nor replicates on the same trunks
    are independent. The mean squares hold all the same; the degrees of freedom are at most those
    of the trunks: one for the misfit per group of trunks that meet in cells, and one less than
    its trunks for the noise of each group. With a trunk per row it is the ordinary test.

    Parameters
    ----------
    residuals, cells, trunks : (n,) log residuals, and the number of each row's cell and trunk.

    Returns
    -------
    None where no cell has two runs, or as many parameters as cells.
    """
    counts = np.bincount(cells)
    means = np.bincount(cells, residuals) / counts
    within = residuals - means[cells]
    groups = _groups(cells, trunks)
    n_groups = np.unique(groups).size
    trunk_freedom = np.unique(trunks).size - n_groups
    free_misfit, free_noise = counts.size - n_params, residuals.size - counts.size
    if free_misfit < 1 or min(free_noise, trunk_freedom) < 1 or not within.any():
        return None
    noise = float(within @ within) / free_noise
    misfit = float(counts @ means**2) / free_misfit
    freedom = (min(free_misfit, n_groups), min(free_noise, trunk_freedom))
    beyond = max(misfit - noise, 0.0) * free_misfit / residuals.size
    return LackOfFit(
        misfit / noise,
        f_tail(misfit / noise, *freedom),
        freedom,
        float(np.sqrt(noise)),
        float(np.sqrt(beyond)),
    )


def _groups(cells: Labels, trunks: Labels) -> Labels:
    """Return the least trunk (n,) that each row is connected to through shared cells."""
    labels = trunks.copy()
    while True:
        before = labels
        for shared in (cells, trunks):
            least = np.full(int(shared.max()) + 1, labels.max())
            np.minimum.at(least, shared, labels)
            labels = least[shared]
        if (labels == before).all():
            return labels


def _lack_of_fit(e: Evidence) -> Iterator[Diagnostic]:
    table = e.rows.table
    if e.identifiability.reason is not None:
        return
    # The same run written twice is no replicate.
    kept = np.unique(row_labels(table, table.columns), return_index=True)[1]
    cells = np.unique(replicate_cells(table, e.law.variables)[kept], return_inverse=True)[1]
    if cells.max() == cells.size - 1:
        return
    trunks = trunk_numbers(table)
    trunks = np.arange(kept.size) if trunks is None else trunks[kept]
    test = lack_of_fit(e.residuals[kept], cells, trunks, e.values.size - len(e.fixed))
    if test is None or test.p_value >= UNLIKELY:
        return
    yield Diagnostic(
        "lack_of_fit",
        f"the means of runs of one configuration lie off the curve by {test.misfit:.2%} beyond "
        f"what seeds differ by ({test.noise:.2%}): F = {test.f:.3g} with {test.freedom[0]} and "
        f"{test.freedom[1]} degrees of freedom, p = {test.p_value:.1g}; the form of the law is "
        "wrong here by that much, compare laws and add it to forecast intervals",
        "warning",
        test.f,
    )


def _delta_below_noise(e: Evidence) -> Iterator[Diagnostic]:
    spread = replicate_spread(e.rows.table, e.law.variables)
    if spread is None or spread <= SMALL_DELTA * e.delta:
        return
    yield Diagnostic(
        "delta_below_noise",
        f"runs of one cell (same tokens, params and data) differ by {spread:.2g} in log loss in "
        f"the median, {spread / e.delta:.0f} times delta: the fit is nearly one through the "
        "medians; --delta near the spread uses the rows better",
        "info",
        spread / e.delta,
    )


CHECKS = (_lack_of_fit, _delta_below_noise)
