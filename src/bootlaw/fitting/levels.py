"""Levels of a variable: values that lie so close that they were meant to be one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SAME_LEVEL = 0.01
"""Levels closer than 1 % are one: runs stop at whole batches, not at round token counts."""


def level_numbers(values: Floats) -> NDArray[np.intp]:
    """Return the level (n,) of each value, 0 for the lowest.

    Counted from the largest value down: a level is everything within 1 % below its largest
    value, so no level is wider than that, however many values lie close together.

    Parameters
    ----------
    values : (n,) finite numbers of at least 0.
    """
    number = np.zeros(values.size, dtype=np.intp)
    level = np.inf
    found = 0
    for at in np.argsort(-values, kind="stable"):
        if values[at] < level * (1 - SAME_LEVEL):
            level, found = values[at], found + 1
        number[at] = found
    return np.asarray(found - number, dtype=np.intp)


def merged(levels: NDArray[np.intp], first: int, most: int) -> NDArray[np.intp]:
    """Return blocks (n,) of neighbouring levels: `first` levels as they are, then `most` blocks.

    The levels above the lowest `first` are cut into at most `most` blocks with about as many
    levels in each.
    """
    n_above = int(levels.max()) + 1 - first
    if n_above <= most:
        return levels
    block_of_level = np.arange(n_above) * most // n_above
    above = np.maximum(levels - first, 0)
    return np.asarray(np.where(levels < first, levels, first + block_of_level[above]))
