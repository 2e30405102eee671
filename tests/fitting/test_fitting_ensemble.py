"""Forecasts of several laws together."""

from dataclasses import replace

import numpy as np
import pytest

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import compare, fit
from bootlaw.fitting.ensemble import mixed_forecast
from bootlaw.fitting.prediction import prediction_interval
from bootlaw.runs import read_runs

ASKED = {"tokens_stage1": [1e8, 2e7], "tokens_stage2": [2e7, 4e6]}


def table(noise=0.004, seed=0):
    """Return a 5 x 4 grid of runs of a product law."""
    d1, d2 = (
        axis.ravel()
        for axis in np.meshgrid(np.geomspace(1e6, 3e7, 5), np.geomspace(5e5, 8e6, 4), indexing="ij")
    )
    errors = noise * np.random.default_rng(seed).normal(size=d1.size)
    rows = {"method": ["stack"] * d1.size, "tokens_stage1": d1, "tokens_stage2": d2}
    rows |= {"params": [5e4] * d1.size}
    return read_runs({**rows, "loss": (12 * d1**-0.1 * d2**-0.12 + 1) * np.exp(errors)})


@pytest.fixture(scope="module")
def fits():
    return [fit(table(), law, bootstrap=50) for law in ("multiplicative", "total-tokens")]


@pytest.fixture(scope="module")
def contest():
    return compare(table(), ["multiplicative", "total-tokens"], bootstrap=50, holdout="kfold")


@pytest.mark.parametrize("at", [0, 1])
def test_all_the_weight_on_one_law_is_that_law(fits, at):
    weights = [0.0, 0.0]
    weights[at] = 3.0
    found = mixed_forecast(fits, weights, ASKED, 0.9)
    alone = fits[at]
    np.testing.assert_allclose(found.loss, alone.predict(ASKED))
    ends = prediction_interval(alone.predict_replicates(ASKED), alone.residual_scale, 0.9)
    np.testing.assert_allclose([found.lower, found.upper], ends, rtol=1e-9)
    np.testing.assert_allclose(found.spread, 0, atol=1e-12)
    assert found.weights == {alone.law.key: 1.0}


def test_the_mix_is_the_geometric_mean_of_predictions(fits):
    found = mixed_forecast(fits, [1.0, 3.0], ASKED, 0.9)
    one, two = (fit.predict(ASKED) for fit in fits)
    np.testing.assert_allclose(found.loss, one**0.25 * two**0.75)
    # Two points with weights w and 1 - w spread sqrt(w (1 - w)) times their distance.
    np.testing.assert_allclose(found.spread, np.sqrt(0.1875) * np.abs(np.log(one / two)))


def test_the_interval_holds_the_forecast_and_widens_with_the_level(fits):
    narrow, wide = (mixed_forecast(fits, [1, 1], ASKED, level) for level in (0.5, 0.99))
    assert (wide.lower < narrow.lower).all()
    assert (narrow.lower < narrow.upper).all()
    assert (narrow.upper < wide.upper).all()
    assert ((wide.lower < wide.loss) & (wide.loss < wide.upper)).all()


def test_no_interval_without_replicates(fits):
    bare = [replace(each, replicates=each.replicates[:0]) for each in fits]
    found = mixed_forecast(bare, [1, 1], ASKED, 0.9)
    assert found.lower is None
    assert found.to_json()[0]["upper"] is None


def test_what_is_missing_is_named(fits):
    with pytest.raises(InputError, match="tokens_stage2"):
        mixed_forecast(fits, [1, 1], {"tokens_stage1": 1e7}, 0.9)
    with pytest.raises(InputError, match="level"):
        mixed_forecast(fits, [1, 1], ASKED, 1.0)
    with pytest.raises(UndeterminedError, match="no law"):
        mixed_forecast(fits, [0, 0], ASKED, 0.9)


def test_a_contest_forecasts_by_its_weights(contest):
    found = contest.ensemble(ASKED, level=0.9)
    usable = {key: weight for key, weight in contest.weights.items() if weight > 1e-6}
    assert found.weights == pytest.approx(usable)
    keys = list(contest.weights)
    whole = [fit(table(), key, bootstrap=50) for key in keys]
    again = mixed_forecast(whole, [contest.weights[k] for k in keys], ASKED, 0.9)
    np.testing.assert_allclose(found.loss, again.loss)
    np.testing.assert_allclose([found.lower, found.upper], [again.lower, again.upper])
    truth = 12 * 1e8**-0.1 * 2e7**-0.12 + 1
    assert found.lower[0] < truth < found.upper[0]


def test_the_forecast_enters_document_and_summary_when_asked(contest):
    assert contest.to_json()["ensemble"] is None
    asked = contest.with_forecast(ASKED)
    ensemble = asked.to_json()["ensemble"]
    assert sum(ensemble["weights"].values()) == pytest.approx(1)
    assert ensemble["forecasts"][1]["tokens_stage1"] == 2e7
    assert len(ensemble["forecasts"]) == 2
    assert f"{asked.forecast.loss[0]:.4f} nats, 95 % interval" in asked.summary()
    assert "forecast of the laws together" not in contest.summary()


def test_columns_with_one_value_need_not_be_given(contest):
    assert contest.constants["params"] == 5e4
    with pytest.raises(InputError, match="tokens_stage1"):
        contest.ensemble({"tokens_stage2": 1e7})
