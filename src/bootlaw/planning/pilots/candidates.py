"""Runs that could be done next, what they cost, and how to read them from a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import words
from bootlaw.planning.cost import ModelShape, flops_per_token
from bootlaw.planning.pilots.costs import CostRules, Ledger
from bootlaw.planning.pilots.table import Pilots
from bootlaw.planning.source import Source
from bootlaw.runs import RunTable, read_numbers
from bootlaw.runs.schema import column_named

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Candidates:
    """n runs that could be done.

    Attributes
    ----------
    columns : the law's variables and both token counts, (n,) each; D1 = 0 from scratch.
    trunk : (n,) number of its trunk; those below `n_existing` are trunks of the pilots.
    cost : (n,) given costs, None where the rules say them.
    names : (n,) given names, empty where there are none.
    """

    columns: Mapping[str, Floats]
    trunk: Indices
    n_existing: int
    trunk_names: tuple[str, ...]
    cost: Floats | None = None
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.trunk.size

    def unit(self, shape: ModelShape | None) -> str:
        """Return what costs count."""
        if self.cost is not None:
            return "cost"
        return "FLOPs" if N in self.columns or shape is not None else "tokens"

    def _rate(self, shape: ModelShape | None) -> Floats:
        """Return (n,) what one token costs."""
        if shape is None and N not in self.columns:
            return np.ones(len(self))
        size = shape if shape is not None else self.columns[N]
        return np.broadcast_to(flops_per_token(size), self.trunk.shape)

    def select(self, keep: NDArray[np.bool_]) -> Candidates:
        """Return the candidates where `keep` (n,) is true."""
        return Candidates(
            {name: values[keep] for name, values in self.columns.items()},
            self.trunk[keep],
            self.n_existing,
            self.trunk_names,
            None if self.cost is None else self.cost[keep],
            tuple(np.array(self.names, dtype=object)[keep]) if self.names else (),
        )

    def describe(self, run: int) -> str:
        """Return the run in words."""
        tokens = words.tokens(self.columns[D2][run])
        base = self.columns[D1][run]
        text = (
            f"D1 = {words.tokens(base)}, D2 = {tokens}" if base else f"from scratch, D2 = {tokens}"
        )
        rest = [
            f"{name} = {words.tokens(values[run])}"
            for name, values in self.columns.items()
            if name not in (D1, D2)
        ]
        name = f"{self.names[run]}: " if self.names and self.names[run] else ""
        known = self.trunk[run] < self.n_existing
        on = f" on trunk {self.trunk_names[self.trunk[run]]}" if known else ""
        if self.n_existing and not known:
            on = " on a new trunk"
        return name + ", ".join([text, *rest]) + on

    def ledger(self, pilots: Pilots, rules: CostRules, shape: ModelShape | None = None) -> Ledger:
        """Return the candidates' costs, given what the pilots have trained.

        In FLOPs where the shape of the model or its number of parameters is known, else tokens.
        """
        reach = np.zeros(len(self.trunk_names))
        if self.n_existing:
            reach[: self.n_existing] = (1.0 - rules.cooldown) * pilots.of_trunks(D2)
        bases, base = self._bases()
        return Ledger(
            tokens=self.columns[D2],
            rate=self._rate(shape),
            trunk=self.trunk,
            base=base,
            base_tokens=bases[:, 0] if bases.size else np.zeros(0),
            reach=reach,
            there=self._there(bases, pilots, rules.there),
            used=np.zeros(len(self), dtype=bool),
            rules=rules,
            own=self.cost,
        )

    def _bases(self) -> tuple[Floats, Indices]:
        """Return the distinct bases (b, columns), D1 first, and the number (n,) of each run's."""
        with_base = self.columns[D1] > 0
        key = np.stack(
            [self.columns[D1], *([self.columns[N]] if N in self.columns else [])], axis=1
        )
        base = np.full(len(self), -1)
        if not with_base.any():
            return np.zeros((0, key.shape[1])), base
        bases, number = np.unique(np.round(np.log(key[with_base]), 6), axis=0, return_inverse=True)
        base[with_base] = number.reshape(-1)
        return np.exp(bases), base

    def _there(self, bases: Floats, pilots: Pilots, others: tuple[float, ...]) -> NDArray[np.bool_]:
        own = pilots.columns[D1][:, None]
        if N in self.columns and own.size:
            own = np.column_stack([own[:, 0], pilots.columns[N]])
        there = np.zeros(len(bases), dtype=bool)
        for number, base in enumerate(bases):
            near = np.abs(own / base - 1.0) < 0.01
            there[number] = bool(near.all(axis=1).any()) if own.size else False
            there[number] |= any(abs(other / base[0] - 1.0) < 0.01 for other in others)
        return there


