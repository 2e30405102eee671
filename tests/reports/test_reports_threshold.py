"""Fig. 4 (right): the threshold budget against sunk cost and size."""

from bootlaw.planning import threshold
from bootlaw.reports.figures.threshold import threshold_panel

PUBLISHED = {"fit": "liew2025-upcycling-upcycled", "scratch": "liew2025-upcycling-moe"}


def test_the_drawing_tells_every_crossing_and_leaves_out_the_others():
    found = threshold(**PUBLISHED, tokens_stage1=[1e9, 1e10, 1e12], params=[1e9])
    panel = threshold_panel(found)
    assert "1.46B from a base of 1B tokens; 7.07B from a base of 10B tokens." in panel.alt
    assert panel.svg.lstrip().startswith("<?xml")


def test_a_grid_without_any_crossing_is_still_drawn():
    found = threshold(**PUBLISHED, tokens_stage1=[1e12, 2e12], params=[1e9])
    assert threshold_panel(found).alt.endswith("nowhere.")
