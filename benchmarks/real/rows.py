"""The published tables as run tables, and where to get them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootlaw.runs import RunTable, read_runs

Row = dict[str, str]

SOURCES = {
    "finetune_rectified_30models.csv": (
        "github.com/linhaowei1/Fine-tuning-Scaling-Law (Apache-2.0): columns task, family, model, "
        "params, finetune_samples, loss"
    ),
    "datablations_final.csv": (
        "github.com/huggingface/datablations (Apache-2.0), utils/parametric_fit.ipynb: columns "
        "name, params, tokens, unique_tokens, epochs, seed, loss"
    ),
    "gadre_overtraining.csv": (
        "github.com/mlfoundations/scaling (MIT), exp_data: columns name, train_set, params, "
        "tokens, chinchilla_multiplier, eval_set, loss"
    ),
    "olmo_ladder_final.csv": (
        "github.com/allenai/OLMo-ladder (Apache-2.0): columns run, size, params, tokens, loss_c4_en"
    ),
    "chinchilla_digitised.csv": (
        "github.com/kyo-takano/chinchilla (Apache-2.0), examples: columns params, tokens, loss"
    ),
    "tiny_two_stage.csv": "made for this project (CC0): columns method, N, D1, D2, loss",
}


class MissingTables(Exception):
    """A folder without the tables; the message says where each is from."""


@dataclass(frozen=True)
class Folder:
    """The folder that holds the tables as CSV files."""

    path: Path

    def read(self, name: str) -> list[Row]:
        """Return the rows of one table."""
        file = self.path / name
        if not file.is_file():
            raise MissingTables(f"{file} is not there; it is made from {SOURCES[name]}")
        with file.open(newline="") as opened:
            return list(csv.DictReader(opened))


def run_table(
    rows: Sequence[Row], *, tokens: str = "tokens", loss: str = "loss", more: Sequence[str] = ()
) -> RunTable:
    """Return the rows as a table of one-stage runs with params, tokens, loss and `more`."""
    columns = {"params": "params", "tokens": tokens, "loss": loss, **{name: name for name in more}}
    return read_runs({name: [float(row[c]) for row in rows] for name, c in columns.items()})


def split(rows: Sequence[Row], held_out: Callable[[Row], bool]) -> tuple[list[Row], list[Row]]:
    """Return the rows to fit and the rows held out."""
    return [row for row in rows if not held_out(row)], [row for row in rows if held_out(row)]


def numbers(rows: Sequence[Row], column: str) -> list[float]:
    """Return a column as numbers."""
    return [float(row[column]) for row in rows]
