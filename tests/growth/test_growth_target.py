"""The nearest size: bisection agrees with trying every one, also where most are refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.growth.compose import Step
from bootlaw.growth.target import _around


@given(
    possible=st.sets(st.integers(0, 300), min_size=1),
    wanted=st.integers(1, 400),
)
def test_the_nearest_of_all_possible_sizes_is_found(possible, wanted):
    """With a granularity of 64 the neighbours lay further apart than the last stretch searched."""
    steps = [Step("upcycle", {"experts": number}) for number in range(301)]

    def count(step):
        number = step.arguments["experts"]
        return number + 1 if number in possible else None

    found = _around(steps, wanted, count)
    best = min(abs(math.log((number + 1) / wanted)) for number in possible)
    assert min(abs(math.log(params / wanted)) for params in found) == pytest.approx(best)
    assert all(found[params].arguments["experts"] + 1 == params for params in found)
