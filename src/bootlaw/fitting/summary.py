"""A fit as text for people."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootlaw.fitting.result import Estimate, Fit

WIDTH = 96

_STATUS = {
    "converged": "converged: gradient zero, several starts agree",
    "not_converged": "NOT CONVERGED: do not use these numbers",
    "not_identifiable": "NOT IDENTIFIABLE: these rows cannot tell the parameters",
}

_RESAMPLED = {
    "random-effects": "simulated tables with the trunk and row noise of this one",
    "pairs": "single rows",
    "trunks": "whole trunks",
    "wild": "whole trunks (wild bootstrap)",
}


def summarise(fit: Fit) -> str:
    """Return the law, its parameters with intervals, the misfit, the status and the remarks."""
    lines = [
        fit.law.title,
        f"  {fit.law.formula}",
        "",
        *_parameters(fit),
        *_profiles(fit),
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
        value, interval = _rounded(e)
        rows.append((name, value, interval, e.unit))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  {unit}".rstrip()
        for name, value, interval, unit in rows
    ]
    if len(fit.replicates):
        how = _RESAMPLED.get(fit.resample, fit.resample)
        lines.append(f"  intervals: {len(fit.replicates)} refits, resampling {how}")
    return lines


def _profiles(fit: Fit) -> list[str]:
    return [
        f"  profile interval of {name}: {low:.5g} to {high:.5g}"
        for name, (low, high) in fit.profiles.items()
    ]


def _rounded(e: Estimate) -> tuple[str, str]:
    """Return a value and its interval, to about a hundredth of the interval's width."""
    if e.lower is None or e.upper is None:
        return f"{e.value:.6g}", ""
    width = e.upper - e.lower
    lower, upper = _digits(e.lower, width), _digits(e.upper, width)
    return _digits(e.value, width), f"{lower} to {upper}"


def _digits(value: float, width: float) -> str:
    """Return `value` with 2 to 6 digits, as many as make sense next to an interval's width."""
    if not (math.isfinite(value) and math.isfinite(width)) or value == 0 or width <= 0:
        return f"{value:.6g}"
    last = math.floor(math.log10(width)) - 1
    digits = min(max(math.floor(math.log10(abs(value))) - last + 1, 2), 6)
    return f"{float(f'{value:.{digits}g}'):.6g}"


def _remarks(fit: Fit) -> list[str]:
    lines = []
    for d in fit.diagnostics:
        text = f"{d.severity} {d.code}: {d.message}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return ["", *lines] if lines else []
