"""The figures are pure, deterministic and readable, whatever little there is to draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.reports import canvas
from bootlaw.reports.canvas import Panel, TokenColours
from bootlaw.reports.figures.breakeven import breakeven_panel
from bootlaw.reports.figures.forgetting import forgetting_panel
from bootlaw.reports.figures.observed import observed_panel
from bootlaw.reports.figures.saturation import exponent_panel, factor_panel, loss_panel
from bootlaw.reports.figures.stage1 import stage1_panel
from bootlaw.reports.quantities import Interval
from bootlaw.reports.series import (
    NO_RUNS,
    Band,
    BreakevenSeries,
    ForgettingSeries,
    ObservedSeries,
    PowerLaw,
    Runs,
    SaturationSeries,
    Stage1Series,
)

COLOURS = TokenColours(250e3, 4e6)
GRID = np.array([(d1, d2) for d1 in (250e3, 1e6, 4e6) for d2 in (125e3, 250e3, 500e3)])
RUNS = Runs(GRID[:, 0], GRID[:, 1], 1.2 + 9 * GRID[:, 0] ** -0.1 * GRID[:, 1] ** -0.1)
LINE = Band(
    np.array([250e3, 4e6]), np.array([0.2, 0.1]), np.array([0.1, 0.05]), np.array([0.3, 0.2])
)


def laws(levels: np.ndarray) -> tuple[PowerLaw, ...]:
    return tuple(
        PowerLaw(float(level), Interval(0.1, 0.05, 0.15), Interval(0.5), 250e3, 1.2)
        for level in levels
    )


SATURATION = SaturationSeries(RUNS, NO_RUNS, laws(RUNS.levels_stage1), None, LINE, LINE)
BREAKEVEN = BreakevenSeries(
    levels=(250e3, 4e6),
    reuse=(LINE, LINE),
    scratch=Band(LINE.x, LINE.y + 0.1),
    crossings=(Interval(1e6, 5e5, 2e6), None),
    data=(125e3, 500e3),
)
PANELS = {
    "loss": lambda: loss_panel(SATURATION, COLOURS, "loss"),
    "exponent": lambda: exponent_panel(SATURATION, COLOURS, "exponent"),
    "factor": lambda: factor_panel(SATURATION, COLOURS, "factor"),
    "stage1": lambda: stage1_panel(
        Stage1Series(RUNS, laws(RUNS.levels_stage2)), COLOURS, "stage1", "Growth & <more>"
    ),
    "observed": lambda: observed_panel(
        ObservedSeries(RUNS.loss, RUNS.loss * 1.01, RUNS.loss < 2.9, 0.01, 0.02), "observed", "x"
    ),
    "forgetting": lambda: forgetting_panel(
        ForgettingSeries(RUNS, RUNS.at_stage1(1e6)), COLOURS, "forgetting", "x"
    ),
    "breakeven": lambda: breakeven_panel(BREAKEVEN, COLOURS, "breakeven", "x"),
}


@pytest.mark.parametrize("name", PANELS)
def test_the_same_data_give_the_same_bytes_and_valid_xml(name: str) -> None:
    first, second = PANELS[name](), PANELS[name]()
    assert first.svg == second.svg
    ElementTree.fromstring(first.svg)
    assert not re.search(r"20\d\d-\d\d-\d\d", first.svg)
    assert "nan" not in first.alt


@pytest.mark.parametrize("name", PANELS)
def test_inline_ids_are_the_panels_own_and_references_resolve(name: str) -> None:
    inline = PANELS[name]().inline
    identifiers = set(re.findall(r'\bid="([^"]+)"', inline))
    assert all(identifier.startswith(f"{name}-") for identifier in identifiers)
    references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', inline)
    assert {a or b for a, b in references} <= identifiers
    assert "http" not in re.sub(
        r'xmlns(:\w+)?="[^"]+"|<metadata>.*?</metadata>', "", inline, flags=re.S
    )


def test_the_text_alternative_is_escaped() -> None:
    panel = Panel("p", 'loss < 2 & "more"', "<svg><g/></svg>")
    assert 'aria-label="loss &lt; 2 &amp; &quot;more&quot;"' in panel.inline


def test_one_base_and_one_length_still_draw() -> None:
    one = Runs(np.array([1e6]), np.array([250e3]), np.array([2.0]))
    series = SaturationSeries(one, one, (), None, None, None)
    assert loss_panel(series, TokenColours(1e6, 1e6), "one").svg


def test_colours_run_from_the_shortest_to_the_longest_base() -> None:
    light, dark = COLOURS(250e3), COLOURS(4e6)
    assert light != COLOURS(1e6) != dark

    def brightness(colour: str) -> int:
        return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5))

    assert brightness(light) > brightness(dark)
    assert COLOURS(1.0) == light


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 0.1))
def test_labels_keep_their_distance_and_order(heights: list[float], gap: float) -> None:
    placed = np.array(canvas.spread(heights, gap))
    order = np.argsort(heights, kind="stable")
    assert np.all(np.diff(np.sort(placed)) >= gap - 1e-9)
    assert np.all(np.diff(placed[order]) >= -1e-9) or len(set(heights)) < len(heights)


def test_labels_that_do_not_overlap_stay() -> None:
    assert canvas.spread([0.9, 0.1, 0.5], 0.05) == [0.9, 0.1, 0.5]


def test_token_ticks_are_levels_of_the_data() -> None:
    levels = np.array([125e3, 250e3, 500e3, 1e6, 2e6])
    assert canvas.token_ticks(levels) == levels.tolist()
    crowded = np.geomspace(1e5, 1e9, 40)
    assert canvas.token_ticks(crowded) == [1e5, 1e6, 1e7, 1e8, 1e9]
    assert canvas.token_ticks(np.array([1e6])) == [1e6]


def test_number_ticks_lie_inside() -> None:
    for low, high in ((1.5, 2.4), (0.3, 3.0), (1e-3, 10.0), (2.0, 2.01)):
        ticks = canvas.number_ticks(low, high)
        assert len(ticks) >= 2
        assert all(low <= tick <= high for tick in ticks)
