"""Remarks on the noise of the runs: what it leaves open, and how far to trust intervals."""

from __future__ import annotations

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.replicas import replicate_spread

FEW_TRUNKS = 12
"""Below about a dozen clusters a wild cluster bootstrap tends to give short intervals:
Cameron, Gelbach & Miller, Rev. Econ. Stat. 90 (2008) 414."""

FEW_REPLICATES = 200
"""Refits below which the ends of a 95 % percentile interval rest on fewer than five of them."""

SMALL_DELTA = 10.0
"""Spread of replicates, in deltas, from which most rows lie in the linear part of the Huber
loss, so that the fit is nearly one of least absolute deviations."""


def _flat_optimum(e: Evidence) -> Diagnostic | None:
    if e.plateau is None:
        return None
    name = e.plateau.moving[0]
    at = e.law.index(name)
    low, high = e.plateau.lower[at], e.plateau.upper[at]
    others = " and ".join(e.plateau.moving[1:])
    spread = replicate_spread(e.rows.table)
    if spread is not None and spread > e.delta:
        cause = "replicates of one cell differ by more than delta; average the seeds, or "
        example = f"to their spread, {spread:.1g}"
    else:
        cause, example = "most rows lie further than delta from the curve; ", "to 0.01"
    return Diagnostic(
        "flat_optimum",
        f"{name} is undetermined between {low:.4g} and {high:.4g}"
        + (f" ({others} with it)" if others else "")
        + f", all fit equally well: {cause}raise --delta (say {example})",
        "error" if e.plateau.hopeless else "warning",
    )


def _delta_below_noise(e: Evidence) -> Diagnostic | None:
    spread = replicate_spread(e.rows.table)
    if spread is None or spread <= SMALL_DELTA * e.delta:
        return None
    return Diagnostic(
        "delta_below_noise",
        f"runs of one cell (same tokens, params and data) differ by {spread:.2g} in log loss in "
        f"the median, {spread / e.delta:.0f} times delta: the fit is nearly one through the "
        "medians; --delta near the spread uses the rows better",
        "info",
    )


def _few_trunks(e: Evidence) -> Diagnostic | None:
    if e.bootstrap is None or e.n_trunks is None or e.n_trunks >= FEW_TRUNKS:
        return None
    return Diagnostic(
        "few_trunks",
        f"intervals rest on {e.n_trunks} trunks and may be too short below {FEW_TRUNKS}; add "
        "trunks (seeds or levels of D1)",
        "warning",
    )


def _trunks_unknown(e: Evidence) -> Diagnostic | None:
    if e.bootstrap is None or e.trunks_known or e.n_trunks is not None:
        return None
    return Diagnostic(
        "trunks_unknown",
        "the table tells no trunks (a column trunk, or seed, filled in), so rows were resampled "
        "singly: the intervals take runs as independent and are too short where runs share one",
        "warning",
    )


def _few_replicates(e: Evidence) -> Diagnostic | None:
    if e.bootstrap is None or len(e.replicates) >= FEW_REPLICATES:
        return None
    return Diagnostic(
        "few_replicates",
        f"intervals rest on {len(e.replicates)} refits, so their ends are rough; use "
        f"--bootstrap {FEW_REPLICATES} or more, 1000 to quote them",
        "warning",
    )


def _replicates_not_converged(e: Evidence) -> Diagnostic | None:
    if e.bootstrap is None or e.bootstrap.share_converged == 1.0:
        return None
    share = 1.0 - e.bootstrap.share_converged
    return Diagnostic(
        "replicates_not_converged",
        f"{share:.1%} of the bootstrap refits stopped short of a verified optimum and are kept "
        "where they stopped; above 5 % do not trust the intervals",
        "warning" if share > 0.05 else "info",
    )


NOISE_CHECKS = (
    _flat_optimum,
    _delta_below_noise,
    _few_trunks,
    _trunks_unknown,
    _few_replicates,
    _replicates_not_converged,
)
