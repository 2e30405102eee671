"""A fitted law: its parameters, how far to trust them, and where they are from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.fitting.evidence import Diagnostic
from bootlaw.laws import Law

Floats = NDArray[np.float64]
Status = Literal["converged", "not_converged", "not_identifiable"]


@dataclass(frozen=True)
class Estimate:
    """A parameter's value and interval; `lower` and `upper` are None without a bootstrap."""

    value: float
    lower: float | None
    upper: float | None
    unit: str


@dataclass(frozen=True, eq=False)
class Fit:
    """One law fitted to one table.

    Attributes
    ----------
    values : (p,) in natural units, in the order of ``law.parameters``.
    estimates : name -> value with its percentile interval at `level`.
    replicates : (R, p) bootstrap refits, (0, p) without a bootstrap.
    residual_scale : robust standard deviation of a run's log residual, for prediction noise;
        NaN where no row is to spare.
    objective : the sum over rows of the Huber loss of the log residual.
    rms_log : root mean square log residual.
    ranges : variable -> (least, greatest) fitted value; tokens_stage1 over rows with a base.
    rows_used : line or record numbers in the table's source.
    resample : the bootstrap scheme used.
    """

    law: Law
    values: Floats
    estimates: Mapping[str, Estimate]
    replicates: Floats
    residual_scale: float
    objective: float
    delta: float
    level: float
    rms_log: float
    n_rows: int
    n_dropped: int
    status: Status
    diagnostics: tuple[Diagnostic, ...]
    ranges: Mapping[str, tuple[float, float]]
    method: str
    resample: str
    rows_used: tuple[int, ...]
    source: str
    seconds: float
    version: str

    def value(self, name: str) -> float:
        """Return a parameter's value; InputError for a name that the law lacks."""
        return float(self.values[self.law.index(name)])

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return the loss (n,) in nats at the given tokens."""
        return self.law.loss(self.values, columns)

    def predict_replicates(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return the loss (R, n) of every bootstrap refit: the spread of the prediction."""
        return self.law.loss(self.replicates, columns)

    def to_json(self) -> dict[str, Any]:
        """Return the fit as plain data that `from_json` restores exactly."""
        from bootlaw.fitting.document import to_document

        return to_document(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Fit:
        """Return the fit that `to_json` wrote; InputError for any other document."""
        from bootlaw.fitting.document import from_document

        return from_document(document)

    def save(self, path: str | Path) -> None:
        """Write the fit as a JSON file; a reader sees the old file or the new one, no half."""
        from bootlaw.fitting.document import write

        write(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Fit:
        """Return the fit in a JSON file; InputError where it is not one."""
        from bootlaw.fitting.document import read

        return read(Path(path))

    def summary(self) -> str:
        """Return the fit as a text table for people."""
        from bootlaw.fitting.summary import summarise

        return summarise(self)
