"""The saturation figure: how the second stage's power law changes with the base's training.

After Fig. 1 of Liew & Kato (arXiv 2510.06548): loss against D2 by D1, exponent against ln D1,
factor against D1. One panel each, so that a phone can show them one below the other.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bootlaw.reports import canvas, quantities
from bootlaw.reports.canvas import SCRATCH, Panel, TokenColours
from bootlaw.reports.series import Band, PowerLaw, Runs, SaturationSeries


def loss_panel(series: SaturationSeries, colours: TokenColours, name: str) -> Panel:
    """Return loss against second-stage tokens: one colour per base, scratch in grey."""
    figure, axes = canvas.new_panel("Loss by second-stage tokens")
    runs, scratch = series.runs, series.scratch
    every_d2 = np.concatenate([runs.tokens_stage2, scratch.tokens_stage2])
    # Room at the left for the labels of the lines.
    canvas.token_axis(axes, "x", every_d2, "second-stage tokens D₂")
    low, high = axes.get_xlim()
    axes.set_xlim(low / (high / low) ** 0.16, high)
    canvas.loss_axis(
        axes, "y", np.concatenate([runs.loss, scratch.loss]), "held-out loss (nats per token)"
    )
    labels = [_draw_base(axes, runs, level, colours(level)) for level in runs.levels_stage1]
    for law in series.by_base:
        _draw_law(axes, law, runs.at_stage1(law.level), colours(law.level), "-")
    if len(scratch):
        labels.append(_draw_scratch(axes, scratch, series.scratch_law))
    canvas.label_lines(axes, labels)
    alt = (
        f"Loss against second-stage tokens for {runs.levels_stage1.size} bases; from "
        f"{quantities.nats(float(runs.loss.max()))} down to "
        f"{quantities.nats(float(runs.loss.min()))} nats per token."
    )
    return canvas.finish(figure, name, alt)


def exponent_panel(series: SaturationSeries, colours: TokenColours, name: str) -> Panel:
    """Return the second-stage exponent against D1: one power law per base and the main law."""
    figure, axes = canvas.new_panel("Exponent of the second stage")
    canvas.token_axis(axes, "x", series.runs.levels_stage1, "base tokens D₁")
    axes.set_ylabel("exponent of D₂")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    _draw_band(axes, series.exponent)
    for law in series.by_base:
        _error_bar(axes, law.level, law.exponent, colours(law.level))
    low, high = _limits([law.exponent for law in series.by_base], series.exponent)
    axes.set_ylim(low, high)
    if low < 0 < high:
        axes.axhline(0, color=canvas.MUTED, linewidth=0.8)
    first, last = series.by_base[0], series.by_base[-1]
    alt = (
        f"Second-stage exponent per base: {quantities.number(first.exponent.value)} at "
        f"{quantities.tokens(first.level)} base tokens, {quantities.number(last.exponent.value)} "
        f"at {quantities.tokens(last.level)}."
    )
    return canvas.finish(figure, name, alt)


def factor_panel(series: SaturationSeries, colours: TokenColours, name: str) -> Panel:
    """Return the loss above E at the reference D2 against D1, with the main law's power law."""
    reference = series.by_base[0].reference
    figure, axes = canvas.new_panel(f"Loss above E at D₂ = {quantities.tokens(reference)}")
    canvas.token_axis(axes, "x", series.runs.levels_stage1, "base tokens D₁")
    values = [end for law in series.by_base for end in _ends(law.factor.value, law)]
    if series.factor is not None:
        values += [float(value) for value in series.factor.y]
    canvas.loss_axis(axes, "y", values, f"factor A at D₂ = {quantities.tokens(reference)} (nats)")
    _draw_band(axes, series.factor)
    for law in series.by_base:
        _error_bar(axes, law.level, law.factor, colours(law.level))
    alt = (
        f"Loss above E at {quantities.tokens(reference)} second-stage tokens against base tokens: "
        f"from {quantities.number(series.by_base[0].factor.value)} to "
        f"{quantities.number(series.by_base[-1].factor.value)} nats."
    )
    return canvas.finish(figure, name, alt)


def _draw_base(axes: Axes, runs: Runs, level: float, colour: str) -> tuple[float, str, str]:
    here = runs.at_stage1(level)
    axes.plot(here.tokens_stage2, here.loss, "o", color=colour, markersize=3.8, alpha=0.9, mew=0)
    first = here.loss[here.tokens_stage2 == here.tokens_stage2[0]]
    return float(first.mean()), quantities.tokens(float(level)), colour


def _draw_scratch(axes: Axes, scratch: Runs, law: PowerLaw | None) -> tuple[float, str, str]:
    axes.plot(
        scratch.tokens_stage2,
        scratch.loss,
        "s",
        color=SCRATCH,
        markersize=3.6,
        markerfacecolor="white",
    )
    if law is not None:
        _draw_law(axes, law, scratch, SCRATCH, "--")
    first = scratch.loss[scratch.tokens_stage2 == scratch.tokens_stage2.min()]
    return float(first.mean()), "scratch", SCRATCH


def _draw_law(axes: Axes, law: PowerLaw, runs: Runs, colour: str, line: str) -> None:
    tokens = np.geomspace(runs.tokens_stage2.min(), runs.tokens_stage2.max(), 60)
    axes.plot(tokens, law.loss(tokens), line, color=colour, linewidth=1.4)


def _draw_band(axes: Axes, band: Band | None) -> None:
    if band is None:
        return
    if band.lower is not None and band.upper is not None:
        axes.fill_between(band.x, band.lower, band.upper, color=canvas.MUTED, alpha=0.16, lw=0)
    axes.plot(band.x, band.y, "-", color=canvas.INK, linewidth=1.4)


def _error_bar(axes: Axes, x: float, interval: quantities.Interval, colour: str) -> None:
    if interval.lower is not None and interval.upper is not None:
        axes.plot([x, x], [interval.lower, interval.upper], "-", color=colour, linewidth=1.6)
    axes.plot([x], [interval.value], "o", color=colour, markersize=5.5, mec="white", mew=0.7)


def _ends(value: float, law: PowerLaw) -> list[float]:
    if law.factor.lower is None or law.factor.upper is None:
        return [value]
    # An error bar that reaches zero would flatten a logarithmic axis: it is cut instead.
    return [max(law.factor.lower, value / 3), value, min(law.factor.upper, value * 3)]


def _limits(intervals: list[quantities.Interval], band: Band | None) -> tuple[float, float]:
    """Return limits that show every value, and intervals up to 1.5 times their spread."""
    values = [interval.value for interval in intervals]
    if band is not None:
        values += [float(value) for value in band.y]
    low, high = min(values), max(values)
    reach = max(high - low, 0.1 * max(abs(low), abs(high)), 1e-6)
    ends = [
        end for interval in intervals for end in (interval.lower, interval.upper) if end is not None
    ]
    if band is not None and band.lower is not None and band.upper is not None:
        ends += [float(band.lower.min()), float(band.upper.max())]
    low = max(min([low, *ends]), low - 1.5 * reach)
    high = min(max([high, *ends]), high + 1.5 * reach)
    return low - 0.08 * reach, high + 0.08 * reach
