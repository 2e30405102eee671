"""Fits that the rows cannot determine say so and name the direction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.fitting import Fit, fit
from bootlaw.fitting.identifiability import distinct_levels

TABLE = Path(__file__).parents[1] / "data" / "tiny_two_stage.csv"
PARAMS = [20.0, 0.12, 0.3, 0.012, 1.1]


def runs(stage1: np.ndarray, stage2: np.ndarray, noise: float = 0.002) -> dict[str, np.ndarray]:
    columns = {"tokens_stage1": stage1, "tokens_stage2": stage2}
    jitter = np.random.default_rng(0).normal(0, noise, stage1.size)
    return columns | {"loss": laws.get("bootstrapped").loss(PARAMS, columns) * np.exp(jitter)}


def reason(found: Fit) -> str:
    assert found.status == "not_identifiable"
    return next(d.message for d in found.diagnostics if d.code == "not_identifiable")


def test_one_base_cannot_tell_a1_and_a3() -> None:
    found = fit(runs(np.full(12, 1e6), np.geomspace(1e5, 1e8, 12)))
    message = reason(found)
    assert "A, a1, a2 and a3 can change together" in message
    assert "tokens_stage1 has one level" in message
    # What the rows do determine is still right.
    observed = laws.get("bootstrapped").loss(
        PARAMS, {"tokens_stage1": 1e6, "tokens_stage2": [1e6, 1e7]}
    )
    predicted = found.predict({"tokens_stage1": 1e6, "tokens_stage2": [1e6, 1e7]})
    np.testing.assert_allclose(predicted, observed, rtol=3e-3)


def test_a_fixed_ratio_of_the_stages_cannot_tell_their_exponents() -> None:
    stage1 = np.geomspace(1e5, 1e8, 12)
    for key in ("multiplicative", "total-tokens"):
        found = fit(runs(stage1, 0.5 * stage1), key)
        if key == "total-tokens":
            assert found.status == "converged"
        else:
            assert "tokens_stage2 is proportional to tokens_stage1" in reason(found)


def test_a_ratio_that_only_rounding_varies_is_as_hopeless() -> None:
    stage1 = np.round(np.geomspace(1e5, 1e8, 12) / 1024) * 1024
    stage2 = np.round(0.5 * stage1 / 1024) * 1024
    assert "tokens_stage2" in reason(fit(runs(stage1, stage2), "multiplicative"))


def test_fewer_rows_than_parameters() -> None:
    found = fit(runs(np.array([1e6, 4e6, 1e6, 4e6]), np.array([1e5, 1e5, 1e6, 1e6])))
    assert "4 rows cannot determine 5 parameters; add at least 1 runs" in reason(found)
    assert np.isnan(found.residual_scale)


def test_an_optimum_at_infinity() -> None:
    """On the real continual-pretraining runs effective data wants b, ln B and k without end."""
    assert "lies at infinity" in reason(fit(TABLE, "effective-data", method="cpt"))


@pytest.mark.parametrize("key", ["bootstrapped", "multiplicative", "additive", "total-tokens"])
def test_a_full_grid_is_identifiable(key: str) -> None:
    stage1, stage2 = (
        g.ravel() for g in np.meshgrid(np.geomspace(1e5, 1e7, 5), np.geomspace(1e5, 1e7, 5))
    )
    assert fit(runs(stage1, stage2), key).status == "converged"


def test_levels_within_a_percent_are_one() -> None:
    assert distinct_levels(np.array([1e6, 1.004e6, 1.2e6, 9.99e5])) == 2
    assert distinct_levels(np.array([])) == 0
    assert distinct_levels(np.array([0.0, -1.0, 5.0])) == 3


def test_a_dense_range_has_many_levels() -> None:
    """Neighbours within 1 % were merged one after the other into a single level."""
    assert 200 < distinct_levels(np.geomspace(1e8, 1e9, 5000)) <= 231


def test_equal_losses_tell_no_curve() -> None:
    """The fit of a constant column blamed a direction of the parameters."""
    runs = {"tokens": np.geomspace(1e5, 1e7, 6), "loss": np.full(6, 2.5)}
    found = fit(runs, "power")
    assert found.status == "not_identifiable"
    assert "all 6 losses are equal (2.5)" in found.diagnostics[0].message