def read_candidates(table: Any, source: Source, pilots: Pilots) -> Candidates:
    """Return the runs of a table: the law's columns, and `cost`, `trunk`, `run` where it has them.

    A run whose `trunk` is one of the pilots' branches off it; runs of one other `trunk` share a
    new one; without the column every run is a trunk of its own. A variable that the table lacks
    has the pilots' only value.

    Raises
    ------
    InputError
        When a column is missing, or a number makes no sense.
    """
    runs = _standard(table if isinstance(table, RunTable) else read_numbers(table))
    columns = {name: _column(runs, name, source) for name in _needed(source)}
    _check(runs, columns, source)
    labels = _labels(runs, "trunk")
    names = list(pilots.names) if pilots.shared else []
    existing, numbers = len(names), np.zeros(len(runs), dtype=np.intp)
    for row, label in enumerate(labels):
        if label == "" or label not in names:
            names.append(str(label) or f"new {row + 1}")
            numbers[row] = len(names) - 1
        else:
            numbers[row] = names.index(str(label))
    cost = runs.numbers("cost") if "cost" in runs else None
    if cost is not None and not (np.isfinite(cost) & (cost > 0)).all():
        raise InputError(f"{runs.source}: every cost must be a number above 0")
    return Candidates(columns, numbers, existing, tuple(names), cost, tuple(_labels(runs, "run")))


def _standard(runs: RunTable) -> RunTable:
    """Return the table under the names of the schema: D1, D2, N and the other aliases are read."""
    known = {name: column_named(name) for name in runs.columns}
    names = {name: name if found is None else found.name for name, found in known.items()}
    columns = {("tokens_stage2" if n == "tokens" else n): runs.columns[o] for o, n in names.items()}
    return RunTable(columns, runs.source, runs.row_numbers, runs.notes, runs.row_word)


def _labels(runs: RunTable, name: str) -> list[str]:
    if name not in runs:
        return [""] * len(runs)
    values = runs.columns[name]
    if values.dtype == object:
        return [str(value) for value in values]
    return ["" if np.isnan(value) else f"{value:g}" for value in values]


def _needed(source: Source) -> tuple[str, ...]:
    return tuple(dict.fromkeys((D1, D2, *source.law.variables)))


def _column(runs: RunTable, name: str, source: Source) -> Floats:
    if name in runs:
        return runs.numbers(name)
    if name == D1 and not source.law.is_two_stage:
        return np.zeros(len(runs))
    low, high = source.ranges.get(name, (np.nan, np.nan))
    if name != D2 and low == high:
        return np.full(len(runs), high)
    return runs.numbers(name)


def _check(runs: RunTable, columns: Mapping[str, Floats], source: Source) -> None:
    for name, values in columns.items():
        wrong = ~(np.isfinite(values) & (values >= 0) & ((values > 0) | (name != D2)))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise InputError(f"{runs.place(at)}, column '{name}': found {values[at]:g} for a run")
    if (columns[D1] == 0).any() and not source.answers("scratch"):
        raise InputError(
            f"{runs.source}: runs from scratch (tokens_stage1 = 0) tell nothing of the law "
            f"{source.law.key}, which has no part for them; leave them out"
        )
    if (columns[D1] > 0).any() and not source.answers("reuse"):
        raise InputError(
            f"{runs.source}: runs with a base tell nothing of {source.law.key}, a law of one stage"
        )
