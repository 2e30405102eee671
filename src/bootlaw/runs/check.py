"""`check_runs`: what is in a run table, and what stands in the way of a fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bootlaw.runs.findings import Finding, find_all
from bootlaw.runs.quantities import format_number, short
from bootlaw.runs.schema import BY_NAME
from bootlaw.runs.table import RunTable

__all__ = ["Finding", "RunCheck", "check_runs"]

_MOST_LEVELS = 10  # levels that are printed one by one


@dataclass(frozen=True)
class RunCheck:
    """Contents of a run table and the findings about it; counts are numbers of rows."""

    source: str
    n_rows: int
    columns: Mapping[str, str]
    """Name of each column -> ``number`` or ``text``."""
    methods: Mapping[str, int]
    params: Mapping[float, int]
    tokens_stage1: Mapping[float, int]
    tokens_stage2: Mapping[float, int]
    eval_data: Mapping[str, int]
    seeds: Mapping[float, int]
    n_trunks: int
    ranges: Mapping[str, tuple[float, float]]
    """Smallest and largest value of each column of numbers in the schema."""
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the check as plain data; levels become lists of value and rows."""
        return {
            "status": "ok",
            "source": self.source,
            "n_rows": self.n_rows,
            "columns": dict(self.columns),
            "methods": dict(self.methods),
            "params": _levels_json(self.params),
            "tokens_stage1": _levels_json(self.tokens_stage1),
            "tokens_stage2": _levels_json(self.tokens_stage2),
            "eval_data": dict(self.eval_data),
            "seeds": _levels_json(self.seeds),
            "n_trunks": self.n_trunks,
            "ranges": {name: list(limits) for name, limits in self.ranges.items()},
            "notes": list(self.notes),
            "findings": [finding.to_json() for finding in self.findings],
        }

    def __str__(self) -> str:
        lines = [f"{self.source}: {self.n_rows} row{'s' * (self.n_rows != 1)}", *self._contents()]
        lines += [f"{item.severity}: {item.message} [{item.code}]" for item in self.findings]
        if not any(item.severity == "warning" for item in self.findings):
            lines.append("no warnings")
        return "\n".join(lines)

    def _contents(self) -> list[str]:
        numbers = ("params", "tokens_stage1", "tokens_stage2", "seeds")
        contents = {"methods": _texts(self.methods)}
        contents |= {name: _numbers(getattr(self, name)) for name in numbers}
        contents["eval_data"] = _texts(self.eval_data)
        contents["trunks"] = str(self.n_trunks or "")
        low, high = self.ranges["loss"]
        contents["loss"] = f"{low:.4g} to {high:.4g} nats per token"
        return [f"  {name:<15}{text}" for name, text in contents.items() if text]


def check_runs(table: RunTable) -> RunCheck:
    """Return what `table` holds and what to know before fitting it."""
    numbers = {name for name, values in table.columns.items() if values.dtype != object}
    return RunCheck(
        source=table.source,
        n_rows=len(table),
        columns={name: "number" if name in numbers else "text" for name in table.columns},
        methods=_text_counts(table, "method"),
        params=_levels(table, "params"),
        tokens_stage1=_levels(table, "tokens_stage1"),
        tokens_stage2=_levels(table, "tokens_stage2"),
        eval_data=_text_counts(table, "eval_data"),
        seeds=_levels(table, "seed"),
        n_trunks=len(_text_counts(table, "trunk")),
        ranges={
            name: (float(np.nanmin(values)), float(np.nanmax(values)))
            for name, values in table.columns.items()
            if name in numbers and name in BY_NAME and not np.isnan(values).all()
        },
        notes=table.notes,
        findings=find_all(table),
    )


def _text_counts(table: RunTable, name: str) -> dict[str, int]:
    if name not in table:
        return {}
    return dict(Counter(value for value in table.text(name) if value).most_common())


def _levels(table: RunTable, name: str) -> dict[float, int]:
    if name not in table:
        return {}
    values = table.numbers(name)
    return dict(sorted(Counter(values[~np.isnan(values)].tolist()).items()))


def _levels_json(levels: Mapping[float, int]) -> list[dict[str, float]]:
    return [{"value": value, "rows": rows} for value, rows in levels.items()]


def _texts(counts: Mapping[str, int]) -> str:
    shown = [f"{value} ({rows})" for value, rows in list(counts.items())[:_MOST_LEVELS]]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _numbers(levels: Mapping[float, int]) -> str:
    if len(levels) <= _MOST_LEVELS:
        write = format_number if all(abs(value) < 1000 for value in levels) else short
        return ", ".join(f"{write(value)} ({rows})" for value, rows in levels.items())
    return f"{len(levels)} levels from {short(min(levels))} to {short(max(levels))}"
