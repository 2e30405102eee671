"""Zeros of families of curves against zeros that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.planning.crossings import GRID_STEP, find_zeros

QUICK = settings(deadline=None, max_examples=40)


def polynomials(roots):
    """Return curves that change sign exactly at each row of `roots`."""
    table = np.asarray(roots, dtype=float)

    def curves(which, x):
        return np.prod(x[:, :, np.newaxis] - table[which][:, np.newaxis, :], axis=2)

    return curves, len(table)


@QUICK
@given(
    st.lists(
        st.lists(st.floats(0.2, 19.8), min_size=2, max_size=2, unique=True).map(sorted),
        min_size=1,
        max_size=5,
    )
)
def test_both_roots_of_every_parabola_are_found(roots):
    roots = [pair for pair in roots if pair[1] - pair[0] > 1e-4]
    if not roots:
        return
    curves, n_curves = polynomials(roots)
    zeros = find_zeros(curves, n_curves, 0.0, 20.0)
    np.testing.assert_allclose(zeros.position, np.ravel(roots), atol=1e-10)
    np.testing.assert_array_equal(zeros.curve, np.repeat(np.arange(n_curves), 2))
    np.testing.assert_array_equal(zeros.rising, [False, True] * n_curves)
    assert zeros.starts_above.all()


def test_pair_of_roots_inside_one_grid_cell_is_found():
    curves, n_curves = polynomials([[5.01, 5.01 + GRID_STEP / 50]])
    assert find_zeros(curves, n_curves, 0.0, 10.0).count().tolist() == [2]


def test_touch_from_below_that_stays_below_has_no_zero():
    def below(which, x):
        return np.broadcast_to(-((x - 5.01) ** 2) - 1e-9, (len(which), x.shape[1]))

    zeros = find_zeros(below, 3, 0.0, 10.0)
    assert zeros.count().tolist() == [0, 0, 0]
    assert not zeros.starts_above.any()


def test_three_roots_alternate():
    curves, n_curves = polynomials([[2.0, 5.5, 5.6]])
    zeros = find_zeros(curves, n_curves, 0.0, 10.0)
    assert zeros.rising.tolist() == [True, False, True]
    np.testing.assert_allclose(zeros.position, [2.0, 5.5, 5.6], atol=1e-10)


def test_first_rising_is_infinite_without_one():
    def lines(which, x):
        slopes = np.array([1.0, -1.0, 0.0])[which][:, np.newaxis]
        return slopes * (x - 3.0) - (slopes == 0)

    first = find_zeros(lines, 3, 0.0, 10.0).first_rising()
    np.testing.assert_allclose(first, [3.0, np.inf, np.inf], atol=1e-10)


def test_infinite_values_are_above_and_nan_is_not():
    def step(which, x):
        return np.where(x < 4.0, np.nan, np.inf) * np.ones((len(which), 1))

    zeros = find_zeros(step, 1, 0.0, 10.0)
    np.testing.assert_allclose(zeros.position, [4.0], atol=1e-10)
    assert not zeros.starts_above[0]


def test_empty_interval_is_refused():
    with pytest.raises(ValueError, match="empty"):
        find_zeros(lambda _, x: x, 1, 2.0, 2.0)
