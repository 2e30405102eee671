"""How far runs of one configuration lie apart: what a table says of its own noise."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bootlaw.runs import RunTable

Labels = NDArray[np.intp]

CONFIGURATION = (
    "method",
    "params",
    "params_base",
    "tokens_stage1",
    "tokens_stage2",
    "schedule_state",
    "lr_policy",
    "peak_lr",
    "replay",
    "data1",
    "data2",
    "eval_data",
    "tokenizer",
    "unique_tokens",
)
"""Columns that must agree for two rows to be replicates, which differ in their seed only."""


def replicate_cells(table: RunTable, variables: Iterable[str] = ()) -> Labels:
    """Return the number (n,) of each row's cell: rows of one cell are replicates.

    Parameters
    ----------
    variables : columns that must agree besides those of `CONFIGURATION`.
    """
    names = dict.fromkeys((*CONFIGURATION, *variables))
    return row_labels(table, [name for name in names if name in table])


def row_labels(table: RunTable, names: Iterable[str]) -> Labels:
    """Return numbers (n,), the same for two rows where they agree in all columns `names`."""
    labels = np.zeros(len(table), dtype=np.intp)
    # Numbers first: where they set all rows apart, the slower texts need no look.
    for name in sorted(names, key=lambda name: table.columns[name].dtype == object):
        codes = _codes(table.columns[name])
        labels = np.unique(labels * (codes.max() + 1) + codes, return_inverse=True)[1]
        if labels.max() == labels.size - 1:
            break
    return labels


def _codes(values: NDArray[np.generic]) -> Labels:
    if values.dtype != object:
        return np.asarray(np.unique(values, return_inverse=True)[1])
    known: dict[object, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values.tolist()])


def replicate_spread(table: RunTable, variables: Iterable[str] = ()) -> float | None:
    """Return the median over configurations of ln(highest loss / lowest), None without replicates.

    A configuration with a single run says nothing and is not counted.
    """
    cells = replicate_cells(table, variables)
    counts = np.bincount(cells)
    if not (counts > 1).any() or not (table.numbers("loss") > 0).all():
        return None
    losses = np.log(table.numbers("loss"))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    ordered = losses[np.argsort(cells, kind="stable")]
    spreads = np.maximum.reduceat(ordered, starts) - np.minimum.reduceat(ordered, starts)
    return float(np.median(spreads[counts > 1]))
