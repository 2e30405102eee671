"""Result rows: a view over the evaluations on disk, never a log that is parsed."""

from __future__ import annotations

import math
from typing import Any

from bootlaw.studies.execute import Workplace
from bootlaw.studies.graph import Cell, RunGraph
from bootlaw.studies.nodes import Evaluation
from bootlaw.studies.noise import held_out_documents
from bootlaw.studies.spec import StudySpec

Row = dict[str, Any]


def result_rows(graph: RunGraph, spec: StudySpec, place: Workplace) -> list[Row]:
    """Return a run-table row for every evaluation of a finished cell, sorted by run and text."""
    rows = [
        _row(cell, due, spec, place)
        for cell in graph.cells
        for due in cell.evaluations
        if place.store(cell.run).has_evaluation(due)
    ]
    return sorted(rows, key=lambda row: (row["run"], row["eval_data"]))


def timing_rows(graph: RunGraph, spec: StudySpec, place: Workplace) -> list[Row]:
    """Return what every run cost on which host: it does not determine the loss."""
    rows = []
    for node in graph.nodes:
        stretches = place.store(node.id).stretches()
        hosts = sorted({stretch.host for stretch in stretches})
        if stretches:
            steps = sum(stretch.last_step - stretch.first_step for stretch in stretches)
            rows.append(
                {
                    "run": node.id,
                    "seconds": round(sum(stretch.seconds for stretch in stretches), 3),
                    "host": " ".join(hosts),
                    "tokens_trained": steps * spec.tokens_per_step,
                }
            )
    return sorted(rows, key=lambda row: str(row["run"]))


def base_evaluation(cell: Cell, due: Evaluation) -> Evaluation:
    """Return the base's own held-out loss that `due` of `cell` compares with."""
    return Evaluation(cell.steps_stage1, due.domain, due.tokens)


def _row(cell: Cell, due: Evaluation, spec: StudySpec, place: Workplace) -> Row:
    loss = place.store(cell.run).read_evaluation(due)
    documents = held_out_documents(place, due, cell.model.context)
    tokens1 = cell.steps_stage1 * spec.tokens_per_step
    tokens2 = cell.steps_stage2 * spec.tokens_per_step
    base = cell.base_model
    flops = tokens2 * cell.model.flops_per_token
    if base is not None:
        flops += tokens1 * base.flops_per_token
    return {
        "run": cell.run,
        "method": cell.method,
        "params": cell.model.non_embedding_params,
        "params_total": cell.model.total_params,
        "params_base": base.non_embedding_params if base else "",
        "tokens_stage1": tokens1,
        "tokens_stage2": tokens2,
        "loss": round(loss.mean, 6),
        "loss_se": _rounded(loss.standard_error(documents)),
        "loss_base": _base_loss(cell, due, place),
        "schedule_state": "cooled",
        "lr_policy": "rewarmed" if base is not None else "",
        "peak_lr": spec.schedule.peak_lr,
        "replay": 0,
        "data1": cell.data1,
        "data2": cell.data2,
        "eval_data": place.texts[due.domain].name,
        "tokenizer": "bytes",
        "bytes_per_token": 1,
        "seed": cell.seed,
        "trunk": cell.trunk,
        "unique_tokens": cell.unique_tokens,
        "flops": float(f"{flops:.6g}"),
        "loss_start": _start_loss(cell, due, place),
        "eval_tokens": due.tokens // cell.model.context * cell.model.context,
    }


def _rounded(value: float) -> float | str:
    return round(value, 6) if math.isfinite(value) else ""


def _base_loss(cell: Cell, due: Evaluation, place: Workplace) -> float | str:
    """Return the loss of the reused checkpoint itself, before any growth."""
    if cell.base_run is None:
        return ""
    store, observed = place.store(cell.base_run), base_evaluation(cell, due)
    if not store.has_evaluation(observed):
        return ""
    return round(store.read_evaluation(observed).mean, 6)


def _start_loss(cell: Cell, due: Evaluation, place: Workplace) -> float | str:
    """Return the loss at step 0 of stage 2: after growth, before training."""
    store, observed = place.store(cell.trunk), Evaluation(0, due.domain, due.tokens)
    if cell.base_run is not None and store.has_evaluation(observed):
        return round(store.read_evaluation(observed).mean, 6)
    return _base_loss(cell, due, place)
