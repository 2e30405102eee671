"""Which laws a table has something to say about."""

from dataclasses import replace

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.fitting.applicability import why_not
from bootlaw.runs import read_runs


def table(stage1, stage2, **columns):
    """Return runs at all pairs of the given token counts."""
    d1, d2 = (axis.ravel() for axis in np.meshgrid(stage1, stage2, indexing="ij"))
    rows = {"tokens_stage1": d1, "tokens_stage2": d2, "loss": 2 + 5 * (d1 + d2) ** -0.1}
    return read_runs({**rows, **columns})


GRID = table(np.geomspace(1e6, 3e7, 4), np.geomspace(5e5, 8e6, 4))
ONE_BASE = table([1e7], np.geomspace(1e5, 1e9, 12))
SCRATCH = table([0.0], np.geomspace(1e5, 1e9, 12))
TWO_STAGE = ("bootstrapped", "multiplicative", "total-tokens", "additive", "effective-data")


@pytest.mark.parametrize("key", TWO_STAGE)
@pytest.mark.parametrize("unit", [1.0, 1e5])
def test_laws_in_both_token_counts_apply_to_a_grid(key, unit):
    d1, d2 = (GRID.numbers(name) * unit for name in ("tokens_stage1", "tokens_stage2"))
    scaled = read_runs({"tokens_stage1": d1, "tokens_stage2": d2, "loss": GRID.numbers("loss")})
    assert why_not(laws.get(key), scaled) is None


@pytest.mark.parametrize("key", ["bootstrapped", "multiplicative", "additive", "effective-data"])
def test_one_base_is_named_where_the_law_needs_several(key):
    why = why_not(laws.get(key), ONE_BASE)
    assert "every row has tokens_stage1 = 1e+07" in why
    assert "cannot be told" in why


def test_one_base_is_enough_for_total_tokens():
    assert why_not(laws.get("total-tokens"), ONE_BASE) is None


def test_parameters_that_move_together_are_named():
    why = why_not(laws.get("multiplicative"), ONE_BASE)
    assert why.startswith("A and a1 cannot be told")


def test_a_design_on_a_line_is_found_without_a_constant_variable():
    tokens = np.geomspace(1e6, 1e9, 12)
    line = read_runs({"tokens_stage1": tokens, "tokens_stage2": 2 * tokens, "loss": 2 + 0 * tokens})
    why = why_not(laws.get("multiplicative"), line)
    assert "because of how the rows are chosen" in why
    assert why_not(laws.get("total-tokens"), line) is None


def test_laws_of_other_rows():
    assert "runs from scratch" in why_not(laws.get("power"), GRID)
    assert "runs with a base" in why_not(laws.get("bootstrapped"), SCRATCH)
    assert why_not(laws.get("power"), SCRATCH) is None


def test_more_parameters_than_rows():
    few = table([1e6, 2e6], [1e5, 2e5])
    assert why_not(laws.get("bootstrapped"), few) == "4 rows for 5 parameters"


def test_gaps_and_missing_columns_are_counted():
    law = laws.get("total-tokens")
    gaps = replace(GRID, columns={**GRID.columns, "tokens_stage2": np.full(16, np.nan)})
    assert why_not(law, gaps) == "16 of 16 rows have no tokens_stage2"
    without = {k: v for k, v in GRID.columns.items() if k != "tokens_stage2"}
    assert why_not(law, replace(GRID, columns=without)) == "the table has no tokens_stage2"


def test_many_rows_are_thinned_without_losing_levels():
    d1 = np.repeat([1e6, 2e6, 4e6], 3000)
    d2 = np.tile(np.geomspace(1e5, 1e9, 3000), 3)
    long = read_runs({"tokens_stage1": d1, "tokens_stage2": d2, "loss": 2 + 0 * d1})
    assert why_not(laws.get("bootstrapped"), long) is None
