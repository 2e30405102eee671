"""Which rows each hold-out takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.holdouts import HOLDOUTS, clusters, expanding_column, held_out_masks, splits
from bootlaw.runs import read_runs

QUICK = settings(deadline=None, max_examples=40)


def grid(stage1=(1e6, 2e6, 4e6, 8e6), stage2=(1e5, 2e5, 4e5), **columns):
    """Return a full grid whose loss falls with both token counts."""
    d1, d2 = (axis.ravel() for axis in np.meshgrid(stage1, stage2, indexing="ij"))
    table = {
        "tokens_stage1": d1,
        "tokens_stage2": d2,
        "loss": 1 + 5 * d1**-0.05 * d2**-0.07,
        "method": ["stack"] * d1.size,
    }
    return read_runs({**table, **columns})


def test_lowest_loss_takes_the_lowest_tenth_rounded_up():
    table = grid()
    (mask,) = held_out_masks(table, "lowest-loss")
    losses = table.numbers("loss")
    assert mask.sum() == 2
    assert losses[mask].max() < losses[~mask].min()


@QUICK
@given(st.integers(2, 60))
def test_lowest_loss_always_holds_out_and_leaves_rows(n):
    table = grid(stage1=np.geomspace(1e6, 1e9, n), stage2=(1e6,))
    (mask,) = held_out_masks(table, "lowest-loss")
    assert 1 <= mask.sum() == int(np.ceil(0.1 * n)) < n


@pytest.mark.parametrize(
    ("holdout", "column", "largest", "count"),
    [("largest-d1", "tokens_stage1", 8e6, 3), ("largest-d2", "tokens_stage2", 4e5, 4)],
)
def test_largest_level_goes_as_a_whole(holdout, column, largest, count):
    table = grid()
    (mask,) = held_out_masks(table, holdout)
    assert mask.sum() == count
    assert (table.numbers(column)[mask] == largest).all()
    assert (table.numbers(column)[~mask] < largest).all()


def test_levels_within_a_batch_are_one():
    table = grid(stage1=(1e6, 4.000e6, 4.001e6))
    (mask,) = held_out_masks(table, "largest-d1")
    assert mask.sum() == 6


def test_largest_n_reads_params():
    table = grid(params=np.repeat([1e6, 2e6], 6))
    (mask,) = held_out_masks(table, "largest-n")
    np.testing.assert_array_equal(mask, table.numbers("params") == 2e6)


def test_one_level_cannot_be_held_out():
    with pytest.raises(UndeterminedError, match="every row has tokens_stage1"):
        held_out_masks(grid(stage1=(1e6,)), "largest-d1")


def test_missing_params_name_the_row():
    params = np.full(12, 1e6)
    params[4] = np.nan
    table = grid(params=params)
    with pytest.raises(InputError, match=r"row 5 has no params"):
        held_out_masks(table, "largest-n")
    with pytest.raises(InputError, match="params"):
        held_out_masks(grid(), "largest-n")


@QUICK
@given(st.integers(0, 1000), st.integers(3, 9))
def test_folds_share_out_every_row_once_and_keep_trunks_whole(seed, n_trunks):
    trunks = np.array([f"t{number % n_trunks}" for number in range(12)], dtype=object)
    table = grid(trunk=trunks)
    masks = held_out_masks(table, "kfold", seed=seed)
    assert len(masks) == min(5, n_trunks)
    np.testing.assert_array_equal(np.sum(masks, axis=0), np.ones(12))
    for mask in masks:
        assert set(trunks[mask]).isdisjoint(trunks[~mask])
    again = held_out_masks(table, "kfold", seed=seed)
    np.testing.assert_array_equal(masks, again)


def test_folds_depend_on_the_seed():
    table = grid()
    first, second = (np.array(held_out_masks(table, "kfold", seed=seed)) for seed in (0, 1))
    assert (first != second).any()


def test_two_trunks_are_too_few_to_fold_by():
    table = grid(trunk=["a"] * 6 + ["b"] * 6)
    assert len(held_out_masks(table, "kfold")) == 5
    np.testing.assert_array_equal(clusters(table), np.arange(12))


def test_unknown_holdout_lists_the_known_ones():
    with pytest.raises(InputError, match="kfold"):
        held_out_masks(grid(), "lowest")


@pytest.mark.parametrize("holdout", HOLDOUTS)
def test_one_row_is_too_few(holdout):
    with pytest.raises(UndeterminedError, match="at least 2"):
        held_out_masks(grid(stage1=(1e6,), stage2=(1e5,)), holdout)


@QUICK
@given(st.integers(4, 9), st.integers(1, 4), st.integers(0, 1000))
def test_expanding_fits_lower_levels_and_predicts_the_next(n_levels, n_stage2, seed):
    jitter = np.random.default_rng(seed).uniform(0.997, 1.0, n_levels)
    stage1 = 1e6 * 2.0 ** np.arange(n_levels) * jitter
    table = grid(stage1=stage1, stage2=1e5 * 2.0 ** np.arange(n_stage2))
    values = table.numbers("tokens_stage1")
    steps = splits(table, "expanding")
    assert len(steps) == n_levels - 3
    for number, step in enumerate(steps):
        assert set(values[step.fitted]) == set(stage1[: 3 + number])
        assert set(values[step.held_out]) == {stage1[3 + number]}
    held_out = np.sum([step.held_out for step in steps], axis=0)
    np.testing.assert_array_equal(held_out, values > stage1[2])
    np.testing.assert_array_equal(steps[-1].held_out, held_out_masks(table, "largest-d1")[0])


@QUICK
@given(st.integers(10, 80))
def test_many_levels_are_predicted_in_blocks(n_levels):
    table = grid(stage1=np.geomspace(1e6, 1e12, n_levels), stage2=(1e5,))
    steps = splits(table, "expanding")
    values = table.numbers("tokens_stage1")
    assert len(steps) == 6
    assert np.sum([step.held_out for step in steps]) == n_levels - 3
    for step in steps:
        assert values[step.fitted].max() < values[step.held_out].min()


@pytest.mark.parametrize("holdout", [*HOLDOUTS, "expanding:D2", "expanding:N"])
def test_no_row_is_fitted_and_predicted_at_once(holdout):
    table = grid(stage2=(1e5, 2e5, 4e5, 8e5), params=np.tile([1e6, 2e6, 4e6, 8e6], 4))
    for split in splits(table, holdout):
        assert not (split.fitted & split.held_out).any()
        assert split.fitted.any()
        assert split.held_out.any()


def test_expanding_along_a_column_of_choice():
    table = grid(stage2=(1e5, 2e5, 4e5, 8e5), batch=np.repeat([1.0, 2.0, 3.0, 4.0], 4))
    (step,) = splits(table, "expanding:D2")
    np.testing.assert_array_equal(step.held_out, table.numbers("tokens_stage2") == 8e5)
    (step,) = splits(table, "expanding:batch")
    np.testing.assert_array_equal(step.held_out, table.numbers("batch") == 4)
    with pytest.raises(InputError, match="widht"):
        splits(table, "expanding:widht")


def test_expanding_takes_the_variable_that_the_runs_vary():
    assert expanding_column(grid()) == "tokens_stage1"
    assert expanding_column(grid(stage1=(1e6,))) == "tokens_stage2"
    scratch = {"tokens": [1e6, 2e6], "loss": [3.0, 2.0]}
    assert expanding_column(read_runs(scratch)) == "tokens_stage2"
    assert expanding_column(read_runs({**scratch, "params": [1e6, 2e6]})) == "params"


def test_expanding_needs_a_fourth_level_and_enough_rows():
    with pytest.raises(UndeterminedError, match="the rows have 3"):
        splits(grid(stage1=(1e6, 2e6, 4e6)), "expanding")
    steps = splits(grid(stage1=1e6 * 2.0 ** np.arange(6)), "expanding", least_rows=12)
    assert [int(step.fitted.sum()) for step in steps] == [12, 15]
    with pytest.raises(UndeterminedError, match="at most 9 rows"):
        splits(grid(), "expanding", least_rows=10)


@pytest.mark.parametrize("holdout", ["kfold:D1", "expanding:", "expand"])
def test_other_names_are_refused(holdout):
    with pytest.raises(InputError, match="unknown hold-out"):
        splits(grid(), holdout)
