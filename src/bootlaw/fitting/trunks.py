"""Which rows share noise: the runs that branch off one second-stage trunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.runs import RunTable


def trunk_numbers(table: RunTable) -> NDArray[np.intp] | None:
    """Return the number of each row's trunk (n,), or None where the table does not tell.

    Rows with a `trunk` have that one. Where the column is empty, runs of one seed, method,
    size and base share their start and their data order, so (method, seed, tokens_stage1,
    params) stands in for it.
    """
    named = table.text("trunk") if "trunk" in table else np.full(len(table), "", dtype=object)
    if (named == "").any() and "seed" not in table:
        return None
    labels = np.where(named == "", _families(table), named).astype(str)
    return np.unique(labels, return_inverse=True)[1]


def _families(table: RunTable) -> NDArray[np.object_]:
    names = [name for name in ("seed", "tokens_stage1", "params") if name in table]
    keys = zip(
        table.text("method").tolist(), *(table.numbers(n).tolist() for n in names), strict=True
    )
    return np.array([f"family {key!r}" for key in keys], dtype=object)
