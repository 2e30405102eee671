"""Trunk and row noise: the estimate is the classical one, draws are honest, intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw import laws
from bootlaw.fitting import fit
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import find_optimum
from bootlaw.fitting.random_effects import RandomEffects, random_effects
from bootlaw.fitting.trunk_noise import TrunkNoise, trunk_noise, winsorised
from bootlaw.laws.names import D1, D2

ONES = np.ones((24, 1))
TRUNKS = np.repeat(np.arange(6), 4)


def noise(seed: int, trunk: float, row: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return trunk * rng.standard_normal(6)[TRUNKS] + row * rng.standard_normal(24)


def analysis_of_variance(residuals: np.ndarray) -> tuple[float, float]:
    """Return the variances (trunk, row) of a balanced one-way layout with a common mean."""
    table = residuals.reshape(6, 4)
    within = table.var(axis=1, ddof=1).mean()
    between = 4 * table.mean(axis=1).var(ddof=1)
    return (between - within) / 4, within


@given(st.integers(0, 10_000))
def test_a_balanced_layout_has_the_estimate_of_the_analysis_of_variance(seed: int) -> None:
    residuals = noise(seed, 2.0, 1.0)
    scales = random_effects(residuals, ONES, TRUNKS).estimate()
    trunk, row = analysis_of_variance(residuals)
    if trunk > 0:
        assert scales.trunk**2 == pytest.approx(trunk, rel=1e-6)
        assert scales.row**2 == pytest.approx(row, rel=1e-6)
    else:
        assert scales.trunk == 0.0
        assert scales.row == pytest.approx(residuals.std(ddof=1))


def test_the_likelihood_is_that_of_the_projected_residuals() -> None:
    """Unbalanced trunks and weights: against the multivariate normal of a basis of contrasts."""
    rng = np.random.default_rng(1)
    trunks, weights = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3, 3]), rng.uniform(0.5, 2.0, 10)
    jacobian, residuals = rng.normal(size=(10, 2)), rng.normal(size=10)
    basis = np.linalg.svd(jacobian)[0][:, 2:]
    indicators = np.eye(4)[trunks]
    effects = random_effects(residuals, jacobian, trunks, weights)

    def exact(ratio: float) -> float:
        covariance = basis.T @ (np.diag(1 / weights) + ratio * indicators @ indicators.T) @ basis
        squares = (basis.T @ residuals) @ np.linalg.solve(covariance, basis.T @ residuals)
        return float(-0.5 * np.linalg.slogdet(covariance)[1] - 4.0 * np.log(squares))

    ratios = np.array([0.0, 0.3, 2.0, 50.0])
    expected = np.array([exact(ratio) for ratio in ratios])
    found = effects.log_likelihood(ratios)
    np.testing.assert_allclose(found - found[0], expected - expected[0], rtol=1e-9, atol=1e-9)


def test_independent_rows_have_the_t_interval() -> None:
    """The mean of 24 rows: percentiles of mean + noise are Student's t with 23 degrees."""
    residuals = noise(1, 0.0, 1.0)
    residuals -= residuals.mean()
    effects = random_effects(residuals, ONES, None)
    drawn = TrunkNoise(effects, np.arange(24), np.ones(24)).draw(np.random.default_rng(0), 40_000)
    half = np.quantile(drawn.mean(axis=1), 0.975)
    assert half == pytest.approx(2.0687 * residuals.std(ddof=1) / np.sqrt(24), rel=0.03)


def test_strong_trunk_noise_has_the_t_interval_of_trunk_means() -> None:
    residuals = noise(2, 5.0, 0.1)
    residuals -= residuals.mean()
    effects = random_effects(residuals, ONES, TRUNKS)
    drawn = TrunkNoise(effects, TRUNKS, np.ones(24)).draw(np.random.default_rng(0), 40_000)
    means = residuals.reshape(6, 4).mean(axis=1)
    half = np.quantile(drawn.mean(axis=1), 0.975)
    assert half == pytest.approx(2.5706 * means.std(ddof=1) / np.sqrt(6), rel=0.04)


def test_the_scale_of_a_new_run_is_that_of_students_t() -> None:
    effects = RandomEffects(np.zeros(0), np.zeros(0), rest=8.0, df=8)
    scale = TrunkNoise(effects, np.arange(10), np.ones(10)).new_run_scale(0.95, n=20_000)
    assert scale == pytest.approx(2.3060 / 1.95996, rel=0.02)


def test_parameters_that_absorb_the_trunks_leave_row_noise_only() -> None:
    effects = random_effects(noise(3, 1.0, 1.0), np.eye(6)[TRUNKS], TRUNKS)
    assert not effects.tells_trunks
    assert effects.df == 18
    assert effects.estimate().trunk == 0.0


def test_no_row_to_spare_is_no_noise_to_draw() -> None:
    effects = random_effects(np.zeros(3), np.eye(3), None)
    assert np.isnan(effects.estimate().row)
    with pytest.raises(ValueError, match="no row is to spare"):
        effects.draw(np.random.default_rng(0), 10)


