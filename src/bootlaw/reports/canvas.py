"""Drawing surface of every figure: size, type, colours, axes of tokens and losses, SVG.

Only matplotlib's object-oriented interface is used and no global state is left behind.
The SVG text depends on nothing but what is drawn: the salt is fixed and no date is written.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from bootlaw.reports import quantities

PANEL_SIZE = (3.7, 3.1)
"""Width and height of a panel, inches: 9 pt type stays readable at the width of a phone."""

INK = "#1c2430"
MUTED = "#5d6875"
GRID = "#e3e7ec"
SCRATCH = "#6f7782"
HELD_OUT = "#c2410c"

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "bootlaw",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.linewidth": 0.8,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.formatter.useoffset": False,
}
_MARGINS = {"left": 0.165, "right": 0.97, "bottom": 0.16, "top": 0.895}


@dataclass(frozen=True)
class Panel:
    """One drawing: its file name without suffix, its text alternative and its SVG document."""

    name: str
    alt: str
    svg: str

    @property
    def inline(self) -> str:
        """The SVG element for an HTML page: ids made unique, named for screen readers."""
        element = self.svg[self.svg.index("<svg") :]
        element = re.sub(r'\bid="([^"]+)"', rf'id="{self.name}-\1"', element)
        element = re.sub(r'href="#([^"]+)"', rf'href="#{self.name}-\1"', element)
        element = re.sub(r"url\(#([^)]+)\)", rf"url(#{self.name}-\1)", element)
        label = _attribute(self.alt)
        return element.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


@dataclass(frozen=True)
class TokenColours:
    """The sequential colour map of D1: one colour per base length in every figure.

    `shortest` and `longest` are the ends of the scale, in tokens.
    """

    shortest: float
    longest: float

    def __call__(self, tokens_stage1: float) -> str:
        """Return the colour of a base trained on `tokens_stage1` tokens, as ``#rrggbb``."""
        span = math.log(self.longest / self.shortest) if self.longest > self.shortest else 0.0
        place = math.log(tokens_stage1 / self.shortest) / span if span else 0.5
        # Plasma without its yellow end, which vanishes on white paper.
        return to_hex(mpl.colormaps["plasma"](0.80 - 0.78 * min(max(place, 0.0), 1.0)))


def new_panel(title: str = "") -> tuple[Figure, Axes]:
    """Return an empty panel in the page's style."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=PANEL_SIZE)
        figure.subplots_adjust(**_MARGINS)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        if title:
            axes.set_title(title, fontsize=9.5, loc="left", pad=8)
    return figure, axes


def finish(figure: Figure, name: str, alt: str) -> Panel:
    """Return the drawing as a `Panel` named `name`, described for screen readers by `alt`."""
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return Panel(name=name, alt=alt, svg=buffer.getvalue())


def token_axis(
    axes: Axes, which: str, values: ArrayLike, label: str, ticks: Sequence[float] | None = None
) -> None:
    """Make axis `which` ("x" or "y") a logarithmic axis of tokens over `values`."""
    levels = np.unique(np.asarray(values, dtype=np.float64))
    levels = levels[levels > 0]
    _log_axis(axes, which, levels, label, margin=0.06)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(token_ticks(levels) if ticks is None else ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: quantities.tokens(value)))


def loss_axis(axes: Axes, which: str, values: ArrayLike, label: str) -> None:
    """Make axis `which` a logarithmic axis of losses (or of any positive numbers)."""
    positive = np.asarray(values, dtype=np.float64)
    positive = positive[np.isfinite(positive) & (positive > 0)]
    _log_axis(axes, which, positive, label, margin=0.06)
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(number_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def token_ticks(levels: NDArray[np.float64], most: int = 5) -> list[float]:
    """Return at most about `most` tick positions: levels of the data, else powers of ten."""
    low, high = math.log(levels[0]), math.log(levels[-1])
    if levels.size > 3 * most:
        tens = [10.0**power for power in range(math.ceil(low / math.log(10)), 20)]
        inside = [tick for tick in tens if tick <= levels[-1]]
        if len(inside) >= 2:
            return inside[:: math.ceil(len(inside) / most)]
    gap = (high - low) / most * 0.95
    ticks = [float(levels[0])]
    for level in levels[1:-1]:
        if math.log(level / ticks[-1]) >= gap and high - math.log(level) >= gap:
            ticks.append(float(level))
    return [*ticks, float(levels[-1])] if levels.size > 1 else ticks


def number_ticks(low: float, high: float) -> list[float]:
    """Return round positive tick positions between `low` and `high` for a logarithmic axis."""
    if high / low > 30:
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        return [10.0**power for power in powers]
    if high / low > 4:
        scale = 10.0 ** math.floor(math.log10(low))
        ladder = [scale * step * ten for ten in (1, 10, 100) for step in (1, 2, 5)]
        return [tick for tick in ladder if low <= tick <= high]
    ticks = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def label_lines(
    axes: Axes, labels: Sequence[tuple[float, str, str]], *, side: str = "left"
) -> None:
    """Write one label per line at its end, moved apart where they would overlap.

    Parameters
    ----------
    axes
        Axes whose limits are final and whose y axis is logarithmic.
    labels
        Per line: loss at its end, text, colour.
    side
        "left" writes at the left edge of the axes, "right" at the right edge.
    """
    low, high = axes.get_ylim()
    heights = [math.log(loss / low) / math.log(high / low) for loss, _, _ in labels]
    for (_, text, colour), height in zip(labels, spread(heights, gap=0.052), strict=True):
        axes.text(
            0.015 if side == "left" else 0.985,
            height,
            text,
            transform=axes.transAxes,
            ha="left" if side == "left" else "right",
            va="center",
            fontsize=7.5,
            color=shade(colour),
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Return `heights` moved apart as little as needed so that none are closer than `gap`."""
    order = np.argsort(heights)
    sorted_heights = np.asarray(heights, dtype=np.float64)[order]
    blocks: list[tuple[float, int]] = []  # (centre, count), merged while they overlap
    for height in sorted_heights:
        centre, count = float(height), 1
        while blocks and centre - blocks[-1][0] < gap * (count + blocks[-1][1]) / 2:
            below, members = blocks.pop()
            centre = (centre * count + below * members) / (count + members)
            count += members
        blocks.append((centre, count))
    placed = [
        centre + gap * (i - (count - 1) / 2) for centre, count in blocks for i in range(count)
    ]
    result = np.empty(len(placed))
    result[order] = placed
    return [float(height) for height in result]


def shade(colour: str, factor: float = 0.78) -> str:
    """Return `colour` darkened for text, so that it stays readable on white."""
    rgb = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part * factor):02x}" for part in rgb)


def _log_axis(
    axes: Axes, which: str, values: NDArray[np.float64], label: str, margin: float
) -> None:
    low, high = float(values.min()), float(values.max())
    pad = max((high / low) ** margin, 1.02)
    axis = axes.xaxis if which == "x" else axes.yaxis
    with mpl.rc_context(_STYLE):
        if which == "x":
            axes.set_xscale("log")
            axes.set_xlim(low / pad, high * pad)
            axes.set_xlabel(label)
        else:
            axes.set_yscale("log")
            axes.set_ylim(low / pad, high * pad)
            axes.set_ylabel(label)
    axis.set_minor_locator(NullLocator())


def _attribute(text: str) -> str:
    for raw, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(raw, escaped)
    return text
