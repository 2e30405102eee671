import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.training.schedule import Cooldown, Trunk


@given(step=st.integers(0, 10_000), warmup=st.integers(0, 500))
def test_a_trunk_warms_up_linearly_and_stays(step, warmup):
    rate = Trunk(0.01, warmup).learning_rate(step)
    if step >= warmup:
        assert rate == 0.01
    else:
        assert rate == pytest.approx(0.01 * (step + 1) / warmup)


@given(start=st.integers(40, 1000), length=st.integers(1, 500))
def test_a_cooldown_follows_its_trunk_and_then_falls_to_zero_in_equal_steps(start, length):
    trunk = Trunk(0.01, 32)
    cooldown = Cooldown(trunk, start, start + length)
    rates = [cooldown.learning_rate(step) for step in range(start + length + 1)]

    assert rates[:start] == [trunk.learning_rate(step) for step in range(start)]
    assert rates[-1] == 0
    falls = [a - b for a, b in zip(rates[start:-1], rates[start + 1 :], strict=True)]
    assert falls == pytest.approx([0.01 / length] * length)


@pytest.mark.parametrize("build", [lambda: Trunk(0, 1), lambda: Trunk(0.1, -1)])
def test_a_senseless_trunk_is_refused(build):
    with pytest.raises(InputError):
        build()


def test_a_cooldown_that_ends_before_it_starts_is_refused():
    with pytest.raises(InputError, match="start < end"):
        Cooldown(Trunk(0.1, 0), 5, 5)
