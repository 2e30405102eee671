"""Which figures a study has, with their captions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bootlaw.reports import quantities as q
from bootlaw.reports.analysis import MethodAnalysis, StudyAnalysis
from bootlaw.reports.canvas import Panel, TokenColours
from bootlaw.reports.figures.breakeven import breakeven_panel
from bootlaw.reports.figures.forgetting import forgetting_panel
from bootlaw.reports.figures.observed import observed_panel
from bootlaw.reports.figures.saturation import exponent_panel, factor_panel, loss_panel
from bootlaw.reports.figures.stage1 import stage1_panel


@dataclass(frozen=True)
class PanelRow:
    """Panels that belong side by side, under the name of their method (empty: none)."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Swatch:
    """One entry of a legend: a colour and what it means."""

    colour: str
    label: str


@dataclass(frozen=True)
class FigureBlock:
    """A figure of the page: a title, rows of panels and a caption that says how to read it."""

    key: str
    title: str
    caption: str
    rows: tuple[PanelRow, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)


def legend(analysis: StudyAnalysis) -> tuple[Swatch, ...]:
    """Return the colours of the base lengths, shortest first."""
    levels = _levels(analysis)
    colours = _colours(levels)
    return tuple(Swatch(colours(level), q.tokens(level)) for level in levels)


def figures(analysis: StudyAnalysis) -> tuple[FigureBlock, ...]:
    """Return the figures that the data allow, in the order of the page."""
    levels = _levels(analysis)
    if not levels:
        return ()
    colours = _colours(levels)
    makers = (_saturation, _stage1, _observed, _breakeven, _forgetting)
    return tuple(block for make in makers for block in make(analysis, colours))


def _saturation(analysis: StudyAnalysis, colours: TokenColours) -> Iterator[FigureBlock]:
    rows = tuple(_saturation_row(method, colours) for method in analysis.methods)
    across = any(len(row.panels) > 1 for row in rows)
    yield FigureBlock(
        key="saturation",
        title="How the second stage saturates",
        caption=(
            f"{'Left: each' if across else 'Each'} dot is one run, each colour one base; the lines "
            f"are power laws, one per base, with {_irreducible(analysis)}; grey is training "
            "from scratch. A flatter line means that the same second-stage tokens gain less. "
            f"{_BY_BASE if across else ''}A line takes three lengths."
        ),
        rows=rows,
    )


def _saturation_row(method: MethodAnalysis, colours: TokenColours) -> PanelRow:
    key, series = method.group.key, method.curves
    panels = [loss_panel(series, colours, f"saturation-{key}-loss")]
    if len(series.by_base) > 1:
        panels += [
            exponent_panel(series, colours, f"saturation-{key}-exponent"),
            factor_panel(series, colours, f"saturation-{key}-factor"),
        ]
    return PanelRow(method.group.title, tuple(panels))


_BY_BASE = (
    "Middle: the exponents of those lines against base tokens, and in black the main law "
    "a₂ − a₃ ln D₁ with its 95 % band, which holds what is not known about E; a falling line is "
    "saturation. Right: what is left above E at one second-stage length inside the data, with the "
    "main law's power law in base tokens. Bars are one standard error with E taken as known. "
)


def _irreducible(analysis: StudyAnalysis) -> str:
    """Return which E the lines per base have."""
    if all(method.main is not None for method in analysis.methods):
        return "the irreducible loss E of the main fit"
    if any(method.main is not None for method in analysis.methods):
        return "the irreducible loss E of the main fit, or E = 0 where there is no such fit"
    return "E = 0, as there is no main fit to take it from"


def _stage1(analysis: StudyAnalysis, colours: TokenColours) -> Iterator[FigureBlock]:
    panels = tuple(
        stage1_panel(method.stage1, colours, f"stage1-{method.group.key}", method.group.title)
        for method in analysis.methods
        if method.group.runs.levels_stage1.size > 1
    )
    yield from _in_one_row(
        panels,
        key="stage1",
        title="What a longer base is worth",
        caption=(
            "Loss after the second stage against base tokens, one line per second-stage "
            "length; the colour of a dot is its base, as above. The lines are power laws with "
            f"{_irreducible(analysis)}. They draw together where the two stages replace each "
            "other."
        ),
    )


def _observed(analysis: StudyAnalysis, colours: TokenColours) -> Iterator[FigureBlock]:
    del colours  # held-out runs are the one distinction here
    panels = tuple(
        observed_panel(method.observed, f"observed-{method.group.key}", method.group.title)
        for method in analysis.methods
        if method.observed is not None
    )
    yield from _in_one_row(
        panels,
        key="observed",
        title="Does the main law predict runs it has not seen?",
        caption=(
            "Predicted against observed loss. The law was fitted to the grey runs only; the "
            "orange diamonds are the tenth with the lowest loss, the ones a plan cares about. "
            "On the line, prediction and run agree. RMS is of the log loss, so roughly a "
            "percentage of the loss."
        ),
    )


def _breakeven(analysis: StudyAnalysis, colours: TokenColours) -> Iterator[FigureBlock]:
    panels = tuple(
        breakeven_panel(
            method.breakeven, colours, f"breakeven-{method.group.key}", method.group.title
        )
        for method in analysis.methods
        if method.breakeven is not None
    )
    yield from _in_one_row(
        panels,
        key="breakeven",
        title="Reuse or start over?",
        caption=(
            "The joint fit of reuse (coloured) and scratch runs (grey, dashed) with one E, "
            "with 95 % bands, for the shortest and the longest base; the training of the base "
            "counts as already paid. The shaded range was run; the rest is extrapolation. A "
            "circle marks where starting over catches up."
        ),
    )


def _forgetting(analysis: StudyAnalysis, colours: TokenColours) -> Iterator[FigureBlock]:
    panels = tuple(
        forgetting_panel(
            method.forgetting, colours, f"forgetting-{method.group.key}", method.group.title
        )
        for method in analysis.methods
        if method.forgetting is not None
    )
    yield from _in_one_row(
        panels,
        key="forgetting",
        title="What is forgotten",
        caption=(
            "Loss on the held-out text of stage 1 after the second stage on other text, by "
            "base. Dotted lines are the bases before the second stage: the distance from them "
            "is what was forgotten."
        ),
    )


def _in_one_row(
    panels: tuple[Panel, ...], *, key: str, title: str, caption: str
) -> Iterator[FigureBlock]:
    """Yield the block of these panels, one per method; nothing where there is none."""
    if panels:
        yield FigureBlock(key=key, title=title, caption=caption, rows=(PanelRow("", panels),))


def _levels(analysis: StudyAnalysis) -> list[float]:
    pieces = [method.group.runs.levels_stage1 for method in analysis.methods]
    return [float(level) for level in np.unique(np.concatenate(pieces))] if pieces else []


def _colours(levels: list[float]) -> TokenColours:
    return TokenColours(levels[0], levels[-1]) if levels else TokenColours(1.0, 1.0)
