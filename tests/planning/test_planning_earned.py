"""Where an interval has not earned its width, an answer says so, and louder further out."""

from dataclasses import replace

import numpy as np
import pytest

from bootlaw.fitting import Misfit, RollOut
from bootlaw.planning import forecast
from bootlaw.planning.extrapolation import unearned_warnings
from bootlaw.planning.source import as_source

STEP = RollOut(1e12, 0.5, 0.02, 0.02, 20, 5)


def source_of(factory, *misfits):
    fit = factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=[factory.JOINT] * 60, residual_scale=0.01
    )
    return replace(as_source(fit), ranges={"tokens_stage1": (1e9, 1e12)}, misfits=misfits)


def test_without_a_hold_out_the_warning_grows_with_the_distance(factory):
    source = source_of(factory)
    found = [
        unearned_warnings(source, {"tokens_stage1": 1e12 * 10**far}, "reuse")
        for far in (0.0, 0.3, 0.8, 3.0)
    ]
    assert found[0] == ()
    for warnings, words in zip(found[1:], ("somewhat", "the least", "do not decide"), strict=True):
        assert len(warnings) == 1
        assert "too few levels" in warnings[0]
        assert words in warnings[0]


def test_a_hold_out_earns_the_width_as_far_as_it_reached(factory):
    source = source_of(factory, Misfit("tokens_stage1", 1e12, (STEP,), "reuse"))
    near = unearned_warnings(source, {"tokens_stage1": 1e13}, "reuse")
    far = unearned_warnings(source, {"tokens_stage1": 1e15}, "reuse")
    assert near == ()
    assert "6 times as far" in far[0]


def test_a_hold_out_of_other_runs_earns_nothing(factory):
    source = source_of(factory, Misfit("tokens_stage1", 1e12, (STEP,), "scratch"))
    assert "not earned" in unearned_warnings(source, {"tokens_stage1": 1e13}, "reuse")[0]


def test_below_the_data_nothing_is_earned(factory):
    source = source_of(factory, Misfit("tokens_stage1", 1e12, (STEP,), "reuse"))
    assert "below the data" in unearned_warnings(source, {"tokens_stage1": 1e7}, "reuse")[0]


def test_no_interval_has_no_width(factory):
    source = as_source(factory.make_fit("bootstrapped", factory.MAIN))
    assert unearned_warnings(source, {"tokens_stage1": 1e15}, "reuse") == ()


@pytest.mark.parametrize(("stage1", "times"), [(1e12, 1.0), (10**12.5, 3.0)])
def test_a_forecast_widens_by_what_was_missed(factory, stage1, times):
    bare, earned = (
        forecast(source_of(factory, *misfits), tokens_stage1=stage1, tokens_stage2=1e10, level=0.95)
        for misfits in ((), (Misfit("tokens_stage1", 1e12, (STEP,), "reuse"),))
    )
    widths = [np.log(one.upper / one.lower) for one in (bare, earned)]
    if times == 1.0:
        assert widths[1] == pytest.approx(widths[0], rel=1e-9)
    else:
        assert widths[1] > times * widths[0]
