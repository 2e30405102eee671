"""A contest of laws as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from bootlaw.fitting.contestants import NotApplicable
from bootlaw.fitting.ensemble import EnsembleForecast
from bootlaw.fitting.scoreboard import Comparison, ComparisonRow

WIDTH = 96

_HEADINGS = (
    "law",
    "params",
    "in",
    "out",
    "+-",
    "all",
    "in 90 %",
    "AICc",
    "weight",
    "tie",
    "status",
)

LEGEND = (
    "in, out, all: RMS of log loss in per cent over fitted and held-out rows, and in a fit to all",
    "+-: standard error of out; AICc: of the fit to all, less the least, under the fit's own "
    "(Huber) likelihood",
    "weight: share in the best mix of laws (stacking), not a ranking; tie: within noise of best",
)


def summarise(found: Comparison, *, legend: bool = True, absent: bool = True) -> str:
    """Return the table and the outcome in words.

    `legend` explains the columns, `absent` lists the laws that do not apply.
    """
    why = [f"{row.law}: {row.reason}" for row in found.rows if row.reason is not None]
    parts = [
        [head(found)],
        _table(found.rows) if found.rows else [],
        list(LEGEND) if legend and found.rows else [],
        [*_words(found), *why],
        not_applicable(found.not_applicable) if absent else [],
        [] if found.forecast is None else forecast_lines(found.forecast),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def head(found: Comparison) -> str:
    """Return which rows were fitted and which predicted."""
    if found.along is not None:
        return (
            f"{found.method}: {found.n_out} rows in {found.n_folds} steps, each predicted from "
            f"the lower levels of {found.along}, {found.n_in} rows or more ({found.holdout})"
        )
    if found.n_folds > 1:
        return (
            f"{found.method}: {found.n_out} rows in {found.n_folds} folds, each row held out "
            f"once ({found.holdout})"
        )
    return f"{found.method}: fitted {found.n_in} rows, held out {found.n_out} ({found.holdout})"


def not_applicable(laws: Iterable[NotApplicable]) -> list[str]:
    """Return the laws that do not apply, those with one reason together."""
    by_reason: dict[str, list[str]] = {}
    for law in laws:
        by_reason.setdefault(law.reason, []).append(law.law)
    lines = ["not applicable:"] if by_reason else []
    for reason, keys in by_reason.items():
        text = f"{', '.join(keys)}: {reason}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines


def forecast_lines(forecast: EnsembleForecast) -> list[str]:
    """Return the ensemble's forecast, one line per run asked for."""
    mix = ", ".join(f"{key} {weight:.2f}" for key, weight in forecast.weights.items())
    lines = [f"forecast of the laws together ({mix})"]
    for at, loss in enumerate(forecast.loss):
        asked = ", ".join(f"{name} {values[at]:g}" for name, values in forecast.columns.items())
        interval = ""
        if forecast.lower is not None and forecast.upper is not None:
            ends = f"{forecast.lower[at]:.4f} to {forecast.upper[at]:.4f}"
            interval = f", {100 * forecast.level:.4g} % interval {ends}"
        apart = f"; the laws differ by {100 * forecast.spread[at]:.2f} %"
        lines.append(f"  {asked}: {loss:.4f} nats{interval}{apart}")
    return lines


def _words(found: Comparison) -> list[str]:
    if not found.rows:
        return ["no law of the catalogue applies to these rows"]
    if not found.any_fitted:
        return ["no law could be fitted to these rows"]
    if not found.is_contest:
        entered = "was entered" if len(found.rows) == 1 else "could be fitted"
        return [f"only {found.fitted[0].law} {entered}: no contest"]
    tied = [row.law for row in found.rows if row.tie]
    words = (
        f"{listed(tied)} tie on the held-out rows"
        if len(tied) > 1
        else f"{tied[0]} predicts the held-out rows best; no other law ties with it"
    )
    return [words, *found.notes]


def _table(rows: tuple[ComparisonRow, ...]) -> list[str]:
    """Return the lines of the table; errors are per cent of the loss, RMS."""
    least = min((row.aicc for row in rows if row.aicc is not None), default=0.0)
    cells = [_HEADINGS, *(_cells(row, least) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    return ["  ".join(_padded(line, widths)).rstrip() for line in cells]


def _padded(line: tuple[str, ...], widths: list[int]) -> list[str]:
    texts = {0, len(widths) - 2, len(widths) - 1}
    return [
        cell.ljust(width) if column in texts else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _cells(row: ComparisonRow, least_aicc: float) -> tuple[str, ...]:
    def share(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{100 * value:.{digits}f} %"

    return (
        row.law,
        str(row.n_params),
        share(row.rms_log_in, 2),
        share(row.rms_log_out, 2),
        share(row.rms_log_out_se, 2),
        share(row.rms_log_all, 2),
        share(row.coverage90_out, 0),
        "-" if row.aicc is None else f"{row.aicc - least_aicc:.1f}",
        "-" if row.weight is None else f"{row.weight:.2f}",
        "tie" if row.tie else "",
        row.status.replace("_", " "),
    )


def listed(names: list[str]) -> str:
    """Return the names as a phrase: ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
