"""Seed noise at replicated cells, against the sampling error of the held-out set."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from bootlaw.studies.execute import Workplace
from bootlaw.studies.graph import Cell, RunGraph
from bootlaw.studies.nodes import Evaluation
from bootlaw.training.evaluation import HeldOutLoss


@dataclass(frozen=True)
class SeedNoise:
    """Noise of one method on one held-out text."""

    method: str
    eval_data: str
    seed_sd: float
    """SD of one run's loss over seeds (weights, data order, trunks), pooled over cells, nats."""
    paired_error: float
    """Root mean square sampling error of the difference of two runs on the same held-out
    sequences, divided by sqrt(2): the part of one run's noise that the held-out set's size adds."""
    cells: int
    """Cells with at least two seeds."""


def seed_noise(graph: RunGraph, place: Workplace) -> list[SeedNoise]:
    """Return the noise of every method and held-out text that has replicated cells."""
    groups: dict[tuple[str, str], list[list[HeldOutLoss]]] = defaultdict(list)
    for (method, _, _, _, due), cells in _replicated(graph).items():
        losses = [
            place.store(cell.run).read_evaluation(due)
            for cell in cells
            if place.store(cell.run).has_evaluation(due)
        ]
        if len(losses) > 1:
            groups[method, due.domain].append(losses)
    return [
        SeedNoise(method, text, _pooled_sd(cells), _paired_error(cells), len(cells))
        for (method, text), cells in sorted(groups.items())
    ]


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


def _pooled_sd(cells: list[list[HeldOutLoss]]) -> float:
    squares = [np.var([loss.mean for loss in losses], ddof=1) for losses in cells]
    degrees = [len(losses) - 1 for losses in cells]
    return float(np.sqrt(np.average(squares, weights=degrees)))


def _paired_error(cells: list[list[HeldOutLoss]]) -> float:
    errors = [a.paired_error(b) for losses in cells for a, b in combinations(losses, 2)]
    return float(np.sqrt(np.mean(np.square(errors)) / 2))
