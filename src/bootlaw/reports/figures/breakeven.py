"""Reuse against starting over, where the curves meet; after Fig. 4 (right) of 2510.06548."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bootlaw.reports import canvas, quantities
from bootlaw.reports.canvas import SCRATCH, Panel, TokenColours
from bootlaw.reports.series import Band, BreakevenSeries


def breakeven_panel(series: BreakevenSeries, colours: TokenColours, name: str, title: str) -> Panel:
    """Return the joint law's reuse and scratch curves with bands, beyond the data in white."""
    figure, axes = canvas.new_panel(title)
    curves = (*series.reuse, series.scratch)
    tokens = series.scratch.x
    canvas.token_axis(axes, "x", tokens, "second-stage tokens D₂", _ticks(tokens))
    canvas.loss_axis(
        axes, "y", np.concatenate([curve.y for curve in curves]), "loss (nats per token)"
    )
    axes.axvspan(*series.data, color=canvas.GRID, alpha=0.55, lw=0, zorder=0)
    labels = []
    for level, curve in zip(series.levels, series.reuse, strict=True):
        _draw(axes, curve, colours(level), "-")
        labels.append((float(curve.y[0]), f"reuse {quantities.tokens(level)}", colours(level)))
    _draw(axes, series.scratch, SCRATCH, "--")
    labels.append((float(series.scratch.y[0]), "start over", SCRATCH))
    for curve, crossing in zip(series.reuse, series.crossings, strict=True):
        if crossing is not None:
            height = float(np.interp(np.log(crossing.value), np.log(curve.x), curve.y))
            axes.plot([crossing.value], [height], "o", color=canvas.INK, markersize=6, mfc="none")
    low, high = axes.get_xlim()
    axes.set_xlim(low / (high / low) ** 0.28, high)
    canvas.label_lines(axes, labels)
    return canvas.finish(figure, name, _alt(series))


def _draw(axes: Axes, curve: Band, colour: str, line: str) -> None:
    if curve.lower is not None and curve.upper is not None:
        axes.fill_between(curve.x, curve.lower, curve.upper, color=colour, alpha=0.17, lw=0)
    axes.plot(curve.x, curve.y, line, color=colour, linewidth=1.5)


def _ticks(tokens: np.ndarray) -> list[float]:
    low, high = float(tokens[0]), float(tokens[-1])
    powers = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    inside = [10.0**power for power in powers]
    return [low, *[tick for tick in inside if low * 2.5 < tick]]


def _alt(series: BreakevenSeries) -> str:
    parts = [
        f"from a base of {quantities.tokens(level)} tokens they "
        + (f"meet at {quantities.tokens(crossing.value)}" if crossing else "do not meet")
        for level, crossing in zip(series.levels, series.crossings, strict=True)
    ]
    return f"Loss of reuse and of starting over against second-stage tokens: {'; '.join(parts)}."
