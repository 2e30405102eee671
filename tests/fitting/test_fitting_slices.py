"""Power laws of one stage at each level of the other."""

from __future__ import annotations

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting import per_base_power_laws, per_stage2_power_laws
from bootlaw.runs import RunTable, read_runs

A, A1, A2, A3, E = 20.0, 0.12, 0.3, 0.012, 1.1


def grid(noise: float = 0.0) -> RunTable:
    stage1, stage2 = (
        g.ravel() for g in np.meshgrid(np.geomspace(2e5, 2e7, 4), np.geomspace(1e5, 1e7, 5))
    )
    columns = {"tokens_stage1": stage1, "tokens_stage2": stage2}
    losses = laws.get("bootstrapped").loss([A, A1, A2, A3, E], columns)
    jitter = np.random.default_rng(0).normal(0, noise, 20) if noise else np.zeros(20)
    return read_runs(columns | {"loss": losses * np.exp(jitter)})


def test_a_main_law_table_gives_its_exponents_and_factors_back() -> None:
    bases = per_base_power_laws(grid(), E)
    levels = np.array([s.level for s in bases])
    np.testing.assert_allclose(levels, np.geomspace(2e5, 2e7, 4))
    np.testing.assert_allclose([s.exponent for s in bases], A2 - A3 * np.log(levels), rtol=1e-9)
    np.testing.assert_allclose([s.factor for s in bases], A * levels**-A1, rtol=1e-8)
    stages = per_stage2_power_laws(grid(), E)
    levels = np.array([s.level for s in stages])
    np.testing.assert_allclose([s.exponent for s in stages], A1 - A3 * np.log(levels), rtol=1e-8)
    np.testing.assert_allclose([s.factor for s in stages], A * levels**-A2, rtol=1e-8)
    assert all(s.n_rows == 4 and s.exponent_se < 1e-9 for s in stages)


def test_standard_errors_follow_the_noise() -> None:
    one, ten = (per_base_power_laws(grid(noise), E)[0] for noise in (1e-4, 1e-3))
    assert ten.exponent_se == pytest.approx(10 * one.exponent_se, rel=0.05)
    assert ten.ln_factor_se > 5 * ten.exponent_se


def test_levels_with_too_few_rows_and_losses_below_e_are_left_out() -> None:
    table = grid()
    few = table.select((table.numbers("tokens_stage1") > 3e5) | (np.arange(20) < 8))
    assert len(per_base_power_laws(few, E)) == 3
    lowest = float(table.numbers("loss").min())
    bases = per_base_power_laws(table, lowest)
    assert sorted((s.n_rows, s.n_left_out) for s in bases) == [(4, 1), (5, 0), (5, 0), (5, 0)]


def test_a_negative_e_is_refused() -> None:
    with pytest.raises(InputError, match="at least 0"):
        per_base_power_laws(grid(), -0.1)
