"""Problems to solve: every law that applies to every table, and simulated tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw import laws
from bootlaw.fitting.objective import Objective

Floats = NDArray[np.float64]
Columns = dict[str, Floats]
Row = dict[str, str]

DATA = Path(__file__).parents[1] / "tests" / "data"
CHINCHILLA = DATA / "chinchilla_digitised.csv"
DELTA = 1e-3

ONE_STAGE = ("power", "chinchilla", "over-training", "rectified", "repeated-data")
TWO_STAGE = (
    "bootstrapped", "bootstrapped-joint", "fixed-stage2", "total-tokens", "additive",
    "multiplicative", "hybrid", "effective-data", "effective-data-joint", "cpt-dynamics",
    "base-loss", "tokens-per-param", "d-cpt", "cross-lingual", "total-tokens+size",
    "additive+size", "multiplicative+size", "hybrid+size", "effective-data+size",
)  # fmt: skip
WITH_SCRATCH = tuple(
    f"{key}+scratch"
    for key in (
        "bootstrapped",
        "bootstrapped-joint",
        "total-tokens",
        "additive",
        "multiplicative",
        "hybrid",
        "effective-data",
        "cpt-dynamics",
        "tokens-per-param",
        "total-tokens+size",
        "additive+size",
        "multiplicative+size",
        "hybrid+size",
        "effective-data+size",
    )
)


@dataclass(frozen=True)
class Case:
    """One law on one table."""

    table: str
    law: str
    objective: Objective

    @property
    def name(self) -> str:
        """For tables of results."""
        return f"{self.table} / {self.law}"


@dataclass(frozen=True)
class Table:
    """Columns (n,) and losses (n,) of runs of one kind."""

    name: str
    columns: Columns
    losses: Floats

    def case(self, key: str) -> Case | None:
        """Return the law on this table, None where the table lacks a column or has too few rows.

        A law without a part for runs from scratch takes the rows that have a base; a column
        that does not vary leaves a law that reads it to the laws that do not.
        """
        law = laws.get(key)
        if not set(law.variables) <= set(self.columns):
            return None
        kept = np.ones(self.losses.size, dtype=bool)
        d1 = self.columns.get("tokens_stage1")
        if d1 is not None and not law.has_scratch_part:
            kept = d1 > 0
        if d1 is not None and law.has_scratch_part and not (d1 == 0).any():
            return None
        kept &= np.all([np.isfinite(self.columns[name]) for name in law.variables], axis=0)
        columns = {name: self.columns[name][kept] for name in law.variables}
        varied = all(np.ptp(values) > 0 for values in columns.values() if values.size)
        if kept.sum() <= len(law.parameters) or not varied:
            return None
        return Case(self.name, key, Objective.of(law, columns, self.losses[kept], DELTA))

    def cases(self, keys: Sequence[str]) -> Iterator[Case]:
        """Yield those of the laws that apply."""
        for key in keys:
            case = self.case(key)
            if case is not None:
                yield case


def real_cases(folder: Path, *, every: bool = False) -> Iterator[Case]:
    """Yield laws on the tables in `folder`; of tables of many curves a few unless `every`."""
    for table in _one_stage_tables(folder, every):
        yield from table.cases(ONE_STAGE)
    for table in _two_stage_tables(folder):
        yield from table.cases(TWO_STAGE + WITH_SCRATCH)


def simulated_cases(n_tables: int, seed: int = 0) -> Iterator[Case]:
    """Yield two-stage laws on simulated tables of 3 to 12 levels of D1 and of D2."""
    for number in range(n_tables):
        yield from simulated(number, seed).cases(TWO_STAGE + WITH_SCRATCH)


def simulated(number: int, seed: int = 0) -> Table:
    """Return one simulated table: a random design, law, interaction, noise and outliers."""
    rng = np.random.default_rng([seed, number])
    n1, n2 = rng.integers(3, 13, size=2)
    d1 = np.geomspace(1.0, rng.choice([8.0, 64.0, 512.0]), n1) * 10 ** rng.uniform(5, 10)
    d2 = np.geomspace(1.0, rng.choice([8.0, 64.0, 512.0]), n2) * 10 ** rng.uniform(5, 10)
    sizes = np.geomspace(1.0, 30.0, rng.choice([1, 3])) * 10 ** rng.uniform(4.7, 8.5)
    bases = [0.0, *d1] if number % 2 else d1
    grid = [axis.ravel() for axis in np.meshgrid(bases, d2, sizes, indexing="ij")]
    if grid[0].size > 150:
        kept = rng.choice(grid[0].size, 150, replace=False)
        grid = [axis[np.sort(kept)] for axis in grid]
    columns = dict(zip(("tokens_stage1", "tokens_stage2", "params"), grid, strict=True))
    losses = _simulated_losses(columns, number, rng)
    columns["loss_base"] = np.where(grid[0] > 0, 1.3 + 20 * np.maximum(grid[0], 1) ** -0.2, np.nan)
    columns["replay"] = rng.choice([0.0, 0.1, 0.3, 0.5], size=grid[0].size)
    losses = losses * (1 + 0.1 * columns["replay"])
    return Table(f"simulated-{number}", columns, losses)


def _simulated_losses(columns: Columns, number: int, rng: np.random.Generator) -> Floats:
    d1, d2, size = (columns[n] for n in ("tokens_stage1", "tokens_stage2", "params"))
    x, y = (np.log(np.maximum(d, 1.0)) for d in (d1, d2))
    dx, dy = x - x[d1 > 0].mean(), y - y.mean()
    interaction = rng.choice([0.0, 0.002, 0.01, 0.03])
    a1, a2 = rng.uniform(0.03, 0.2), rng.uniform(0.05, 0.45)
    reducible = rng.uniform(0.3, 3.0) * np.exp(-a1 * dx - a2 * dy + interaction * dx * dy)
    if number % 3 == 1:
        reducible = rng.uniform(0.2, 1.0) * (np.exp(-2 * a1 * dx) + np.exp(-a2 * dy))
    scratch = rng.uniform(1.0, 4.0) * np.exp(-rng.uniform(0.1, 0.4) * dy)
    floor = rng.choice([0.0, 0.5, 1.5, 2.5])
    losses = floor + np.where(d1 > 0, reducible, scratch) + 0.2 * (size / size.min()) ** -0.3
    noise = rng.choice([5e-4, 2e-3, 5e-3, 2e-2])
    logs = rng.normal(0.0, noise, losses.size)
    if number % 4 == 3:  # 5 % gross errors
        logs += np.where(rng.random(losses.size) < 0.05, rng.normal(0.0, 0.2, losses.size), 0.0)
    return losses * np.exp(logs)


def chinchilla_columns() -> tuple[Columns, Floats]:
    """Return the 234 digitised rows: columns (n,) of the law chinchilla, and losses (n,)."""
    table = _one_stage("chinchilla", _read(CHINCHILLA))
    return table.columns, table.losses


def _read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _numbers(rows: Sequence[Row], name: str) -> Floats:
    return np.array([float(row[name] or "nan") for row in rows])


def _one_stage(
    name: str, rows: Sequence[Row], *, loss: str = "loss", tokens: str = "tokens"
) -> Table:
    columns = {"tokens_stage2": _numbers(rows, tokens), "params": _numbers(rows, "params")}
    if rows and "unique_tokens" in rows[0]:
        columns["unique_tokens"] = _numbers(rows, "unique_tokens")
    return Table(name, columns, _numbers(rows, loss))


def _one_stage_tables(folder: Path, every: bool) -> Iterator[Table]:
    yield _one_stage("chinchilla", _read(CHINCHILLA))
    if (path := folder / "datablations_final.csv").exists():
        yield _one_stage("datablations", _read(path))
    if (path := folder / "olmo_ladder_final.csv").exists():
        yield _one_stage("olmo", _read(path), loss="loss_c4_en")
    if (path := folder / "gadre_overtraining.csv").exists():
        parts = _split(_read(path), ("train_set", "eval_set"))
        yield from (_one_stage(f"gadre {n}", rows) for n, rows in _some(parts, every, 4))
    if (path := folder / "finetune_rectified_30models.csv").exists():
        rows = [row for row in _read(path) if float(row["finetune_samples"]) > 0]
        parts = _split(rows, ("task", "model"))
        for name, part in _some(parts, every, 12):
            yield _one_stage(f"finetune {name}", part, tokens="finetune_samples")


def _split(rows: Sequence[Row], by: tuple[str, ...]) -> dict[str, list[Row]]:
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(" ".join(row[name] for name in by), []).append(row)
    return parts


def _some(parts: dict[str, list[Row]], every: bool, n: int) -> list[tuple[str, list[Row]]]:
    named = list(parts.items())
    return named if every else named[:: max(len(named) // n, 1)][:n]


def _two_stage_tables(folder: Path) -> Iterator[Table]:
    path = folder / "tiny_two_stage.csv"
    tiny = _read(path if path.exists() else DATA / "tiny_two_stage.csv")
    tiny = [row for row in tiny if float(row["D2"]) > 0]
    short = {"tokens_stage1": "D1", "tokens_stage2": "D2", "params": "N"}
    for method in ("cpt", "stack"):
        yield _two_stage(f"tiny {method}", [r for r in tiny if r["method"] == method], short)
    study = _read(DATA / "two_stage_study.csv")
    long = {name: name for name in (*short, "loss_base", "replay")}
    for method in ("cpt", "stack"):
        rows = [row for row in study if row["method"] in (method, "scratch")]
        yield _two_stage(f"study {method}", rows, long)


def _two_stage(name: str, rows: Sequence[Row], names: dict[str, str]) -> Table:
    columns = {column: _numbers(rows, header) for column, header in names.items()}
    return Table(name, columns, _numbers(rows, "loss"))
