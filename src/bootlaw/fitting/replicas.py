"""How far runs of one configuration lie apart: what a table says of its own noise."""

from __future__ import annotations

import numpy as np

from bootlaw.runs import RunTable

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


def replicate_spread(table: RunTable) -> float | None:
    """Return the median over configurations of ln(highest loss / lowest), None without replicates.

    A configuration with a single run says nothing and is not counted.
    """
    names = [name for name in CONFIGURATION if name in table]
    cells: dict[tuple[str, ...], list[float]] = {}
    columns = [table.columns[name].astype(str).tolist() for name in names]
    losses = np.log(table.numbers("loss")).tolist()
    for cell, loss in zip(zip(*columns, strict=True), losses, strict=True):
        cells.setdefault(cell, []).append(loss)
    spreads = [max(values) - min(values) for values in cells.values() if len(values) > 1]
    return float(np.median(spreads)) if spreads else None
