"""The reuse runs of a table in groups that one law can describe, and what belongs to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.reports.series import NO_RUNS, Runs
from bootlaw.runs import RunTable

SAME_LEVEL = 0.01
"""Token counts closer than 1 % are one level: runs stop at whole batches."""

METHOD_NAMES = {
    "cpt": "Continual pretraining",
    "stack": "Model growth by stacking",
    "reuse": "Reuse",
}


@dataclass(frozen=True)
class Group:
    """Reuse runs of one method, model size and second-stage text, with what compares to them.

    `table` holds the runs of the group and every scratch row: what `bootlaw.fitting.fit` takes.
    `forgetting` are evaluations of the same runs on the old text, `base_loss` the bases' own
    loss on it.
    """

    key: str
    title: str
    method: str
    data2: str
    table: RunTable
    runs: Runs
    scratch: Runs
    forgetting: Runs
    base_loss: Runs
    base_cost: float


def split_groups(table: RunTable) -> tuple[Group, ...]:
    """Return one group per method, model size and second-stage text found in `table`."""
    reuse = (table.numbers("tokens_stage1") > 0) & (table.numbers("tokens_stage2") > 0)
    labels = [
        (str(method), float(params), str(data))
        for method, params, data in zip(
            table.text("method"), _numbers(table, "params"), _text(table, "data2"), strict=True
        )
    ]
    keys = sorted({_comparable(label) for label, keep in zip(labels, reuse, strict=True) if keep})
    return tuple(
        _group(table, key, keys, reuse & np.array([_comparable(label) == key for label in labels]))
        for key in keys
    )


def runs_of(table: RunTable, keep: NDArray[np.bool_]) -> Runs:
    """Return the rows `keep` as arrays, token levels within one per cent made equal."""
    return Runs(
        _levels(table.numbers("tokens_stage1"))[keep],
        _levels(table.numbers("tokens_stage2"))[keep],
        table.numbers("loss")[keep],
    )


def _comparable(label: tuple[str, float, str]) -> tuple[str, float, str]:
    method, params, data = label
    return method, -1.0 if np.isnan(params) else params, data


def _group(
    table: RunTable,
    key: tuple[str, float, str],
    keys: list[tuple[str, float, str]],
    members: NDArray[np.bool_],
) -> Group:
    method, params, data2 = key
    old_text = members & _moved_away(table)
    own = members & ~old_text
    scratch = _scratch_rows(table, params, data2)
    others = [other for other in keys if other[0] == method and other != key]
    return Group(
        key=_slug(method, params, data2, others),
        title=_title(table, own, key, others),
        method=method,
        data2=data2,
        table=table.select(own | (table.numbers("tokens_stage1") == 0)),
        runs=runs_of(table, own),
        scratch=runs_of(table, scratch) if scratch.any() else NO_RUNS,
        forgetting=runs_of(table, old_text) if old_text.any() else NO_RUNS,
        base_loss=_base_loss(table, old_text),
        base_cost=_base_cost(table, own),
    )


def _moved_away(table: RunTable) -> NDArray[np.bool_]:
    """Return which rows evaluate a run on another text than that of its second stage."""
    if "eval_data" not in table or "data2" not in table:
        return np.zeros(len(table), dtype=bool)
    evaluated, trained = table.text("eval_data"), table.text("data2")
    return np.asarray((evaluated != "") & (trained != "") & (evaluated != trained), dtype=bool)


def _scratch_rows(table: RunTable, params: float, data2: str) -> NDArray[np.bool_]:
    """Return the scratch rows of the same model and text: those that the joint fit takes too."""
    keep = (table.numbers("tokens_stage1") == 0) & (table.numbers("tokens_stage2") > 0)
    keep &= ~_moved_away(table)
    if params > 0:
        keep = keep & (_numbers(table, "params") == params)
    if data2:
        keep &= np.array([text in ("", data2) for text in _text(table, "data2")], dtype=bool)
    return np.asarray(keep, dtype=bool)


def _base_loss(table: RunTable, old_text: NDArray[np.bool_]) -> Runs:
    losses = _numbers(table, "loss_base")
    keep = old_text & np.isfinite(losses)
    if not keep.any():
        return NO_RUNS
    stage1 = _levels(table.numbers("tokens_stage1"))[keep]
    return Runs(stage1, np.zeros(stage1.size), losses[keep])


def _base_cost(table: RunTable, own: NDArray[np.bool_]) -> float:
    """Return the FLOPs per token of the base over those of the model, from their parameters."""
    ratio = _numbers(table, "params_base")[own] / _numbers(table, "params")[own]
    ratio = ratio[np.isfinite(ratio)]
    return float(np.median(ratio)) if ratio.size else 1.0


def _title(
    table: RunTable,
    own: NDArray[np.bool_],
    key: tuple[str, float, str],
    others: list[tuple[str, float, str]],
) -> str:
    method, params, data2 = key
    name = METHOD_NAMES.get(method, method)
    growth = 1 / _base_cost(table, own)
    old = sorted(set(_text(table, "data1")[own]) - {""})
    detail = ""
    if growth > 1.05:
        detail = f" ×{growth:.3g}"
    elif len(old) == 1 and data2 and old[0] != data2:
        detail = f", {old[0]} → {data2}"
    if any(other[1] != params for other in others):
        detail += f", {params:,.0f} parameters"
    if any(other[2] != data2 for other in others) and "→" not in detail:
        detail += f", {data2}"
    return name + detail


def _slug(method: str, params: float, data2: str, others: list[tuple[str, float, str]]) -> str:
    parts = [method]
    if any(other[1] != params for other in others):
        parts.append(f"{params:.0f}")
    if any(other[2] != data2 for other in others):
        parts.append(data2)
    text = "-".join(parts).lower()
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)


def _levels(tokens: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `tokens` with every value that is within one per cent of a smaller one set to it."""
    levels = tokens.copy()
    current = -np.inf
    for value in np.unique(tokens):
        if value > current * (1 + SAME_LEVEL) or current <= 0:
            current = float(value)
        levels[tokens == value] = current
    return levels


def _numbers(table: RunTable, column: str) -> NDArray[np.float64]:
    return table.numbers(column) if column in table else np.full(len(table), np.nan)


def _text(table: RunTable, column: str) -> NDArray[np.object_]:
    return table.text(column) if column in table else np.full(len(table), "", dtype=object)