def test_one_wild_row_does_not_move_the_scales() -> None:
    residuals = noise(4, 0.004, 0.002)
    wild = residuals.copy()
    wild[7] += 0.5
    clean = random_effects(winsorised(residuals, TRUNKS, 1), ONES, TRUNKS).estimate()
    spoilt = random_effects(winsorised(wild, TRUNKS, 1), ONES, TRUNKS).estimate()
    assert spoilt.row < 1.5 * clean.row
    assert spoilt.trunk < 1.5 * clean.trunk
    assert random_effects(wild, ONES, TRUNKS).estimate().row > 20 * clean.row


def two_stage(
    seed: int, unit: float = 1.0, scale: float = 0.003, delta: float = 0.01
) -> tuple[Objective, np.ndarray]:
    """Return a table of eight trunks (four D1, two seeds) of five D2, tokens in `unit`."""
    stage1 = np.repeat(np.geomspace(2e5, 2e7, 4), 2)
    columns = {D1: np.repeat(stage1, 5), D2: np.tile(np.geomspace(1e5, 1e7, 5), 8)}
    law, trunks = laws.get("bootstrapped"), np.repeat(np.arange(8), 5)
    rng = np.random.default_rng(seed)
    shift = scale * rng.standard_normal(8)[trunks] + scale * rng.standard_normal(40)
    losses = law.loss([20.0, 0.12, 0.3, 0.012, 1.1], columns) * np.exp(shift)
    return Objective.of(law, {k: v * unit for k, v in columns.items()}, losses, delta), trunks


def forecasts(objective: Objective, trunks: np.ndarray, unit: float, n: int = 200) -> np.ndarray:
    optimum = find_optimum(objective)
    refits = refit(resampled(objective, optimum.u, "random-effects", trunks, n, 0), optimum, n)
    law = objective.design.law
    at = {D1: [2e6 * unit, 6e7 * unit], D2: [1e6 * unit, 3e7 * unit]}
    return law.loss(law.from_internal(refits.u), at)


def test_draws_repeat_by_seed_and_do_not_depend_on_the_unit_of_tokens() -> None:
    plain = forecasts(*two_stage(0), 1.0)
    assert (plain == forecasts(*two_stage(0), 1.0)).all()
    np.testing.assert_allclose(forecasts(*two_stage(0, 1e-6), 1e-6), plain, rtol=1e-6)


def test_without_noise_the_cloud_is_a_point() -> None:
    objective, trunks = two_stage(0, scale=0.0)
    spread = np.ptp(forecasts(objective, trunks, 1.0), axis=0)
    assert (spread < 1e-9).all()
    assert trunk_noise(objective, find_optimum(objective).u, trunks).new_run_scale(0.95) < 1e-9


def test_a_fit_reports_the_scheme_and_the_noise_of_a_new_run() -> None:
    objective, trunks = two_stage(1)
    columns = objective.design.columns | {"loss": np.exp(objective.targets)}
    found = fit(columns | {"trunk": trunks.astype(str)}, bootstrap=100, delta=0.01)
    assert found.resample == "random-effects"
    assert 0.003 < found.residual_scale < 0.02
    assert "noise of this one" in found.summary()


def test_intervals_cover() -> None:
    """60 tables: all but a few 95 % intervals hold the truth, and not by being endless."""
    true = np.array([20.0, 0.12, 0.3, 0.012, 1.1])
    missed, widths = np.zeros(5), []
    for seed in range(60):
        objective, trunks = two_stage(100 + seed)
        optimum = find_optimum(objective)
        tables = resampled(objective, optimum.u, "random-effects", trunks, 200, seed)
        cloud = objective.design.law.from_internal(refit(tables, optimum, 200).u)
        low, high = np.quantile(cloud, [0.025, 0.975], axis=0)
        missed += (true < low) | (true > high)
        widths.append(high[3] - low[3])
    # 3 expected; 12 or more have probability 2e-5 each at the nominal coverage.
    assert (missed < 12).all()
    assert np.median(widths) < 0.01


def test_a_contrast_that_the_parameters_all_but_absorb_does_not_tell_the_trunk_noise() -> None:
    """A misfit of 5 % in such a contrast gave a law of the quick study a noise of 24 %."""
    first = np.where(TRUNKS == 0, 1.0, 0.0)
    jacobian = np.column_stack([np.ones(24), first + 0.05 * np.resize([1.0, -1.0], 24)])
    basis = np.linalg.qr(jacobian)[0]
    misfit = first - basis @ (basis.T @ first)
    residuals = 0.003 * np.random.default_rng(0).standard_normal(24)
    residuals += 0.05 * misfit / np.linalg.norm(misfit) + 0.022 * (TRUNKS == 1)
    effects = random_effects(residuals, jacobian, TRUNKS)
    scales = np.hypot(*effects.draw(np.random.default_rng(0), 2000))
    assert np.median(scales) < 1.5 * residuals.std()
