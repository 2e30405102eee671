"""The one rule of what cannot be told apart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.planning.ties import shares_best, ties

NAN, INF = math.nan, math.inf


def losses(ahead, n=100):
    """Return two options, of which the second is ahead in so many of n replicates."""
    rows = [[2.0, 1.9]] * ahead + [[2.0, 2.1]] * (n - ahead)
    return np.array([[2.0, 2.1], *rows])


@pytest.mark.parametrize(("ahead", "tie"), [(0, False), (20, False), (21, True), (100, True)])
def test_more_than_a_fifth_of_the_replicates_make_a_tie(ahead, tie):
    assert ties(losses(ahead), 0.5).tolist() == [True, tie]


@given(st.integers(0, 100), st.permutations([0, 1]))
def test_the_order_of_the_options_does_not_matter(ahead, order):
    table = losses(ahead)
    assert ties(table[:, order], 0.0).tolist() == ties(table, 0.0)[order].tolist()


def test_without_replicates_the_laws_own_error_decides():
    point = np.array([[2.0, 2.0 * math.exp(0.009), 2.0 * math.exp(0.011), INF]])
    assert ties(point, 0.01).tolist() == [True, True, False, False]
    assert ties(point, NAN).tolist() == [True, False, False, False]


def test_an_option_without_a_loss_is_behind_and_two_say_nothing():
    table = np.array([[2.0, 2.1, 2.2], [NAN, INF, 2.2], [2.0, NAN, 2.2], [NAN, NAN, 1.9]])
    # The second is never ahead of the first; the third is in two replicates of three.
    assert ties(table, 0.0).tolist() == [True, False, True]
    nobody = np.array([[2.0, 2.1], [NAN, NAN]])
    assert ties(nobody, 0.0).tolist() == [True, True]


def test_shares_add_up_to_one():
    assert shares_best(losses(25)).tolist() == [0.75, 0.25]
    assert shares_best(losses(0, n=0)) is None
