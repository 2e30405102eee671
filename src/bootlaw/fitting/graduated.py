"""Starts go through larger deltas first, where the objective is smooth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.objective import Objective
from bootlaw.fitting.solver import Solution, minimise

Floats = NDArray[np.float64]

DELTAS = (0.1, 0.03, 0.01, 3e-3)
"""Deltas before the exact one. The objective is smooth for a large delta and has many kinks for
a small one, so a start goes through all that are larger than the delta asked for."""


def first_delta(objective: Objective) -> float:
    """Return the delta of the first, coarse steps."""
    return max(DELTAS[0], objective.delta) if objective.scale == "log" else objective.delta


def larger_deltas(objective: Objective) -> list[float]:
    """Return the graduated deltas; residuals on the level scale have no natural size."""
    if objective.loss == "squared":
        return []
    if objective.scale == "level":
        return [objective.delta * factor for factor in (100.0, 10.0)]
    return [delta for delta in DELTAS if delta > objective.delta]


def follow(objective: Objective, starts: Floats, threads: int | None = None) -> Solution:
    """Return where the starts end, through the graduated deltas to the exact one."""
    return minimise(objective, starts, deltas=larger_deltas(objective), threads=threads)
