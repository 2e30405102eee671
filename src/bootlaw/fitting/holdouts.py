"""Which rows a contest of laws keeps out of the fit.

Holding out the lowest losses is the protocol of arXiv 2510.06548. Holding out the largest
level of one variable asks what a plan asks: to predict beyond what was run. ``kfold`` asks
only for interpolation, and is the kindest of them to a flexible law.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.runs import RunTable

Mask = NDArray[np.bool_]

LARGEST = {
    "largest-d1": "tokens_stage1",
    "largest-d2": "tokens_stage2",
    "largest-n": "params",
}
HOLDOUTS = ("lowest-loss", *LARGEST, "kfold")

LOWEST_SHARE = 0.1
FOLDS = 5
SAME_LEVEL = 0.01
"""Levels closer than 1 % are one: runs stop at whole batches, not at round token counts."""


def held_out_masks(table: RunTable, holdout: str, *, seed: int = 0) -> tuple[Mask, ...]:
    """Return one mask per fit, True for the rows to be held out of it.

    ``kfold`` gives up to five masks that share out all rows; the others give one.

    Parameters
    ----------
    table : the rows of the contest.
    holdout : one of `HOLDOUTS`.
    seed : decides which trunks share a fold; the same seed always gives the same folds.

    Raises
    ------
    InputError
        When `holdout` is not known, or the table lacks the column it needs.
    UndeterminedError
        When nothing would be left to fit on, because there is only one level, or one row.
    """
    if holdout not in HOLDOUTS:
        raise InputError(f"unknown hold-out {holdout!r}; choose one of {', '.join(HOLDOUTS)}")
    if len(table) < 2:
        raise UndeterminedError(
            f"{table.source}: {len(table)} row left for the contest; a hold-out needs at least 2"
        )
    if holdout == "lowest-loss":
        return (_lowest_loss(table),)
    if holdout == "kfold":
        return _folds(table, seed)
    return (_largest_level(table, holdout),)


def clusters(table: RunTable) -> NDArray[np.intp]:
    """Return the number of each row's cluster (n,): rows of one trunk share noise.

    Where the table does not tell trunks, or has fewer than three, every row is its own
    cluster, which understates the noise that rows share.
    """
    trunks = trunk_numbers(table)
    return np.arange(len(table)) if trunks is None or trunks.max() < 2 else trunks


def _lowest_loss(table: RunTable) -> Mask:
    """Return the mask of the lowest tenth of losses, rounded up."""
    losses = table.numbers("loss")
    count = int(np.ceil(LOWEST_SHARE * len(table)))
    mask = np.zeros(len(table), dtype=bool)
    mask[np.argsort(losses, kind="stable")[:count]] = True
    return mask


def _largest_level(table: RunTable, holdout: str) -> Mask:
    column = LARGEST[holdout]
    values = table.numbers(column)
    if np.isnan(values).any():
        row = int(table.row_numbers[np.isnan(values)][0])
        raise InputError(
            f"{table.source}: row {row} has no {column}, which --holdout {holdout} needs; "
            "fill it in or choose another hold-out"
        )
    mask = np.asarray(values >= values.max() * (1 - SAME_LEVEL))
    if mask.all():
        raise UndeterminedError(
            f"{table.source}: every row has {column} = {values.max():g}, so --holdout {holdout} "
            "would leave none to fit on; choose another hold-out"
        )
    return mask


def _folds(table: RunTable, seed: int) -> tuple[Mask, ...]:
    """Return up to five masks that keep the rows of a cluster together.

    The clusters are dealt out in random order, each to the fold with the fewest rows so far.
    """
    group = clusters(table)
    sizes = np.bincount(group)
    filled = np.zeros(min(FOLDS, sizes.size), dtype=np.intp)
    fold_of_group = np.empty(sizes.size, dtype=np.intp)
    for number in np.random.default_rng(seed).permutation(sizes.size):
        fold_of_group[number] = int(np.argmin(filled))
        filled[fold_of_group[number]] += sizes[number]
    fold = fold_of_group[group]
    return tuple(fold == number for number in range(filled.size))
