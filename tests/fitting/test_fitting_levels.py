"""Levels of a variable, and the blocks they are merged into."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.fitting.levels import SAME_LEVEL, level_numbers, merged

QUICK = settings(deadline=None, max_examples=60)
AMOUNTS = st.lists(st.floats(0, 1e12, allow_nan=False), min_size=1, max_size=40)


@QUICK
@given(AMOUNTS)
def test_levels_keep_the_order_and_are_at_most_one_per_cent_wide(amounts):
    values = np.array(amounts)
    numbers = level_numbers(values)
    assert sorted(set(numbers.tolist())) == list(range(numbers.max() + 1))
    order = np.argsort(values, kind="stable")
    assert (np.diff(numbers[order]) >= 0).all()
    for level in range(numbers.max() + 1):
        inside = values[numbers == level]
        assert inside.min() >= inside.max() * (1 - SAME_LEVEL)


@QUICK
@given(st.lists(st.integers(0, 7), min_size=1, max_size=30), st.integers(0, 1000))
def test_round_counts_and_whole_batches_give_the_same_levels(levels, seed):
    exact = 1e6 * 2.0 ** np.array(levels)
    batches = exact * (1 + np.random.default_rng(seed).uniform(-0.002, 0.002, exact.size))
    np.testing.assert_array_equal(level_numbers(exact), level_numbers(batches))


def test_zero_is_a_level_of_its_own():
    np.testing.assert_array_equal(level_numbers(np.array([0.0, 1.0, 0.0])), [0, 1, 0])


@QUICK
@given(st.integers(1, 60), st.integers(0, 4), st.integers(1, 8))
def test_blocks_are_neighbouring_levels_of_about_one_size(n_levels, first, most):
    levels = np.arange(n_levels)
    blocks = merged(levels, first, most)
    assert (np.diff(blocks) >= 0).all()
    assert sorted(set(blocks.tolist())) == list(range(blocks.max() + 1))
    np.testing.assert_array_equal(blocks[:first], levels[:first])
    assert blocks.max() + 1 == min(n_levels, first + most)
    sizes = np.bincount(blocks)[first:]
    assert not sizes.size or sizes.max() - sizes.min() <= 1
