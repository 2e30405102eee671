"""Fits of whole tables: closed forms, invariances, real data, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typical import table, typical, typical_vector

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting import fit
from bootlaw.fitting.problem import residual_scale

TABLE = Path(__file__).parents[1] / "data" / "tiny_two_stage.csv"
IDENTIFIABLE = [key for key in laws.names() if laws.get(key).output == "loss"]


def table_of(key: str, noise: float = 0.0, seed: int = 0, **changed: float) -> dict[str, object]:
    """Return a grid of runs that follow the law, with log-normal noise."""
    return table(laws.get(key), noise, seed, **changed)


@pytest.mark.parametrize("key", IDENTIFIABLE)
def test_noise_free_tables_give_their_parameters_back(key: str) -> None:
    found = fit(table_of(key), key)
    assert found.status == "converged"
    np.testing.assert_allclose(found.values, typical_vector(found.law), rtol=1e-5)
    assert found.rms_log < 1e-9


@settings(max_examples=15, deadline=None)
@given(
    a1=st.floats(-0.1, 0.4),
    a2=st.floats(0.1, 0.6),
    a3=st.floats(-0.02, 0.02),
    irreducible=st.floats(0.2, 3.0),
)
def test_exponents_of_either_sign_are_recovered(
    a1: float, a2: float, a3: float, irreducible: float
) -> None:
    runs = table_of("bootstrapped", a1=a1, a2=a2, a3=a3, E=irreducible)
    # Losses that are flat to a part in a thousand hold no law.
    assume(runs["loss"].min() > 1.001 * irreducible)
    found = fit(runs)
    assert found.status == "converged"
    truth = [20.0, a1, a2, a3, irreducible]
    np.testing.assert_allclose(found.values, truth, rtol=1e-5, atol=1e-7)


def test_the_token_unit_moves_a1_a2_and_ln_a_only() -> None:
    runs = table_of("bootstrapped", noise=0.003)
    unit = 1e3
    in_thousands = runs | {name: runs[name] / unit for name in ("tokens_stage1", "tokens_stage2")}
    raw, other = fit(runs), fit(in_thousands)
    shift = raw.value("a3") * np.log(unit)
    assert other.value("a3") == pytest.approx(raw.value("a3"), rel=1e-7)
    assert other.value("E") == pytest.approx(raw.value("E"), rel=1e-7)
    assert other.value("a1") == pytest.approx(raw.value("a1") - shift, rel=1e-7)
    assert other.value("a2") == pytest.approx(raw.value("a2") - shift, rel=1e-7)
    ln_a = (
        np.log(raw.value("A"))
        - (raw.value("a1") + raw.value("a2")) * np.log(unit)
        + raw.value("a3") * np.log(unit) ** 2
    )
    assert np.log(other.value("A")) == pytest.approx(ln_a, rel=1e-7)
    assert other.objective == pytest.approx(raw.objective, rel=1e-9)


@pytest.mark.parametrize("key", ["bootstrapped", "additive+scratch", "effective-data"])
def test_the_loss_unit_scales_coefficients_and_e(key: str) -> None:
    runs = table_of(key, noise=0.002)
    nats = fit(runs, key)
    bits = fit(runs | {"loss": runs["loss"] / np.log(2)}, key)
    for parameter in nats.law.parameters:
        scaled = parameter.kind == "irreducible" or parameter.name in ("A", "B", "A_s")
        factor = 1 / np.log(2) if scaled else 1.0
        expected = nats.value(parameter.name) * factor
        assert bits.value(parameter.name) == pytest.approx(expected, rel=1e-5)


def test_the_order_of_rows_does_not_matter() -> None:
    runs = table_of("bootstrapped", noise=0.005)
    order = np.random.default_rng(5).permutation(25)
    shuffled = {name: values[order] for name, values in runs.items()}
    np.testing.assert_allclose(fit(shuffled).values, fit(runs).values, rtol=1e-7)


def test_a_large_delta_is_least_squares_and_a_wild_row_does_not_move_a_robust_fit() -> None:
    runs = table_of("bootstrapped", noise=0.001)
    clean = fit(runs)
    spoilt = runs | {"loss": runs["loss"] * np.where(np.arange(25) == 7, 1.3, 1.0)}
    columns = {"tokens_stage1": 1e6, "tokens_stage2": 1e6}
    reference = clean.predict(columns)[0]
    assert fit(spoilt).predict(columns)[0] == pytest.approx(reference, rel=1e-3)
    assert fit(spoilt, delta=10.0).predict(columns)[0] != pytest.approx(reference, rel=3e-3)
    squares = fit(runs, delta=10.0)
    assert squares.objective == pytest.approx(0.5 * 25 * squares.rms_log**2, rel=1e-12)


def test_real_stacking_runs() -> None:
    found = fit(TABLE, method="stack")
    assert found.status == "converged"
    assert (found.n_rows, found.n_dropped, found.method) == (30, 100, "stack")
    assert found.ranges["tokens_stage1"] == pytest.approx((2.5e5, 1.6e7), rel=0.01)
    assert found.ranges["tokens_stage2"] == pytest.approx((1.25e5, 2e6), rel=0.01)
    # The law does not read the size, but a plan of its cost needs it and could not know it.
    assert found.ranges["params"][0] == found.ranges["params"][1] > 0
    assert found.value("a3") == pytest.approx(0.02734788, abs=1e-7)
    assert found.value("E") == pytest.approx(1.46799753, abs=1e-7)
    # The prototype fitted its first seed with squared loss and reported an RMS of 0.0064.
    squares = fit(TABLE, method="stack", where="seed == 0", delta=10.0)
    assert squares.rms_log == pytest.approx(0.0064, abs=5e-5)


def test_intervals_cover_the_truth_and_follow_the_level() -> None:
    runs = table_of("multiplicative", noise=0.004, seed=2)
    wide = fit(runs, "multiplicative", bootstrap=300, level=0.99)
    narrow = fit(runs, "multiplicative", bootstrap=300, level=0.5)
    assert wide.replicates.shape == (300, 4)
    for name, estimate in wide.estimates.items():
        inner = narrow.estimates[name]
        assert estimate.lower <= typical(laws.get("bootstrapped"))[name] <= estimate.upper
        assert estimate.lower < inner.lower < inner.upper < estimate.upper
    spread = wide.predict_replicates({"tokens_stage1": [1e6, 1e6], "tokens_stage2": [1e6, 1e12]})
    assert spread.shape == (300, 2)
    assert spread[:, 1].std() > spread[:, 0].std()


def test_the_same_seed_gives_the_same_fit() -> None:
    runs = table_of("power", noise=0.01)
    one, other = (fit(runs, "power", bootstrap=50, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.replicates, other.replicates)
    different = fit(runs, "power", bootstrap=50, seed=5)
    assert not np.array_equal(one.replicates, different.replicates)


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_residual_scale_estimates_a_standard_deviation(seed: int) -> None:
    residuals = np.random.default_rng(seed).normal(0, 0.01, 2000)
    assert residual_scale(residuals, 5) == pytest.approx(0.01, rel=0.12)
    assert np.isnan(residual_scale(residuals[:5], 5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 0.0}, "delta is a log residual above 0"),
        ({"level": 1.0}, "level is a coverage"),
        ({"bootstrap": -1}, "number of refits"),
        ({"resample": "jackknife"}, "resample is one of"),
        ({"resample": "wild"}, "needs at least 3 trunks"),
        ({"drop_lowest": 1.0}, "share of the rows"),
        ({"law": "nonsense"}, "no law is called"),
        ({"method": "stack"}, "no row of method 'stack'; the table has reuse"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(table_of("bootstrapped"), **options)
