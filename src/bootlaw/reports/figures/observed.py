"""Predicted against observed loss, after Fig. 4 (left) of arXiv 2510.06548."""

from __future__ import annotations

import numpy as np

from bootlaw.reports import canvas, quantities
from bootlaw.reports.canvas import HELD_OUT, MUTED, Panel
from bootlaw.reports.series import ObservedSeries


def observed_panel(series: ObservedSeries, name: str, title: str) -> Panel:
    """Return predicted against observed loss; runs that the fit did not see in orange."""
    figure, axes = canvas.new_panel(title)
    both = np.concatenate([series.observed, series.predicted])
    canvas.loss_axis(axes, "x", both, "observed loss (nats per token)")
    canvas.loss_axis(axes, "y", both, "predicted loss (nats per token)")
    axes.plot(axes.get_xlim(), axes.get_xlim(), "-", color=MUTED, linewidth=0.9, zorder=1)
    seen = ~series.held_out
    for keep, marker, colour, label in (
        (seen, "o", "#47566b", f"fitted: {quantities.percent(series.rms_in)} RMS"),
        (series.held_out, "D", HELD_OUT, f"held out: {quantities.percent(series.rms_out)} RMS"),
    ):
        if keep.any():
            axes.plot(
                series.observed[keep],
                series.predicted[keep],
                marker,
                color=colour,
                markersize=4.2,
                markeredgecolor="white",
                markeredgewidth=0.5,
                label=f"{label} ({int(keep.sum())})",
            )
    axes.legend(loc="upper left", frameon=False, fontsize=8, handletextpad=0.2, borderpad=0.1)
    alt = (
        f"Predicted against observed loss: {int(seen.sum())} fitted runs within "
        f"{quantities.percent(series.rms_in)} RMS, {int(series.held_out.sum())} held-out runs "
        f"within {quantities.percent(series.rms_out)}."
    )
    return canvas.finish(figure, name, alt)
