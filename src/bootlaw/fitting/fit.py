"""Fit one law to one table of runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw import __version__, laws
from bootlaw.errors import InputError
from bootlaw.fitting.blocks import refit_in_blocks
from bootlaw.fitting.bootstrap import Replicates, choose_scheme
from bootlaw.fitting.diagnostics import diagnose
from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.flatness import find_plateau
from bootlaw.fitting.identifiability import identify
from bootlaw.fitting.kernel import MOST_PARAMETERS
from bootlaw.fitting.objective import Loss, Objective, Scale, huber
from bootlaw.fitting.options import DELTA, Options, Search
from bootlaw.fitting.problem import solve
from bootlaw.fitting.profile_parameters import profile_parameters
from bootlaw.fitting.result import Estimate, Fit, Status
from bootlaw.fitting.rows import FitRows, complete_rows, select_rows
from bootlaw.fitting.trunk_noise import trunk_noise
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.laws import Constrained, Law, constrain
from bootlaw.laws.names import D1
from bootlaw.runs import RunTable, read_numbers, read_runs

LOSS = "loss"
Floats = NDArray[np.float64]


def fit(
    table: Any,
    law: str | Law = "bootstrapped",
    *,
    method: str | None = None,
    where: str | None = None,
    target: str = LOSS,
    bootstrap: int = 0,
    delta: float | Literal["auto"] = DELTA,
    loss: Loss = "huber",
    scale: Scale = "log",
    level: float = 0.95,
    resample: str = "auto",
    seed: int = 0,
    drop_lowest: float = 0.0,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | None = None,
    search: Search = "global",
    weights: str | None = None,
    errors: str | None = None,
    profile: Sequence[str] = (),
    remarks: bool = True,
) -> Fit:
    """Return `law` fitted to the runs in `table`.

    Minimises the sum over rows of the Huber loss of r = ln predicted - ln observed with all
    parameters free but A > 0 and E >= 0 (the objective of Hoffmann et al., arXiv 2203.15556).

    Parameters
    ----------
    table : a `RunTable`, or anything that `read_runs` takes.
    law : a law, its key, or a formula as ``formula:A*D1^-a1*D2^-a2 + E``.
    method, where, drop_lowest : which rows; see `select_rows`.
    target : the column that the law predicts. With another one than ``loss`` the table need not
        be a table of runs: all rows without gaps are used.
    bootstrap : number of refits to resampled tables, for the intervals; 0 for none, else 50
        or more.
    delta : residual at which Huber's loss turns from quadratic to linear, or the scale of
        Student's t; ``auto`` takes it from the residuals (1.345 robust standard deviations).
    loss : ``huber``, ``squared`` or ``student-t``.
    scale : residuals of logarithms (``log``) or of the losses themselves (``level``).
    level : coverage of the intervals.
    resample : ``auto``, ``random-effects``, ``pairs``, ``trunks`` or ``wild``; see
        `choose_scheme` and `resampled`.
    seed : of the bootstrap.
    fixed, tied, bounds, priors : parameter -> value, other parameter, (low, high), (mean,
        standard deviation), all in natural units. The prior of a coefficient is on its
        logarithm.
    start : a value of every free parameter, to start from besides points derived from the data.
    search : ``global``, or ``nearby`` to look around `start` only: much faster, for rows that
        differ little from those that it was fitted to.
    weights : a column of row weights, at least 0.
    errors : a column of known standard errors of the losses, such as ``loss_se``; rows count by
        the inverse of their known variance plus one that all rows share.
    profile : parameters that get a profile interval as well, at `level`; see
        `bootlaw.fitting.profile`, which also profiles forecasts and break-evens.
    remarks : False looks only for what makes the fit unusable and then makes no replicates, for
        many fits of similar rows.

    Raises
    ------
    InputError
        When the rows or the options make no sense. A fit whose parameters the rows cannot
        tell is returned, with status ``not_identifiable`` and a diagnostic that says why.
    """
    started = time.perf_counter()
    options = Options(
        bootstrap=bootstrap,
        delta=delta,
        loss=loss,
        scale=scale,
        level=level,
        resample=resample,
        seed=seed,
        fixed=fixed or {},
        tied=tied or {},
        bounds=bounds or {},
        priors=priors or {},
        start=start or {},
        search=search,
        weights=weights,
        errors=errors,
        profile=tuple(profile),
        remarks=remarks,
    )
    law = laws.get(law) if isinstance(law, str) else law
    if not law.variables:
        raise InputError(
            f"law {law.key} reads no column of the table, so it is the same number in every row; "
            "name a column, such as D2, in its formula"
        )
    constrained = constrain(law, options.fixed, options.tied)
    if len(constrained.law.names) > MOST_PARAMETERS:
        raise InputError(
            f"law {law.key} has {len(constrained.law.names)} parameters to fit, and at most "
            f"{MOST_PARAMETERS} are fitted; fix or tie some"
        )
    if target == LOSS:
        runs = table if isinstance(table, RunTable) else read_runs(table)
        rows = select_rows(runs, law, method=method, where=where, drop_lowest=drop_lowest)
    else:
        rows = complete_rows(
            read_numbers(table), law, target, method=method, where=where, drop_lowest=drop_lowest
        )
    return _fit_rows(rows, constrained, options, started)


def _fit_rows(rows: FitRows, constrained: Constrained, options: Options, started: float) -> Fit:
    solved = solve(rows.table, constrained, LOSS, options)
    objective, optimum, law = solved.objective, solved.optimum, constrained.law
    trunks = trunk_numbers(rows.table)
    n_spare = len(rows.table) - len(law.parameters)
    scheme = choose_scheme(options.resample, trunks, n_spare)
    identifiability = identify(objective, optimum, 0.0 if np.isnan(solved.scale) else solved.scale)
    refits = None
    usable = optimum.verified and identifiability.reason is None
    if options.bootstrap and (usable or options.remarks):
        refits = refit_in_blocks(
            objective, optimum, scheme, trunks, options.bootstrap, options.seed
        )
    evidence = Evidence(
        law=law,
        rows=rows,
        objective=objective,
        scale=solved.scale,
        optimum=optimum,
        values=_natural(law, optimum.u),
        identifiability=identifiability,
        plateau=find_plateau(objective, optimum) if identifiability.reason is None else None,
        delta=objective.delta,
        bootstrap=refits,
        replicates=_replicates(law, refits),
        level=options.level,
        n_trunks=int(trunks.max()) + 1 if _by_trunks(scheme) and trunks is not None else None,
        trunks_known=trunks is not None,
        bounds={
            name: (-np.inf if low is None else low, np.inf if high is None else high)
            for name, (low, high) in options.bounds.items()
        },
    )
    noise = solved.scale
    if scheme == "random-effects":
        noise = trunk_noise(objective, optimum.u, trunks).new_run_scale(options.level)
    said = diagnose(evidence, all_themes=options.remarks)
    result = _result(evidence, constrained, noise, scheme, said)
    profiles = profile_parameters(solved, trunks, options) if _usable(evidence) else {}
    return replace(result, profiles=profiles, seconds=time.perf_counter() - started)


def _usable(evidence: Evidence) -> bool:
    """Return whether there is one optimum that other fits can be compared with."""
    return evidence.optimum.verified and evidence.identifiability.reason is None


def _by_trunks(scheme: str) -> bool:
    """Return whether the scheme draws whole trunks, of which a few are too few."""
    return scheme in ("trunks", "wild")


def _result(
    evidence: Evidence,
    constrained: Constrained,
    scale: float,
    scheme: str,
    diagnostics: tuple[Diagnostic, ...],
) -> Fit:
    rows, objective = evidence.rows, evidence.objective
    residuals = objective.residuals(evidence.optimum.u)
    return Fit(
        law=constrained.full,
        values=constrained.expand(evidence.values),
        estimates=_estimates(evidence, constrained),
        replicates=constrained.expand(evidence.replicates),
        residual_scale=scale,
        objective=evidence.optimum.objective,
        objective_standard=_standard(objective, evidence.optimum.u),
        delta=objective.delta,
        loss=objective.loss,
        scale=objective.scale,
        fixed=dict(constrained.fixed),
        tied=dict(constrained.tied),
        level=evidence.level,
        rms_log=float(np.sqrt(np.mean(residuals**2))),
        n_rows=len(rows.table),
        n_dropped=rows.n_dropped,
        status=_status(evidence),
        diagnostics=diagnostics,
        ranges=_ranges(rows, constrained.full),
        method=rows.method,
        resample=scheme,
        rows_used=tuple(int(number) for number in rows.table.row_numbers),
        source=rows.table.source,
        profiles={},
        seconds=0.0,
        version=__version__,
    )


def _standard(objective: Objective, u: Floats) -> float:
    """Return the sum of Huber losses at delta 1e-3 with weight 1, whatever was minimised."""
    return float(huber(objective.residuals(u), DELTA).sum())


def _status(evidence: Evidence) -> Status:
    if evidence.identifiability.reason is not None:
        return "not_identifiable"
    if evidence.plateau is not None and evidence.plateau.hopeless:
        return "not_identifiable"
    return "converged" if evidence.optimum.verified else "not_converged"


def _estimates(evidence: Evidence, constrained: Constrained) -> dict[str, Estimate]:
    estimates = {}
    for parameter in constrained.full.parameters:
        name = constrained.tied.get(parameter.name, parameter.name)
        if name in constrained.fixed:
            value = constrained.fixed[name]
            estimates[parameter.name] = Estimate(value, value, value, parameter.unit)
            continue
        lower, upper = evidence.interval(name) if evidence.bootstrap else (None, None)
        estimates[parameter.name] = Estimate(evidence.value(name), lower, upper, parameter.unit)
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
        if not values.size:
            continue
        ranges[name] = (float(values.min()), float(values.max()))
    return ranges
