"""A fitted law: its parameters, how far to trust them, and where they are from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.arguments import as_path
from bootlaw.fitting.evidence import Diagnostic
from bootlaw.fitting.misfit import Misfit
from bootlaw.laws import Law
from bootlaw.laws.names import SHORT_NAMES
from bootlaw.runs import RunTable, read_runs

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
    residual_scale : standard deviation of a new run's log residual, for prediction noise: of a
        new trunk and a row in it for the scheme ``random-effects`` (`TrunkNoise.new_run_scale`),
        of single rows, robust, for the others; NaN where no row is to spare.
    objective : the minimised sum over rows (Huber losses of log residuals by default).
    objective_standard : the sum of Huber losses at delta 1e-3, for comparison with other tools.
    loss, scale : what was minimised; see `bootlaw.fitting.objective.Objective`.
    profiles : parameter -> profile interval at `level`, for those that were asked for.
    fixed, tied : parameters that were held at a value or equal to another one.
    rms_log : root mean square log residual.
    ranges : variable -> (least, greatest) fitted value; tokens_stage1 over rows with a base.
    rows_used : line or record numbers in the table's source.
    resample : the bootstrap scheme used.
    misfits : what the law missed when its largest D1, D2 and N were held out, as far as the rows
        allow; none without a bootstrap.
    eval_data : the held-out text that the losses are of; empty where the table does not say.
    """

    law: Law
    values: Floats
    estimates: Mapping[str, Estimate]
    replicates: Floats
    residual_scale: float
    objective: float
    objective_standard: float
    delta: float
    loss: str
    scale: str
    fixed: Mapping[str, float]
    tied: Mapping[str, str]
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
    profiles: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    misfits: tuple[Misfit, ...] = ()
    eval_data: str = ""

    def value(self, name: str) -> float:
        """Return a parameter's value; InputError for a name that the law lacks."""
        return float(self.values[self.law.index(name)])

    @property
    def n_free(self) -> int:
        """The number of parameters that were fitted."""
        return len(self.law.parameters) - len(self.fixed) - len(self.tied)

    def predict(self, table: Any) -> Floats:
        """Return the loss (n,) in nats.

        Parameters
        ----------
        table : the law's columns as a mapping (short names such as D1 are known), a run table,
            or anything that `read_runs` takes.
        """
        return self.law.loss(self.values, _columns(self.law, table))

    def predict_replicates(self, table: Any) -> Floats:
        """Return the loss (R, n) of every replicate: the spread of the prediction.

        A refit that leaves the range of floats far from the data has the largest of them, so
        that quantiles of the spread exist.
        """
        losses = self.law.loss(self.replicates, _columns(self.law, table))
        return np.minimum(losses, np.finfo(np.float64).max)

    def to_json(self) -> dict[str, Any]:
        """Return the fit as plain data, a dictionary ready for ``json.dumps``.

        `from_json` restores it exactly; `save` and `load` write and read it as a file.
        """
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

        write(self, as_path(path))

    @classmethod
    def load(cls, path: str | Path) -> Fit:
        """Return the fit in a JSON file; InputError where it is not one."""
        from bootlaw.fitting.document import read

        return read(as_path(path))

    def summary(self) -> str:
        """Return the fit as a text table for people."""
        from bootlaw.fitting.summary import summarise

        return summarise(self)


def _columns(law: Law, table: Any) -> Mapping[str, ArrayLike]:
    """Return the law's variables from a mapping, a run table or what can be read as one."""
    if isinstance(table, Mapping):
        return {SHORT_NAMES.get(name, name): values for name, values in table.items()}
    runs = table if isinstance(table, RunTable) else read_runs(table)
    return {name: runs.numbers(name) for name in law.variables}
