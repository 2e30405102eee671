"""What the diagnostics of a fit look at, and what they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.bootstrap import Replicates
from bootlaw.fitting.flatness import Plateau
from bootlaw.fitting.identifiability import Identifiability
from bootlaw.fitting.optimum import Optimum
from bootlaw.fitting.rows import FitRows
from bootlaw.laws import Law

Floats = NDArray[np.float64]
Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Diagnostic:
    """One remark about a fit: a stable code, words for people, and how serious it is."""

    code: str
    message: str
    severity: Severity

    def to_json(self) -> dict[str, str]:
        """Return the remark as plain data."""
        return {"code": self.code, "message": self.message, "severity": self.severity}


@dataclass(frozen=True)
class Evidence:
    """All that the diagnostics look at.

    Attributes
    ----------
    values : (p,) natural units.
    replicates : (R, p) natural units; None without a bootstrap.
    n_trunks : trunks that a bootstrap resamples; None where it resamples rows.
    trunks_known : whether the table tells which rows share a trunk.
    plateau : where the objective equals its minimum, None where that is one point.
    """

    law: Law
    rows: FitRows
    optimum: Optimum
    values: Floats
    identifiability: Identifiability
    bootstrap: Replicates | None
    replicates: Floats
    level: float
    n_trunks: int | None
    trunks_known: bool
    plateau: Plateau | None
    delta: float

    def value(self, name: str) -> float:
        """Return a parameter's value."""
        return float(self.values[self.law.index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """Return a parameter's percentile interval."""
        tail = (1 - self.level) / 2
        draws = self.replicates[:, self.law.index(name)]
        low, high = np.quantile(draws, [tail, 1 - tail])
        return float(low), float(high)

    def filled(self, column: str) -> list[object]:
        """Return the distinct non-empty values of a column."""
        if column not in self.rows.table:
            return []
        values = self.rows.table.columns[column]
        return sorted({v for v in values.tolist() if v not in ("",) and v == v})
