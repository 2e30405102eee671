"""A law fitted to rows that are chosen already, and what it misses where some are held out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from bootlaw.fitting.diagnostics import diagnose
from bootlaw.fitting.misfit import Misfit
from bootlaw.fitting.options import Options
from bootlaw.fitting.outcome import Outcome, as_fit, work_out
from bootlaw.fitting.result import Fit
from bootlaw.fitting.rollouts import REPLICATES, law_misfits
from bootlaw.fitting.selection import FitRows
from bootlaw.laws import Constrained
from bootlaw.runs import RunTable


def fit_rows(
    rows: FitRows, constrained: Constrained, options: Options, started: float | None = None
) -> Fit:
    """Return the fit to all of the rows.

    Parameters
    ----------
    started : `time.perf_counter` when the work on it began; now where none is given.
    """
    started = time.perf_counter() if started is None else started
    outcome = work_out(rows, constrained, options)
    said = diagnose(outcome.evidence, all_themes=options.remarks)
    result = as_fit(outcome.evidence, constrained, outcome.noise, outcome.scheme, said)
    profiles = outcome.profiles(options)
    misfits = earned_misfits(outcome, constrained, options, [rows.method])
    seconds = time.perf_counter() - started
    return replace(result, profiles=profiles, misfits=misfits, seconds=seconds)


def earned_misfits(
    outcome: Outcome, constrained: Constrained, options: Options, methods: Sequence[str]
) -> tuple[Misfit, ...]:
    """Return what the law misses beyond its rows, where intervals were asked for.

    Parameters
    ----------
    methods : of the rows with a base; several for a law of several methods, in its order.
    """
    if not (options.bootstrap and options.remarks and outcome.status == "converged"):
        return ()
    law = constrained.law
    start = dict(zip(law.names, outcome.evidence.values.tolist(), strict=True))
    settings = replace(
        options,
        bootstrap=REPLICATES,
        profile=(),
        remarks=False,
        start=start,
        search="nearby",
    )

    def refit(table: RunTable) -> Fit:
        return fit_rows(FitRows(table, 0, methods[0], {}), constrained, settings)

    return law_misfits(outcome.evidence.rows.table, constrained.full, methods, refit)
