"""Fit one law to one table of runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bootlaw.arguments import require_text, require_text_or_none
from bootlaw.errors import InputError
from bootlaw.fitting.fitted_rows import fit_rows
from bootlaw.fitting.kernel import MOST_PARAMETERS
from bootlaw.fitting.objective import Loss, Scale
from bootlaw.fitting.options import DELTA, Options, Search
from bootlaw.fitting.result import Fit
from bootlaw.fitting.rows import complete_rows, select_rows
from bootlaw.laws import Law, as_law, constrain
from bootlaw.runs import RunTable, read_numbers, read_runs

LOSS = "loss"


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
    profile : parameters that get a profile interval as well, at `level`, and points such as
        ``D1=1e9,D2=20B`` whose expected loss does; see `bootlaw.fitting.profile`, which also
        profiles break-evens.
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
        fixed={} if fixed is None else fixed,
        tied={} if tied is None else tied,
        bounds={} if bounds is None else bounds,
        priors={} if priors is None else priors,
        start={} if start is None else start,
        search=search,
        weights=weights,
        errors=errors,
        profile=names_of(profile),
        remarks=remarks,
    )
    law = as_law(law)
    require_text(target=target)
    require_text_or_none(method=method, where=where)
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
    return fit_rows(rows, constrained, options, started)


def names_of(profile: object) -> tuple[str, ...]:
    """Return the parameters to profile, given as a list of names or as one name."""
    listed = (profile,) if isinstance(profile, str) else profile
    if not isinstance(listed, tuple | list):
        raise InputError(f"profile is a list of parameters, not {profile!r:.100}")
    return tuple(str(name) for name in listed)
