"""The threshold budget against sunk cost and model size; Fig. 4 (right) of 2510.06548."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from bootlaw.planning import Breakeven
from bootlaw.planning.threshold import Threshold
from bootlaw.reports import canvas, quantities
from bootlaw.reports.canvas import Panel


def threshold_panel(found: Threshold, name: str = "threshold") -> Panel:
    """Return D* against D1, a line per size: solid numerically, dashed in closed form.

    Above a line starting over is the better use of that many stage-2 tokens, below it reuse.
    Undetermined points are hollow; D1 without a crossing leave a gap.
    """
    figure, axes = canvas.new_panel("budget above which starting over wins")
    figure.subplots_adjust(left=0.21)
    drawn = [row for row in found.rows if row.tokens is not None]
    stage1 = sorted({row.tokens_stage1 for row in found.rows})
    canvas.token_axis(axes, "x", stage1, "stage-1 tokens D₁ (sunk cost)", _decades(stage1))
    if drawn:
        names = ("tokens", "lower", "upper", "closed_form")
        shown = [value for row in drawn for name in names if (value := getattr(row, name))]
        canvas.token_axis(axes, "y", shown, "stage-2 tokens D*", _decades(shown))
    labels = []
    for number, size in enumerate(found.sizes):
        rows = [row for row in drawn if row.params == size]
        colour = _colour(number, len(found.sizes))
        if rows:
            _draw(axes, rows, colour)
            label = "" if size is None else f"N {quantities.tokens(size)}"
            labels.append((float(rows[0].tokens or 0.0), label, colour))
    low, high = axes.get_xlim()
    if any(label for _, label, _ in labels):
        axes.set_xlim(low / (high / low) ** 0.2, high)
        canvas.label_lines(axes, labels)
    if any(row.closed_form is not None for row in drawn):
        words = "dashed: closed form"
        axes.text(0.98, 0.03, words, transform=axes.transAxes, ha="right", color=canvas.HELD_OUT)
    return canvas.finish(figure, name, _alt(drawn))


def _draw(axes: Axes, rows: Sequence[Breakeven], colour: str) -> None:
    d1 = np.array([row.tokens_stage1 for row in rows])
    tokens, lower, upper, closed = (
        np.array([getattr(row, name) or np.nan for row in rows])
        for name in ("tokens", "lower", "upper", "closed_form")
    )
    axes.fill_between(d1, lower, upper, color=colour, alpha=0.17, lw=0)
    axes.plot(d1, tokens, "-", color=colour, linewidth=1.5)
    for row in rows:
        face = "none" if row.status == "undetermined" else colour
        place = [row.tokens_stage1], [row.tokens or np.nan]
        axes.plot(*place, "o", color=colour, mfc=face, markersize=3.5)
    axes.plot(d1, closed, "--", color=canvas.HELD_OUT, linewidth=1.1)


def _colour(number: int, count: int) -> str:
    return to_hex(mpl.colormaps["viridis"](0.1 + 0.75 * number / max(count - 1, 1)))


def _decades(values: Sequence[float]) -> list[float]:
    low, high = np.log10(min(values)), np.log10(max(values))
    step = max(1, round((high - low) / 4))
    powers = range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1, step)
    ticks = [10.0**power for power in powers]
    return ticks if len(ticks) > 1 else [min(values), max(values)]


def _alt(rows: Sequence[Breakeven]) -> str:
    points = [
        f"{quantities.tokens(row.tokens or 0.0)} from a base of "
        f"{quantities.tokens(row.tokens_stage1)} tokens"
        for row in rows
    ]
    return f"Stage-2 tokens at which starting over catches up: {'; '.join(points) or 'nowhere'}."
