"""Fit one law to one table of runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw import __version__, laws
from bootlaw.errors import InputError
from bootlaw.fitting.bootstrap import Replicates, choose_scheme, refit, resampled
from bootlaw.fitting.diagnostics import diagnose
from bootlaw.fitting.evidence import Evidence
from bootlaw.fitting.flatness import find_plateau
from bootlaw.fitting.identifiability import identify
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import find_optimum
from bootlaw.fitting.result import Estimate, Fit, Status
from bootlaw.fitting.rows import FitRows, select_rows
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.laws import Law
from bootlaw.laws.features import D1
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]

LEAST_BOOTSTRAP = 50
"""Refits below which a 95 % percentile interval is the range of the refits or little else."""


@dataclass(frozen=True)
class _Options:
    """How to fit, checked."""

    bootstrap: int
    delta: float
    level: float
    resample: str
    seed: int

    def __post_init__(self) -> None:
        if self.bootstrap < 0:
            raise InputError(f"bootstrap is a number of refits, 0 or more, not {self.bootstrap}")
        if 0 < self.bootstrap < LEAST_BOOTSTRAP:
            raise InputError(
                f"bootstrap {self.bootstrap} is too few refits for an interval: give 0 for none, "
                f"at least {LEAST_BOOTSTRAP}, or 1000 for intervals to quote"
            )
        if not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(f"delta is a log residual above 0, such as 1e-3, not {self.delta}")
        if not 0 < self.level < 1:
            raise InputError(f"level is a coverage between 0 and 1, such as 0.95, not {self.level}")


def fit(
    table: Any,
    law: str | Law = "bootstrapped",
    *,
    method: str | None = None,
    where: str | None = None,
    bootstrap: int = 0,
    delta: float = 1e-3,
    level: float = 0.95,
    resample: str = "auto",
    seed: int = 0,
    drop_lowest: float = 0.0,
) -> Fit:
    """Return `law` fitted to the runs in `table`.

    Minimises the sum over rows of the Huber loss of r = ln predicted - ln observed with all
    parameters free but A > 0 and E >= 0 (the objective of Hoffmann et al., arXiv 2203.15556).

    Parameters
    ----------
    table : a `RunTable`, or anything that `read_runs` takes.
    law : a law or its key.
    method, where, drop_lowest : which rows; see `select_rows`.
    bootstrap : number of refits to resampled tables, for the intervals; 0 for none, else 50
        or more.
    delta : log residual at which the loss turns from quadratic to linear.
    level : coverage of the percentile intervals.
    resample : ``auto``, ``pairs``, ``trunks`` or ``wild``; see `choose_scheme`.
    seed : of the bootstrap.

    Raises
    ------
    InputError
        When the rows or the options make no sense. A fit whose parameters the rows cannot
        tell is returned, with status ``not_identifiable`` and a diagnostic that says why.
    """
    started = time.perf_counter()
    options = _Options(bootstrap, delta, level, resample, seed)
    law = laws.get(law) if isinstance(law, str) else law
    runs = table if isinstance(table, RunTable) else read_runs(table)
    rows = select_rows(runs, law, method=method, where=where, drop_lowest=drop_lowest)
    return _fit_rows(rows, law, options, started)


def residual_scale(residuals: Floats, n_params: int) -> float:
    """Return a robust standard deviation of the residuals (n,), NaN where none is to spare.

    The median absolute residual after leaving out the `n_params` smallest, which a robust fit
    forces to about 0, over 0.6745, that of a standard normal (Street, Carroll & Ruppert, Am.
    Stat. 42 (1988) 152).
    """
    if residuals.size <= n_params:
        return float("nan")
    return float(np.median(np.sort(np.abs(residuals))[n_params:]) / 0.6745)


def _fit_rows(rows: FitRows, law: Law, options: _Options, started: float) -> Fit:
    columns = {name: rows.table.numbers(name) for name in law.variables}
    objective = Objective.of(law, columns, rows.table.numbers("loss"), options.delta)
    trunks = trunk_numbers(rows.table)
    scheme = choose_scheme(options.resample, trunks)
    optimum = find_optimum(objective)
    scale = residual_scale(objective.residuals(optimum.u), optimum.u.size)
    identifiability = identify(objective, optimum, 0.0 if np.isnan(scale) else scale)
    refits = None
    if options.bootstrap:
        tables = resampled(objective, optimum.u, scheme, trunks, options.bootstrap, options.seed)
        refits = refit(tables, optimum, options.bootstrap)
    evidence = Evidence(
        law=law,
        rows=rows,
        optimum=optimum,
        values=_natural(law, optimum.u),
        identifiability=identifiability,
        plateau=find_plateau(objective, optimum) if identifiability.reason is None else None,
        delta=objective.delta,
        bootstrap=refits,
        replicates=_replicates(law, refits),
        level=options.level,
        n_trunks=None if scheme == "pairs" or trunks is None else int(trunks.max()) + 1,
        trunks_known=trunks is not None,
    )
    return _result(evidence, objective, scale, scheme, time.perf_counter() - started)


def _result(
    evidence: Evidence, objective: Objective, scale: float, scheme: str, seconds: float
) -> Fit:
    rows, law = evidence.rows, evidence.law
    residuals = objective.residuals(evidence.optimum.u)
    return Fit(
        law=law,
        values=evidence.values,
        estimates=_estimates(evidence),
        replicates=evidence.replicates,
        residual_scale=scale,
        objective=evidence.optimum.objective,
        delta=objective.delta,
        level=evidence.level,
        rms_log=float(np.sqrt(np.mean(residuals**2))),
        n_rows=len(rows.table),
        n_dropped=rows.n_dropped,
        status=_status(evidence),
        diagnostics=diagnose(evidence),
        ranges=_ranges(rows, law),
        method=rows.method,
        resample=scheme,
        rows_used=tuple(int(number) for number in rows.table.row_numbers),
        source=rows.table.source,
        seconds=seconds,
        version=__version__,
    )


def _status(evidence: Evidence) -> Status:
    if evidence.identifiability.reason is not None:
        return "not_identifiable"
    if evidence.plateau is not None and evidence.plateau.hopeless:
        return "not_identifiable"
    return "converged" if evidence.optimum.verified else "not_converged"


def _estimates(evidence: Evidence) -> dict[str, Estimate]:
    estimates = {}
    for parameter in evidence.law.parameters:
        lower, upper = evidence.interval(parameter.name) if evidence.bootstrap else (None, None)
        estimates[parameter.name] = Estimate(
            evidence.value(parameter.name), lower, upper, parameter.unit
        )
    return estimates


def _natural(law: Law, u: Floats) -> Floats:
    """Return natural parameters; a coefficient at infinity is kept at the largest float."""
    return law.from_internal(np.where(law.logged, np.clip(u, -700.0, 700.0), u))


def _replicates(law: Law, refits: Replicates | None) -> Floats:
    return np.zeros((0, len(law.parameters))) if refits is None else _natural(law, refits.u)


def _ranges(rows: FitRows, law: Law) -> dict[str, tuple[float, float]]:
    ranges = {}
    for name in law.variables:
        values = rows.table.numbers(name)
        if name == D1:
            values = values[values > 0]
        ranges[name] = (float(values.min()), float(values.max()))
    return ranges
