"""Which rows a contest of laws keeps out of the fit.

Holding out the lowest losses is the protocol of arXiv 2510.06548. Holding out the largest
level of one variable asks what a plan asks: to predict beyond what was run. ``expanding`` asks
it once per level, always from the levels below alone. ``kfold`` asks only for interpolation,
and is the kindest of them to a flexible law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.levels import SAME_LEVEL, level_numbers, merged
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.runs import RunTable
from bootlaw.runs.schema import column_named

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

LARGEST = {
    "largest-d1": "tokens_stage1",
    "largest-d2": "tokens_stage2",
    "largest-n": "params",
}
EXPANDING = "expanding"
HOLDOUTS = ("lowest-loss", *LARGEST, EXPANDING, "kfold")

LOWEST_SHARE = 0.1
FOLDS = 5
FIRST_LEVELS = 3
"""Levels in the first fit of an expanding window: two give a slope, a third its flattening."""
MOST_STEPS = 6
"""Steps of an expanding window; where there are more levels, neighbours are predicted together."""


@dataclass(frozen=True, eq=False)
class Split:
    """One fit of a contest: the rows it is fitted to and those it predicts, both (n,)."""

    fitted: Mask
    held_out: Mask


def splits(
    table: RunTable, holdout: str, *, seed: int = 0, least_rows: int = 1
) -> tuple[Split, ...]:
    """Return the fits that a hold-out asks for, with the rows of each.

    ``kfold`` gives up to five whose held-out rows share out the table; ``expanding`` one per
    level from the fourth on, fitted to all lower levels only; the others give one.

    Parameters
    ----------
    table : the rows of the contest.
    holdout : one of `HOLDOUTS`, or ``expanding:COLUMN`` for an expanding window along a column
        of choice (D1, D2 and N are understood); see `expanding_column` for the default.
    seed : decides which trunks share a fold; the same seed always gives the same folds.
    least_rows : steps of an expanding window that would fit fewer rows are left out.

    Raises
    ------
    InputError
        When `holdout` is not known, or the table lacks the column it needs.
    UndeterminedError
        When nothing would be left to fit on, because there is only one level, or one row.
    """
    require_holdout(holdout)
    if len(table) < 2:
        raise UndeterminedError(
            f"{table.source}: {len(table)} row left for the contest; a hold-out needs at least 2"
        )
    if holdout.startswith(EXPANDING):
        return _expanding(table, holdout, least_rows)
    if holdout == "kfold":
        masks = _folds(table, seed)
    elif holdout == "lowest-loss":
        masks = (_lowest_loss(table),)
    else:
        masks = (_largest_level(table, holdout),)
    return tuple(Split(~mask, mask) for mask in masks)


def held_out_masks(table: RunTable, holdout: str, *, seed: int = 0) -> tuple[Mask, ...]:
    """Return the held-out rows alone, one mask (n,) per fit; arguments as for `splits`."""
    return tuple(split.held_out for split in splits(table, holdout, seed=seed))


def require_holdout(holdout: str) -> None:
    """Raise InputError for a hold-out that is not known."""
    name, colon, column = holdout.partition(":")
    if name not in HOLDOUTS or (colon and (name != EXPANDING or not column)):
        raise InputError(
            f"unknown hold-out {holdout!r}; choose one of {', '.join(HOLDOUTS)}, or "
            f"{EXPANDING}:COLUMN"
        )


def clusters(table: RunTable) -> NDArray[np.intp]:
    """Return the number of each row's cluster (n,): rows of one trunk share noise.

    Where the table does not tell trunks, or has fewer than three, every row is its own
    cluster, which understates the noise that rows share.
    """
    trunks = trunk_numbers(table)
    return np.arange(len(table)) if trunks is None or trunks.max() < 2 else trunks


def expanding_column(table: RunTable) -> str:
    """Return the column along which an expanding window grows where none is chosen.

    The base's tokens; with a single base the second stage's. Runs of one stage and several
    sizes grow in size, as their laws do.
    """
    stage1 = table.numbers("tokens_stage1")
    if not stage1.any():
        several = "params" in table and _n_levels(table.numbers("params")) > 1
        return "params" if several else "tokens_stage2"
    return "tokens_stage1" if _n_levels(stage1) > 1 else "tokens_stage2"


def column_along(table: RunTable, holdout: str) -> str:
    """Return the column of ``expanding`` or ``expanding:COLUMN``, by its name in the table."""
    name = holdout.partition(":")[2] or expanding_column(table)
    known = column_named(name)
    return known.name if known and name not in table else name


def _n_levels(values: Floats) -> int:
    return 0 if not np.isfinite(values).all() else int(level_numbers(values).max()) + 1


def _expanding(table: RunTable, holdout: str, least_rows: int) -> tuple[Split, ...]:
    column = column_along(table, holdout)
    levels = level_numbers(_filled(table, column, holdout))
    n_levels = int(levels.max()) + 1
    if n_levels <= FIRST_LEVELS:
        raise UndeterminedError(
            f"{table.source}: --holdout {holdout} fits {FIRST_LEVELS} levels of {column} and "
            f"predicts the next, and the rows have {n_levels}; choose another hold-out"
        )
    blocks = merged(levels, FIRST_LEVELS, MOST_STEPS)
    steps = [
        Split(blocks < block, blocks == block)
        for block in range(FIRST_LEVELS, int(blocks.max()) + 1)
    ]
    known_enough = tuple(step for step in steps if step.fitted.sum() >= least_rows)
    if not known_enough:
        raise UndeterminedError(
            f"{table.source}: --holdout {holdout} leaves at most {int(steps[-1].fitted.sum())} "
            f"rows to fit on, and the laws need {least_rows}; choose another hold-out"
        )
    return known_enough


def _lowest_loss(table: RunTable) -> Mask:
    """Return the mask of the lowest tenth of losses, rounded up."""
    losses = table.numbers("loss")
    count = int(np.ceil(LOWEST_SHARE * len(table)))
    mask = np.zeros(len(table), dtype=bool)
    mask[np.argsort(losses, kind="stable")[:count]] = True
    return mask


def _largest_level(table: RunTable, holdout: str) -> Mask:
    column = LARGEST[holdout]
    values = _filled(table, column, holdout)
    mask = np.asarray(values >= values.max() * (1 - SAME_LEVEL))
    if mask.all():
        raise UndeterminedError(
            f"{table.source}: every row has {column} = {values.max():g}, so --holdout {holdout} "
            "would leave none to fit on; choose another hold-out"
        )
    return mask


def _filled(table: RunTable, column: str, holdout: str) -> Floats:
    """Return the values (n,) of a column that has one in every row; InputError otherwise."""
    values = table.numbers(column)
    if np.isnan(values).any():
        row = int(table.row_numbers[np.isnan(values)][0])
        raise InputError(
            f"{table.source}: row {row} has no {column}, which --holdout {holdout} needs; "
            "fill it in or choose another hold-out"
        )
    return values


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
