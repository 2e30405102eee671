"""Many minima at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.planning.allocation.repeats import R_STAR, effective_tokens, too_often
from bootlaw.planning.allocation.search import mesh, minimise

LOWER, UPPER = np.array([-10.0, -10.0]), np.array([10.0, 10.0])


@settings(deadline=None, max_examples=50)
@given(
    centre=st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    tilt=st.floats(-0.95, 0.95),
    stretch=st.floats(0.1, 10.0),
)
def test_quartic_valleys_are_found_wherever_they_lie(centre, tilt, stretch):
    def objective(points):
        x, y = points[..., 0] - centre[0], (points[..., 1] - centre[1]) * stretch
        square = x**2 + y**2 + 2 * tilt * x * y
        return 3.0 + square + 0.1 * square**2

    found = minimise(objective, LOWER, UPPER, 1)
    assert found.points[0] == pytest.approx(centre, abs=1e-5)
    assert found.values[0] == pytest.approx(3.0)


def test_each_function_has_a_minimum_of_its_own():
    centres = np.linspace(-8, 8, 33)[:, np.newaxis]

    def objective(points):
        return np.cosh((points[..., 0] - centres) / 3) + 1.0

    found = minimise(objective, LOWER[:1], UPPER[:1], 33)
    assert found.points[:, 0] == pytest.approx(centres[:, 0], abs=1e-5)


def test_the_deeper_of_two_basins_is_found():
    def objective(points):
        x = points[..., 0]
        return 2 - np.exp(-((x - 7) ** 2)) - 1.2 * np.exp(-((x + 6) ** 2))

    found = minimise(objective, LOWER[:1], UPPER[:1], 1)
    assert found.points[0, 0] == pytest.approx(-6, abs=1e-5)


def test_a_minimum_beyond_the_box_is_at_its_edge():
    def objective(points):
        x, y = points[..., 0], points[..., 1]
        return (x - 12) ** 2 + (y - 0.5 * x) ** 2 + 1

    found = minimise(objective, LOWER, UPPER, 1)
    assert found.points[0] == pytest.approx([10.0, 5.0], abs=1e-5)


def test_where_there_is_no_value_there_is_no_minimum():
    def objective(points):
        x = points[..., 0]
        return np.where(x > 3, (x - 2) ** 2 + 1, np.inf)

    found = minimise(objective, LOWER[:1], UPPER[:1], 1)
    assert 3 < found.points[0, 0] < 3.1
    nowhere = minimise(lambda points: np.full((2, points.shape[1]), np.inf), LOWER, UPPER, 2)
    assert np.isinf(nowhere.values).all()


def test_nothing_to_choose_is_one_point():
    nothing = np.zeros(0)
    found = minimise(lambda points: np.full((3, points.shape[1]), 2.5), nothing, nothing, 3)
    assert found.points.shape == (3, 0)
    assert found.values == pytest.approx([2.5] * 3)
    assert mesh(nothing, nothing, 5).shape == (1, 0)


@given(tokens=st.floats(1.0, 1e14), unique=st.floats(1e3, 1e12))
def test_repeated_tokens_are_worth_less_than_new_ones_and_more_than_none(tokens, unique):
    worth = float(effective_tokens(np.array(tokens), unique))
    assert worth <= tokens * (1 + 1e-12)
    assert worth >= min(tokens, unique) * (1 - 1e-12)
    assert worth <= unique * (1 + R_STAR)


def test_repetitions_are_counted_as_muennighoff_et_al_do():
    from bootlaw.laws import preset

    # The law's own data term at N -> infinity repeats in the same way.
    law, values = preset("muennighoff2023"), preset("muennighoff2023").values
    tokens = np.array([0.5e9, 1e9, 4e9, 2e10])
    columns = {"tokens_stage2": tokens, "unique_tokens": 1e9, "params": 1e6}
    flat = {**columns, "tokens_stage2": effective_tokens(tokens, 1e9), "unique_tokens": 1e15}
    differences = np.diff(law.loss(columns)) - np.diff(law.loss(flat))
    assert differences == pytest.approx(np.zeros(3), abs=1e-6)
    assert values["R_D"] == pytest.approx(R_STAR)


def test_more_than_forty_epochs_are_too_many():
    assert list(too_often(np.array([1e9, 4e10, 4.1e10]), 1e9)) == [False, False, True]
    assert not too_often(np.array([1e30]), None).any()
    assert effective_tokens(np.array([5.0]), None)[0] == 5.0


def test_a_minimum_at_a_wall_is_found_at_the_wall():
    """Steps that overshoot the end of what makes sense were refused, and left 4 % to it."""
    walls = np.linspace(0.3, 2.7, 7)

    def falling(points):
        ends = walls[:, np.newaxis]
        values = -points[..., 0] + 0.0 * ends
        return np.where(points[..., 0] > ends, np.inf, values)

    found = minimise(falling, np.array([0.0]), np.array([23.0]), 7)
    np.testing.assert_allclose(found.points[:, 0], walls, atol=1e-4)
    assert (found.points[:, 0] <= walls).all()


def test_a_minimum_along_a_wall_is_found_too():
    def walled(points):
        x, y = points[..., 0], points[..., 1]
        return np.where(x + y > 4.0, np.inf, (x - 7.0) ** 2 + (y - 3.0) ** 2)

    found = minimise(walled, np.array([-20.0, -20.0]), np.array([20.0, 20.0]), 1)
    np.testing.assert_allclose(found.points, [[4.0, 0.0]], atol=0.02)
    assert found.values[0] == pytest.approx(18.0, rel=1e-3)
