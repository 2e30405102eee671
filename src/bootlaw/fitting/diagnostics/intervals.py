"""How far to trust the intervals of a bootstrap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.trunks import trunk_numbers

FEW_TRUNKS = 12
"""Below about a dozen clusters a wild cluster bootstrap tends to give short intervals:
Cameron, Gelbach & Miller, Rev. Econ. Stat. 90 (2008) 414."""

OPEN_NOISE = 4.0
"""Noise of a new run over the rows' distance from the curve, from which the trunks, not the
rows, make the intervals wide."""

FEW_REPLICATES = 200
"""Refits below which the ends of a 95 % percentile interval rest on fewer than five of them."""


def _few_trunks(e: Evidence) -> Iterator[Diagnostic]:
    if e.bootstrap is None or e.n_trunks is None or e.n_trunks >= FEW_TRUNKS:
        return
    yield Diagnostic(
        "few_trunks",
        f"intervals rest on {e.n_trunks} trunks and may be too short below {FEW_TRUNKS}; add "
        "trunks (seeds or levels of D1)",
        "warning",
        e.n_trunks,
    )


def _trunks_unknown(e: Evidence) -> Iterator[Diagnostic]:
    if e.bootstrap is None or e.trunks_known or e.n_trunks is not None:
        return
    rows = len(e.rows.table)
    yield Diagnostic(
        "trunks_unknown",
        f"the table tells no trunks (a column trunk, or seed, filled in), so {rows} rows were "
        "resampled singly: the intervals take runs as independent and are too short where runs "
        "share one; add the column",
        "warning",
        rows,
    )


def _one_seed(e: Evidence) -> Iterator[Diagnostic]:
    """Say the same of one family of rows as `one_trunk` says of a named trunk."""
    if e.bootstrap is None or e.filled("trunk"):
        return
    trunks = trunk_numbers(e.rows.table)
    if trunks is None or trunks.max() > 0 or trunks.size == 1:
        return
    yield Diagnostic(
        "one_seed",
        f"the {trunks.size} rows have one seed, D1 and size, so how much runs of other seeds "
        "differ cannot be told: the intervals hold for runs of this one; add runs with another",
        "warning",
        trunks.size,
    )


def _trunk_noise_open(e: Evidence) -> Iterator[Diagnostic]:
    trunks = trunk_numbers(e.rows.table) if e.bootstrap is not None else None
    if trunks is None or not np.isfinite(e.noise):
        return
    seen = float(np.sqrt(np.mean(e.objective.residuals(e.optimum.u) ** 2)))
    if e.noise <= OPEN_NOISE * seen or not 1 <= trunks.max() < trunks.size - 1:
        return
    n_trunks = int(trunks.max()) + 1
    yield Diagnostic(
        "trunk_noise_open",
        f"{n_trunks} trunks do not tell how much runs of other seeds differ: rows lie "
        f"{seen:.2g} from the curve, yet noise up to {e.noise:.2g} cannot be ruled out, and the "
        "intervals allow for it; they narrow with runs of a second seed at the same D1",
        "warning",
        e.noise / seen,
    )


def _few_replicates(e: Evidence) -> Iterator[Diagnostic]:
    if e.bootstrap is None or len(e.replicates) >= FEW_REPLICATES:
        return
    yield Diagnostic(
        "few_replicates",
        f"intervals rest on {len(e.replicates)} refits, so their ends are rough; use "
        f"--bootstrap {FEW_REPLICATES} or more, 1000 to quote them",
        "warning",
        len(e.replicates),
    )


def _replicates_not_converged(e: Evidence) -> Iterator[Diagnostic]:
    if e.bootstrap is None or e.bootstrap.share_converged == 1.0:
        return
    share = 1.0 - e.bootstrap.share_converged
    yield Diagnostic(
        "replicates_not_converged",
        f"{share:.1%} of the bootstrap refits stopped short of a verified optimum and are kept "
        "where they stopped; above 5 % do not trust the intervals, try a larger --delta",
        "warning" if share > 0.05 else "info",
        share,
    )


CHECKS = (
    _few_trunks,
    _trunks_unknown,
    _one_seed,
    _trunk_noise_open,
    _few_replicates,
    _replicates_not_converged,
)
