"""What a reader of a fit should know, in words, each with a code, a number and what to do.

One module per theme; each has ``CHECKS``, functions from the evidence to the remarks that apply.
``docs/diagnostics.md`` lists every code.
"""

from __future__ import annotations

from dataclasses import dataclass

from bootlaw.fitting.diagnostics import (
    bounds,
    design,
    directions,
    intervals,
    mixtures,
    replicates,
    residuals,
    scales,
    signs,
    standing,
)
from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.selection import FitRows
from bootlaw.laws import Law
from bootlaw.runs import RunTable

__all__ = ["Diagnostic", "diagnose", "table_remarks"]

_THEMES = (
    standing,
    scales,
    bounds,
    directions,
    design,
    signs,
    mixtures,
    residuals,
    replicates,
    intervals,
)


def diagnose(evidence: Evidence, *, all_themes: bool = True) -> tuple[Diagnostic, ...]:
    """Return all remarks that apply, the serious ones first.

    Without `all_themes` only those that say whether the fit can be used at all.
    """
    themes = _THEMES if all_themes else (standing,)
    checks = [check for theme in themes for check in theme.CHECKS]
    found = [remark for check in checks for remark in check(evidence)]
    order = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda remark: order[remark.severity]))


@dataclass(frozen=True)
class _Rows:
    law: Law
    rows: FitRows


def table_remarks(table: RunTable, law: Law) -> tuple[Diagnostic, ...]:
    """Return the remarks that need no fit: units that are mixed or odd, rows that repeat."""
    subject = _Rows(law, FitRows(table, 0, "", {}))
    checks = (*scales.CHECKS, mixtures.duplicate_rows)
    return tuple(remark for check in checks for remark in check(subject))
