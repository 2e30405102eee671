"""The gap between reuse and scratch that a verdict rests on."""

from __future__ import annotations

import math

import numpy as np

from bootlaw.planning.duel import Duel
from bootlaw.planning.source import POINT

POINTS = 2049
"""Points of ln D2 at which the gap is looked at: every 1 % of D2 over nine decades."""


def decisive_gap(
    duel: Duel, search: tuple[float, float], crossing: float | None
) -> tuple[float, float]:
    """Return |ln reuse - ln scratch| that the verdict rests on, and the loss of reuse there.

    Without a crossing it is the smallest gap in the searched range: an error of that size makes
    another verdict. At a crossing it is the smaller of the largest gaps on either side, up to
    the next crossing: an error of that size makes the crossing vanish.

    Parameters
    ----------
    search : the lowest and the highest D2.
    crossing : D2 of the first change from reuse to scratch, without one of the first change from
        scratch to reuse; None where the winner never changes.
    """
    ln_tokens = np.linspace(math.log(search[0]), math.log(search[1]), POINTS)
    gaps = duel.log_gap(ln_tokens)
    if crossing is None:
        at = int(np.argmin(np.abs(gaps)))
    else:
        below, above = _sides(gaps, int(np.searchsorted(ln_tokens, math.log(crossing))))
        at = min(below, above, key=lambda i: abs(gaps[i]))
    loss = duel.reuse_loss(POINT, ln_tokens[np.newaxis, at : at + 1])[0, 0]
    return float(abs(gaps[at])), float(loss)


def _sides(gaps: np.ndarray, first_above: int) -> tuple[int, int]:
    """Return where the gap is largest below the crossing, and above it up to the next one."""
    first_above = min(max(first_above, 1), gaps.size - 1)
    changes = np.flatnonzero(np.diff(np.sign(gaps[first_above:])) != 0)
    end = first_above + int(changes[0]) + 1 if changes.size else gaps.size
    earlier = np.flatnonzero(np.diff(np.sign(gaps[:first_above])) != 0)
    begin = int(earlier[-1]) + 1 if earlier.size else 0
    below = begin + int(np.argmax(np.abs(gaps[begin:first_above])))
    above = first_above + int(np.argmax(np.abs(gaps[first_above:end])))
    return below, above
