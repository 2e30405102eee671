"""Fits and published coefficients as one kind of thing to plan from."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from bootlaw.errors import InputError
from bootlaw.fitting.misfit import Misfit, RollOut
from bootlaw.laws import preset
from bootlaw.planning.source import as_source

POINTS = {"tokens_stage1": np.array([1e9, 1e12]), "tokens_stage2": 1e10, "params": 1e9}


def test_a_preset_answers_as_its_law_does_and_has_no_interval():
    source = as_source("liew2025-upcycling-upcycled")
    np.testing.assert_allclose(
        source.loss(POINTS, "reuse")[0], preset("liew2025-upcycling-upcycled").loss(POINTS)
    )
    assert source.interval(POINTS, "reuse") is None
    assert source.published
    assert "range of the runs behind it is not known" in source.warnings[0]


def test_a_fit_answers_as_its_predictions_do(factory):
    fit = factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=[factory.JOINT], residual_scale=0.01
    )
    source = as_source(fit)
    columns = {"tokens_stage1": np.array([1e9, 1e10]), "tokens_stage2": np.array([1e9, 2e9])}
    np.testing.assert_allclose(source.loss(columns, "reuse")[0], fit.predict(columns))
    scratch = {"tokens_stage1": np.zeros(2), "tokens_stage2": columns["tokens_stage2"]}
    np.testing.assert_allclose(source.loss(scratch, "scratch")[1], fit.predict(scratch))


def test_each_parameter_vector_may_have_points_of_its_own(factory):
    other = {**factory.MAIN, "A": 20.0}
    source = as_source(factory.make_fit("bootstrapped", factory.MAIN, replicates=[other]))
    tokens = np.array([[1e9, 2e9], [3e9, 4e9]])
    columns = {"tokens_stage1": np.full((1, 2), 1e9), "tokens_stage2": tokens}
    paired = source.paired_loss(np.array([0, 1]), columns, "reuse")
    for row in range(2):
        alone = source.loss({"tokens_stage1": 1e9, "tokens_stage2": tokens[row]}, "reuse")
        np.testing.assert_allclose(paired[row], alone[row])


@pytest.mark.parametrize(
    ("key", "reuse", "scratch"),
    [("bootstrapped", True, False), ("bootstrapped+scratch", True, True), ("power", False, True)],
)
def test_which_runs_a_law_speaks_of(factory, key, reuse, scratch):
    values = {**factory.JOINT, "a": 0.1}
    source = as_source(factory.make_fit(key, values))
    assert source.answers("reuse") is reuse
    assert source.answers("scratch") is scratch


def test_replicates_spread_by_the_misfit_beyond_the_data_and_only_there(factory):
    fit = factory.make_fit("bootstrapped", factory.MAIN, replicates=[factory.MAIN] * 400)
    step = RollOut(1e12, 1.0, 0.02, 0.02, 20, 5)
    seen = Misfit("tokens_stage1", 1e12, (step,))
    source = replace(as_source(fit), misfits=(seen,))
    inside = source.loss({"tokens_stage1": 1e12, "tokens_stage2": 1e10}, "reuse")
    beyond = np.log(source.loss({"tokens_stage1": 1e13, "tokens_stage2": 1e10}, "reuse"))
    assert np.ptp(inside) == 0
    ends = np.quantile(beyond[1:], [0.025, 0.975]) - beyond[0, 0]
    np.testing.assert_allclose(ends, seen.step * t(2).ppf([0.025, 0.975]), rtol=0.05)


def test_a_name_that_is_nothing_is_answered_with_the_presets():
    with pytest.raises(InputError, match="did you mean 'hoffmann2022'"):
        as_source("hofmann2022")


def test_coefficients_of_another_output_are_no_law_of_the_loss():
    with pytest.raises(InputError, match="predicts critical_ratio"):
        as_source("gu2024-mixture-460m")


def test_the_misfits_of_a_fit_are_those_of_its_source(factory):
    step = RollOut(1e12, 1.0, 0.02, 0.02, 20, 5)
    fit = factory.make_fit("bootstrapped", factory.MAIN)
    seen = (Misfit("tokens_stage1", 1e12, (step,)),)
    assert as_source(replace(fit, misfits=seen)).misfits == seen


@pytest.mark.parametrize("what", [None, 42, ["fit.json"], {"law": "power"}])
def test_what_is_no_fit_is_refused_by_what_it_is(what):
    with pytest.raises(InputError, match=f"{type(what).__name__}.* is no fit"):
        as_source(what)
