"""D* over a grid of sunk costs and sizes."""

import pytest

from bootlaw.errors import InputError
from bootlaw.planning import breakeven, threshold
from bootlaw.planning.cost import hardware

PUBLISHED = {"fit": "liew2025-upcycling-upcycled", "scratch": "liew2025-upcycling-moe"}


def test_each_row_is_the_breakeven_asked_alone():
    found = threshold(**PUBLISHED, tokens_stage1=[1e9, 1e10], params=[1e8, 1e9])
    assert [(row.params, row.tokens_stage1) for row in found.rows] == [
        (1e8, 1e9), (1e8, 1e10), (1e9, 1e9), (1e9, 1e10),
    ]  # fmt: skip
    alone = breakeven(**PUBLISHED, tokens_stage1=1e10, params=1e9)
    assert found.rows[3].to_json() == alone.to_json()
    assert found.sizes == (1e8, 1e9)


def test_more_sunk_cost_and_smaller_models_favour_reuse():
    # Fig. 4 (right) of arXiv 2510.06548, with the coefficients of arXiv 2502.03009.
    found = threshold(**PUBLISHED, tokens_stage1=[1e9, 1e10, 1e11], params=[1e9, 7e9])
    by_size = {n: [row.tokens for row in found.rows if row.params == n] for n in found.sizes}
    for tokens in by_size.values():
        assert tokens == sorted(tokens)
    assert all(small > large for small, large in zip(by_size[1e9], by_size[7e9], strict=True))


def test_the_table_names_where_it_cannot_tell():
    found = threshold(**PUBLISHED, tokens_stage1=[1e9, 1e12], params=[1e9])
    assert found.determined
    assert "undetermined at N = 1B, D1 = 1T: the verdict rests on" in found.summary()
    alone = threshold(**PUBLISHED, tokens_stage1=[1e12], params=[1e9])
    assert not alone.determined


def test_an_empty_grid_is_refused():
    with pytest.raises(InputError, match="at least one D1"):
        threshold(**PUBLISHED, tokens_stage1=[], params=[1e9])


def test_costs_are_in_the_table_where_they_are_known():
    """The single answer had them, the grid did not."""
    on = hardware("h100", devices=8)
    found = threshold(**PUBLISHED, tokens_stage1=[1e9, 1e12], params=[1e9], on=on)
    heading, first, second, *_ = found.summary().splitlines()
    assert heading.split()[-4:] == ["FLOPs", "days", "money", "verdict"]
    assert f"{float(found.rows[0].cost.flops):.3g}" in first
    assert "USD" in first
    assert "USD" not in second
    bare = threshold(**PUBLISHED, tokens_stage1=[1e9, 1e10], params=[1e9]).summary()
    assert "money" not in bare.splitlines()[0]
    assert "interval" not in bare.splitlines()[0]
