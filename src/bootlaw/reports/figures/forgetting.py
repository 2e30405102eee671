"""What the second stage does to the old text: loss on the stage-1 text against D2."""

from __future__ import annotations

import numpy as np

from bootlaw.reports import canvas, quantities
from bootlaw.reports.canvas import Panel, TokenColours
from bootlaw.reports.series import ForgettingSeries


def forgetting_panel(
    series: ForgettingSeries, colours: TokenColours, name: str, title: str
) -> Panel:
    """Return loss on the old text against D2 by D1; dotted lines are the bases before stage 2."""
    figure, axes = canvas.new_panel(title)
    runs, base = series.runs, series.base_loss
    canvas.token_axis(axes, "x", runs.tokens_stage2, "second-stage tokens D₂")
    low, high = axes.get_xlim()
    axes.set_xlim(low / (high / low) ** 0.16, high)
    values = np.concatenate([runs.loss, base.loss])
    canvas.loss_axis(axes, "y", values, "loss on the old text (nats per token)")
    labels = []
    for level in runs.levels_stage1:
        here, colour = runs.at_stage1(float(level)), colours(level)
        lengths = here.levels_stage2
        means = [here.mean_loss(float(level), float(length)) for length in lengths]
        axes.plot(lengths, means, "-", color=colour, linewidth=1.3)
        axes.plot(here.tokens_stage2, here.loss, "o", color=colour, markersize=3.8, mew=0)
        labels.append((means[0], quantities.tokens(float(level)), colour))
        own = base.loss[base.tokens_stage1 == level]
        if own.size:
            axes.axhline(float(own.mean()), color=colour, linewidth=1.0, linestyle=":")
    canvas.label_lines(axes, labels)
    alt = (
        f"Loss on the old text after the second stage, {quantities.nats(float(runs.loss.min()))} "
        f"to {quantities.nats(float(runs.loss.max()))} nats per token, by second-stage tokens."
    )
    return canvas.finish(figure, name, alt)
