"""The best of the solutions of one problem, and how many agree with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.solver import TOLERANCE, Solution

Floats = NDArray[np.float64]

AGREEMENT = 1e-9
"""Relative difference of objectives below which two starts reached the same optimum."""


class Best:
    """The best of the solutions so far, and how many agree with it."""

    def __init__(self, solution: Solution) -> None:
        self._parts = [solution]

    def add(self, solution: Solution) -> bool:
        """Take in more solutions; return whether one is better than all before."""
        before = self.value
        self._parts.append(solution)
        return self.value < before * (1 - AGREEMENT) - 1e-18

    @property
    def _all(self) -> Solution:
        return Solution(
            np.concatenate([part.u for part in self._parts]),
            np.concatenate([part.objective for part in self._parts]),
            np.concatenate([part.scaled_gradient for part in self._parts]),
        )

    @property
    def _at(self) -> int:
        """The best point; of those that are as good, the stationary one with least numbers.

        Along a direction that the rows do not see all points are as good, and far out some of
        their numbers no longer fit into a float.
        """
        every = self._all
        good = every.objective <= every.objective.min() * (1 + 1e-10) + 1e-22
        still = good & (every.scaled_gradient <= TOLERANCE)
        if not still.any():
            return int(np.argmin(np.where(good, every.scaled_gradient, np.inf)))
        return int(np.argmin(np.where(still, np.abs(every.u).sum(axis=1), np.inf)))

    @property
    def u(self) -> Floats:
        return np.asarray(self._all.u[self._at])

    @property
    def value(self) -> float:
        return float(self._all.objective.min())

    @property
    def scaled_gradient(self) -> float:
        return float(self._all.scaled_gradient[self._at])

    def foremost(self, n: int) -> Floats:
        """Return the points (n, p) of the least objectives."""
        every = self._all
        return np.asarray(every.u[np.argsort(every.objective, kind="stable")[:n]])

    @property
    def n_agreeing(self) -> int:
        values = self._all.objective
        return int((values <= self.value * (1 + AGREEMENT) + 1e-18).sum())

    @property
    def n_starts(self) -> int:
        return int(self._all.objective.size)
