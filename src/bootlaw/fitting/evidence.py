"""What the diagnostics of a fit look at, and what they return."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.bootstrap import Replicates
from bootlaw.fitting.flatness import Plateau
from bootlaw.fitting.identifiability import Identifiability, weighted_jacobian
from bootlaw.fitting.local import middles
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum
from bootlaw.fitting.selection import FitRows
from bootlaw.laws import Law

Floats = NDArray[np.float64]
Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Diagnostic:
    """One remark about a fit: a stable code, words for people, how serious it is, and its number.

    `number` is the one in the message that says how far it goes; ``docs/diagnostics.md`` says of
    each code what it is.
    """

    code: str
    message: str
    severity: Severity
    number: float | None = None

    def to_json(self) -> dict[str, str | float | None]:
        """Return the remark as plain data; a number that is not finite becomes None."""
        known = self.number is not None and math.isfinite(self.number)
        return {
            "code": self.code,
            "message": self.message,
            "severity": self.severity,
            "number": self.number if known else None,
        }


class RowsOfLaw(Protocol):
    """What the diagnostics of a table look at: the rows, and the law for its variables."""

    @property
    def law(self) -> Law:
        """The law that reads the rows."""

    @property
    def rows(self) -> FitRows:
        """The rows."""


@dataclass(frozen=True)
class Evidence:
    """All that the diagnostics look at.

    Attributes
    ----------
    objective : of the rows themselves, not of a resampled table.
    scale : robust standard deviation of the log residuals, NaN where no row is to spare.
    noise : standard deviation of a new run's log residual; see `Fit.residual_scale`.
    values : (p,) natural units.
    replicates : (R, p) natural units; None without a bootstrap.
    n_trunks : trunks that a bootstrap resamples; None where it resamples rows.
    trunks_known : whether the table tells which rows share a trunk.
    plateau : where the objective equals its minimum, None where that is one point.
    bounds : name -> (lower, upper) that the user gave, natural units.
    fixed : names of the parameters that were not fitted: fixed, or tied to another one.
    """

    law: Law
    rows: FitRows
    objective: Objective
    scale: float
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
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    noise: float = math.nan

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

    @property
    def identifiable(self) -> bool:
        """Whether the rows tell the parameters; where not, their values are any of many."""
        return self.identifiability.reason is None

    @property
    def determined(self) -> bool:
        """Whether the parameters have plug-in errors that mean something."""
        return self.identifiable and math.isfinite(self.scale)

    @cached_property
    def middles(self) -> list[dict[str, float]]:
        """The middle of the rows, and that of those from scratch where the law has them."""
        return middles({name: self.rows.table.numbers(name) for name in self.law.variables})

    @cached_property
    def residuals(self) -> Floats:
        """Log residuals (n,)."""
        return self.objective.residuals(self.optimum.u)

    @cached_property
    def jacobian(self) -> Floats:
        """Weighted derivatives of the log residuals (n, p), internal coordinates."""
        return weighted_jacobian(self.objective, self.optimum.u)
