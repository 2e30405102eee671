"""A fit as text for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootlaw.fitting.result import Fit

WIDTH = 96

_STATUS = {
    "converged": "converged: gradient zero, several starts agree",
    "not_converged": "NOT CONVERGED: do not use these numbers",
    "not_identifiable": "NOT IDENTIFIABLE: these rows cannot tell the parameters",
}


def summarise(fit: Fit) -> str:
    """Return the law, its parameters with intervals, the misfit, the status and the remarks."""
    lines = [
        fit.law.title,
        f"  {fit.law.formula}",
        "",
        *_parameters(fit),
        "",
        f"  rows {fit.n_rows} of method {fit.method} ({fit.n_dropped} left out)",
        f"  RMS log residual {fit.rms_log:.5f}; objective {fit.objective:.8g}, delta {fit.delta:g}",
        f"  {_STATUS[fit.status]}",
        *_remarks(fit),
    ]
    return "\n".join(lines)


def _parameters(fit: Fit) -> list[str]:
    rows = (
        [("", "value", f"{fit.level:.0%} interval", "unit")]
        if len(fit.replicates)
        else [("", "value", "", "unit")]
    )
    for name, e in fit.estimates.items():
        interval = "" if e.lower is None else f"{e.lower:.5g} to {e.upper:.5g}"
        rows.append((name, f"{e.value:.6g}", interval, e.unit))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  {unit}".rstrip()
        for name, value, interval, unit in rows
    ]
    if len(fit.replicates):
        lines.append(f"  intervals: {len(fit.replicates)} refits, resampling {fit.resample}")
    return lines


def _remarks(fit: Fit) -> list[str]:
    lines = []
    for d in fit.diagnostics:
        text = f"{d.severity} {d.code}: {d.message}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return ["", *lines] if lines else []
