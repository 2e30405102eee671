"""Loss against the base's tokens D1 at each D2, after Fig. 3 of arXiv 2510.06548."""

from __future__ import annotations

import numpy as np

from bootlaw.reports import canvas, quantities
from bootlaw.reports.canvas import INK, MUTED, Panel, TokenColours
from bootlaw.reports.series import Stage1Series

_DASHES = ((), (5, 1.5), (2.5, 1.2), (1, 1), (5, 1.2, 1, 1.2))


def stage1_panel(series: Stage1Series, colours: TokenColours, name: str, title: str) -> Panel:
    """Return loss against D1: one dash pattern per D2, points in the colour of their base."""
    figure, axes = canvas.new_panel(title)
    runs = series.runs
    canvas.token_axis(axes, "x", runs.levels_stage1, "base tokens D₁")
    low, high = axes.get_xlim()
    axes.set_xlim(low / (high / low) ** 0.17, high)
    canvas.loss_axis(axes, "y", runs.loss, "held-out loss (nats per token)")
    for index, law in enumerate(series.by_stage2):
        here = runs.at_stage2(law.level)
        tokens = np.geomspace(here.tokens_stage1[0], here.tokens_stage1[-1], 60)
        dashes = _DASHES[index % len(_DASHES)]
        axes.plot(tokens, law.loss(tokens), color=MUTED, linewidth=1.2, dashes=dashes or (1, 0))
    for level in runs.levels_stage1:
        here = runs.at_stage1(float(level))
        axes.plot(here.tokens_stage1, here.loss, "o", color=colours(level), markersize=3.8, mew=0)
    canvas.label_lines(axes, _labels(series))
    alt = (
        f"Loss against base tokens at {runs.levels_stage2.size} second-stage lengths, from "
        f"{quantities.nats(float(runs.loss.max()))} to {quantities.nats(float(runs.loss.min()))}."
    )
    return canvas.finish(figure, name, alt)


def _labels(series: Stage1Series) -> list[tuple[float, str, str]]:
    labels = []
    for level in series.runs.levels_stage2:
        here = series.runs.at_stage2(float(level))
        first = here.loss[here.tokens_stage1 == here.tokens_stage1[0]]
        labels.append((float(first.mean()), f"D₂ {quantities.tokens(float(level))}", INK))
    return labels
