"""The largest level of a variable held out of every series of the public tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.levels import level_numbers
from bootlaw.laws.names import D1, D2, N
from bootlaw.runs import RunTable, read_runs
from real.fine_tuning import FILE as FINE_TUNING
from real.fine_tuning import LINES
from real.rows import Folder, Row, run_table

Mask = NDArray[np.bool_]

CHINCHILLA = "chinchilla_digitised.csv"
OLMO_LOSSES = (
    "loss_c4_en", "loss_dolma_books", "loss_dolma_common-crawl", "loss_dolma_pes2o",
    "loss_dolma_reddit", "loss_dolma_stack", "loss_dolma_wiki", "loss_ice", "loss_m2d2_s2orc",
    "loss_pile", "loss_wikitext_103",
)  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Runs that one law is fitted to, and the variables along which it is asked further out."""

    table: str
    name: str
    law: str
    runs: RunTable
    along: tuple[str, ...]


@dataclass(frozen=True)
class HeldOut:
    """A series without the rows at the largest level of a variable, and those rows."""

    series: Series
    variable: str
    fitted: RunTable
    asked: RunTable


def held_out(series: Series, *, far: bool = False) -> Iterator[HeldOut]:
    """Yield the series with the largest levels of each of its variables held out.

    Of a variable with many levels the largest sixth of them; with `far` nearly the upper half,
    so that what is asked lies up to several steps beyond the data.
    """
    for variable in series.along:
        values = series.runs.numbers(variable)
        levels = np.full(values.size, -1)
        levels[values > 0] = level_numbers(values[values > 0])
        n = int(levels.max()) + 1
        last = n - 1 - (n - 1) // 6
        if far:
            last = max(3, n - 2) if n < 6 else -(-n * 11 // 20)
        top = levels >= last
        if top.any():
            yield HeldOut(series, variable, series.runs.select(~top), series.runs.select(top))


def all_series(folder: Folder) -> Iterator[Series]:
    """Yield the series of every table."""
    yield Series("Chinchilla", "all", "chinchilla", run_table(folder.read(CHINCHILLA)), (N, D2))
    rows = folder.read("olmo_ladder_final.csv")
    for loss in OLMO_LOSSES:
        yield Series("OLMo ladder", loss, "chinchilla", run_table(rows, loss=loss), (N, D2))
    for key, part in _by(folder.read("gadre_overtraining.csv"), "train_set", "eval_set").items():
        yield Series("Over-training", " -> ".join(key), "over-training", run_table(part), (N, D2))
    rows = [
        row
        for row in folder.read("datablations_final.csv")
        if float(row["epochs"]) <= 100 and float(row["loss"]) < 4.5
    ]
    table = run_table(rows, more=["unique_tokens"])
    yield Series("Data-constrained", "all", "repeated-data", table, (N, D2))
    yield from _fine_tuning(folder)
    yield from _two_stage(folder)


def _fine_tuning(folder: Folder) -> Iterator[Series]:
    rows = [r for r in folder.read(FINE_TUNING) if r["finetune_samples"] != "0"]
    for key, part in _by(rows, "task", "model").items():
        runs = run_table(part, tokens="finetune_samples")
        yield Series("Fine-tuning curves", " ".join(key), "rectified", runs, (D2,))
    for key, part in _by(rows, "task", "family").items():
        if key[1] in LINES:
            line = [row for row in part if row["model"].startswith(LINES[key[1]])]
            runs = run_table(line, tokens="finetune_samples")
            law = "formula:B*N^-c/(Dl + D^b) + E"
            yield Series("Fine-tuning lines", " ".join(key), law, runs, (N, D2))


def _two_stage(folder: Folder) -> Iterator[Series]:
    for method in ("cpt", "stack"):
        rows = [r for r in folder.read("tiny_two_stage.csv") if r["method"] == method]
        runs = _two_stage_runs([r for r in rows if float(r["D1"]) > 0 and float(r["D2"]) > 0])
        yield Series("Two-stage", method, "bootstrapped", runs, (D1, D2))


def _two_stage_runs(rows: Sequence[Row]) -> RunTable:
    names = {"method": "method", "D1": "D1", "D2": "D2", "N": "N", "loss": "loss"}
    columns = {
        name: [row[key] if key == "method" else float(row[key]) for row in rows]
        for name, key in names.items()
    }
    return read_runs(columns)


def _by(rows: Sequence[Row], *columns: str) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row[columns[0]], row[columns[1]]), []).append(row)
    return groups
