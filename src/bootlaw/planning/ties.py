"""Which options the data cannot tell from the best one: one rule for every question.

Two options tie where the one with the higher expected loss has the lower one of the two in more
than a fifth of the replicates: they hold what the data leave open, run noise and all. Without
replicates the laws' own error stands in for them (`verdict.own_error`): options tie whose losses
differ by no more than that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.verdict import LARGEST_DISAGREEMENT

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def ties(losses: Floats, error: float) -> Bools:
    """Return (n,) which options cannot be told from the best, itself included.

    Parameters
    ----------
    losses : (1 + r, n) nats per token, the point estimate first; replicates are paired, row by
        row. NaN and infinite where an option has no loss: the others are then better, and a
        replicate in which neither has one says nothing.
    error : log error of the laws, in the place of replicates; NaN counts as none.
    """
    known = np.where(np.isnan(losses), np.inf, losses)
    best = int(np.argmin(known[0]))
    first, others = known[1:, best : best + 1], known[1:]
    judges = np.sum(np.isfinite(first) | np.isfinite(others), axis=0)
    if len(others):
        ahead = np.sum(others < first, axis=0)
        found = (ahead > LARGEST_DISAGREEMENT * judges) | (judges == 0)
    else:
        with np.errstate(invalid="ignore"):
            found = np.log(known[0]) - np.log(known[0, best]) <= np.nan_to_num(error)
    found[best] = True
    return np.asarray(found)


def shares_best(losses: Floats) -> Floats | None:
    """Return (n,) the share of the replicates in which each option is best; None without any."""
    if len(losses) < 2:
        return None
    best = np.argmin(np.where(np.isnan(losses[1:]), np.inf, losses[1:]), axis=1)
    return np.asarray(np.bincount(best, minlength=losses.shape[1]) / len(best))
