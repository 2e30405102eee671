"""Rows that should not be in one fit: mixed settings, repeated data, the same run twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from bootlaw.fitting.evidence import Diagnostic, Evidence, RowsOfLaw
from bootlaw.fitting.replicas import row_labels
from bootlaw.laws.names import D1, D2

HARMLESS_EPOCHS = 4.0
"""Up to four epochs repeated tokens are almost as good as new ones (arXiv 2305.16264)."""

MIXED: Mapping[str, tuple[str, str]] = {
    "schedule_state": (
        "mixed_schedule",
        "a run that is still at a high learning rate has a higher loss than the same run cooled",
    ),
    "lr_policy": (
        "mixed_lr_policies",
        "a second stage with a rewarmed learning rate and one with a carried one differ in loss",
    ),
    "tokenizer": (
        "mixed_tokenizers",
        "nats per token of different tokenizers are different units",
    ),
    "params": (
        "mixed_params",
        "the law has no term for the size of the model",
    ),
    "data1": (
        "mixed_data1",
        "bases trained on different texts are worth different amounts of second-stage text",
    ),
    "data2": (
        "mixed_data2",
        "runs on different texts follow different curves",
    ),
}


def _mixed(column: str, e: Evidence) -> Iterator[Diagnostic]:
    values = e.filled(column)
    if len(values) < 2 or column in e.law.variables:
        return
    code, why = MIXED[column]
    shown = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values[:5])
    example = f"{values[0]:g}" if isinstance(values[0], float) else f"'{values[0]}'"
    yield Diagnostic(
        code,
        f"{len(values)} values of {column} ({shown}) in one fit: {why}; choose one with "
        f'--where "{column} == {example}"',
        "warning",
        len(values),
    )


def _repeated_data(e: Evidence) -> Iterator[Diagnostic]:
    table = e.rows.table
    if "unique_tokens" not in table or "unique_tokens" in e.law.variables:
        return
    unique = table.numbers("unique_tokens")
    epochs = table.numbers(D2)[unique > 0] / unique[unique > 0]
    if not epochs.size or epochs.max() <= 1.0:
        return
    yield Diagnostic(
        "repeated_data",
        f"{int((epochs > 1).sum())} rows repeat their stage-2 text, up to {epochs.max():.3g} "
        "times; repeated tokens are worth less than new ones: leave them out with --where",
        "warning" if epochs.max() > HARMLESS_EPOCHS else "info",
        float(epochs.max()),
    )


def duplicate_rows(e: RowsOfLaw) -> Iterator[Diagnostic]:
    """Rows that agree to the last digit of the loss are one run; seeds differ there."""
    table = e.rows.table
    labels = row_labels(table, table.columns)
    first, counts = np.unique(labels, return_index=True, return_counts=True)[1:]
    n_repeated = len(table) - first.size
    if not n_repeated:
        return
    original = int(first[counts > 1].min())
    again = int(np.flatnonzero(labels == labels[original])[1])
    yield Diagnostic(
        "duplicate_rows",
        f"{n_repeated} rows repeat another one in every column, such as {table.place(again)} "
        f"that of {table.row_word} {table.row_numbers[original]}: they count twice and make "
        "intervals too short; remove them",
        "warning",
        n_repeated,
    )


def _one_trunk(e: Evidence) -> Iterator[Diagnostic]:
    trunks = e.filled("trunk")
    rows = len(e.rows.table)
    if len(trunks) != 1 or rows < 2 or (e.rows.table.text("trunk") == "").any():
        return
    yield Diagnostic(
        "one_trunk",
        f"all {rows} rows branch off one trunk ({trunks[0]}): what is particular to it cannot be "
        "told from the law, and no interval can include it; add a trunk with another seed"
        + (" or another base" if D1 in e.law.variables else ""),
        "warning",
        1.0,
    )


CHECKS = (
    *(partial(_mixed, column) for column in MIXED),
    _repeated_data,
    duplicate_rows,
    _one_trunk,
)
