"""Bootstrap refits in blocks, so that memory does not grow with rows times replicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.bootstrap import Labels, Replicates, refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum

MOST_NUMBERS = 4_000_000
"""Rows times replicates of one block: 32 MB for each array of weights or targets."""


def refit_in_blocks(
    objective: Objective,
    optimum: Optimum,
    scheme: str,
    trunks: Labels | None,
    n: int,
    seed: int,
    *,
    free: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    most_numbers: int = MOST_NUMBERS,
) -> Replicates:
    """Return refits to `n` resampled tables, the same whatever the number of threads.

    As `refit` of `resampled` with these arguments, which a table of few rows gets as one block.
    Each further block has a seed of its own that follows from `seed` and its number.

    Parameters
    ----------
    most_numbers : rows times replicates of one block; another number gives other random draws.
    """
    size = max(1, most_numbers // objective.design.n_rows)
    counts = [min(size, n - first) for first in range(0, n, size)]
    parts = []
    for number, count in enumerate(counts):
        own = _seed_of(seed, number)
        tables = resampled(objective, optimum.u, scheme, trunks, count, own, free)
        parts.append(refit(tables, optimum, count, threads))
    converged = sum(p.share_converged * c for p, c in zip(parts, counts, strict=True)) / n
    return Replicates(np.concatenate([part.u for part in parts]), float(converged))


def _seed_of(seed: int, number: int) -> int:
    """Return the seed of one block; the first one's is the seed itself."""
    if number == 0:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
