"""Seed noise at replicated cells, against the sampling error of the held-out set."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.studies.execute import Workplace
from bootlaw.studies.graph import Cell, RunGraph
from bootlaw.studies.nodes import Evaluation
from bootlaw.training.evaluation import HeldOutLoss
from bootlaw.training.held_out import read_held_out


@dataclass(frozen=True)
class SeedNoise:
    """Noise of one method on one held-out text."""

    method: str
    eval_data: str
    seed_sd: float
    """SD of one run's loss over seeds (weights, data order, trunks), pooled over cells, nats."""
    paired_error: float
    """Root mean square sampling error of the difference of two runs on the same held-out
    documents, divided by sqrt(2): the part of one run's noise that the held-out set's size adds."""
    cells: int
    """Cells with at least two seeds."""


def seed_noise(graph: RunGraph, place: Workplace) -> list[SeedNoise]:
    """Return the noise of every method and held-out text that has replicated cells."""
    groups: dict[tuple[str, str], list[_Replicates]] = defaultdict(list)
    for (method, _, _, _, due), cells in _replicated(graph).items():
        losses = [
            place.store(cell.run).read_evaluation(due)
            for cell in cells
            if place.store(cell.run).has_evaluation(due)
        ]
        if len(losses) > 1:
            documents = held_out_documents(place, due, cells[0].model.context)
            groups[method, place.texts[due.domain].name].append(_Replicates(losses, documents))
    return [
        SeedNoise(method, text, _pooled_sd(cells), _paired_error(cells), len(cells))
        for (method, text), cells in sorted(groups.items())
    ]


def held_out_documents(place: Workplace, due: Evaluation, context: int) -> NDArray[np.int64]:
    """Return the document of every sequence that `due` evaluates."""
    return _documents(place.texts[due.domain].held_out, context, due.tokens)


@lru_cache(maxsize=16)
def _documents(path: Path, context: int, tokens: int) -> NDArray[np.int64]:
    return read_held_out(path, context, tokens).documents


@dataclass(frozen=True)
class _Replicates:
    """The losses of one cell's seeds, on sequences of `documents`."""

    losses: list[HeldOutLoss]
    documents: NDArray[np.int64]


def as_documents(noise: list[SeedNoise]) -> list[dict[str, Any]]:
    """Return plain data for ``study.json``."""
    return [asdict(item) for item in noise]


def _replicated(
    graph: RunGraph,
) -> dict[tuple[str, int, int, int, Evaluation], list[Cell]]:
    cells: dict[tuple[str, int, int, int, Evaluation], list[Cell]] = defaultdict(list)
    for cell in graph.cells:
        for due in cell.evaluations:
            size = cell.model.non_embedding_params
            cells[cell.method, size, cell.steps_stage1, cell.steps_stage2, due].append(cell)
    return {key: found for key, found in cells.items() if len(found) > 1}


def _pooled_sd(cells: list[_Replicates]) -> float:
    squares = [np.var([loss.mean for loss in cell.losses], ddof=1) for cell in cells]
    degrees = [len(cell.losses) - 1 for cell in cells]
    return float(np.sqrt(np.average(squares, weights=degrees)))


def _paired_error(cells: list[_Replicates]) -> float:
    errors = [
        one.paired_error(other, cell.documents)
        for cell in cells
        for one, other in combinations(cell.losses, 2)
    ]
    return float(np.sqrt(np.mean(np.square(errors)) / 2))
