"""Resampling: the schemes, and refits that are true optima of their own tables."""

from __future__ import annotations

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting.bootstrap import WEBB, choose_scheme, refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.runs import read_runs

TRUNKS = np.repeat(np.arange(5), 5)


@pytest.fixture(scope="module")
def problem() -> tuple[Objective, Optimum]:
    stage2, stage1 = (
        g.ravel() for g in np.meshgrid(np.geomspace(1e5, 1e7, 5), np.geomspace(2e5, 2e7, 5))
    )
    columns = {"tokens_stage1": stage1, "tokens_stage2": stage2}
    law = laws.get("bootstrapped")
    noise = np.random.default_rng(0).normal(0, 0.004, 25)
    losses = law.loss([20.0, 0.12, 0.3, 0.012, 1.1], columns) * np.exp(noise)
    objective = Objective.of(law, columns, losses, 1e-3)
    return objective, find_optimum(objective)


def test_auto_needs_a_row_to_spare_and_no_trunks() -> None:
    assert choose_scheme("auto", TRUNKS) == "random-effects"
    assert choose_scheme("auto", None) == "random-effects"
    assert choose_scheme("auto", TRUNKS, n_spare=0) == "pairs"
    with pytest.raises(InputError, match="more rows than the law has parameters"):
        choose_scheme("random-effects", None, n_spare=0)
    assert choose_scheme("pairs", TRUNKS) == "pairs"
    with pytest.raises(InputError, match="at least 3 trunks and the rows used have 2"):
        choose_scheme("trunks", np.repeat([0, 1], 10))


def test_webb_weights_have_mean_zero_and_variance_one() -> None:
    assert np.mean(WEBB**2) == pytest.approx(1.0)


def test_wild_keeps_trunks_together_and_inflates(problem: tuple[Objective, Optimum]) -> None:
    objective, optimum = problem
    tables = resampled(objective, optimum.u, "wild", TRUNKS, 4000, 0)
    residuals = objective.residuals(optimum.u)
    factors = (objective.targets + residuals - tables.targets) / residuals
    assert np.ptp(factors.reshape(-1, 5, 5), axis=2).max() < 1e-6
    inflation = np.sqrt(25 / 20 * 5 / 4)
    assert factors.mean() == pytest.approx(0.0, abs=0.03)
    assert factors.std() == pytest.approx(inflation, rel=0.02)


def test_pairs_and_trunks_draw_with_replacement(problem: tuple[Objective, Optimum]) -> None:
    objective, optimum = problem
    rows = resampled(objective, optimum.u, "pairs", TRUNKS, 50, 0).weights
    assert (rows.sum(axis=1) == 25).all()
    assert rows.max() > 1
    trunks = resampled(objective, optimum.u, "trunks", TRUNKS, 50, 0).weights.reshape(50, 5, 5)
    assert (np.ptp(trunks, axis=2) == 0).all()
    assert (trunks[:, :, 0].sum(axis=1) == 5).all()


@pytest.mark.parametrize("scheme", ["pairs", "wild", "random-effects"])
def test_refits_are_the_optima_of_their_tables(
    problem: tuple[Objective, Optimum], scheme: str
) -> None:
    """Every warm-started refit is as low as a full search from many starts on its own table."""
    objective, optimum = problem
    tables = resampled(objective, optimum.u, scheme, TRUNKS, 40, 1)
    refits = refit(tables, optimum, 40)
    assert refits.share_converged == 1.0
    values = tables.value(refits.u)
    for i in range(0, 40, 8):
        one = tables.take(np.array([i]))
        alone = Objective(
            objective.design,
            one.targets[0] if one.targets.ndim == 2 else one.targets,
            one.weights[0] if one.weights.ndim == 2 else one.weights,
            objective.delta,
        )
        assert values[i] <= find_optimum(alone).objective * (1 + 1e-9)


def test_the_spread_of_refits_is_that_of_new_tables(problem: tuple[Objective, Optimum]) -> None:
    """Independent rows: the bootstrap of one table against the truth, tables drawn anew."""
    objective, optimum = problem
    law = laws.get("bootstrapped")
    truth = law.to_internal([20.0, 0.12, 0.3, 0.012, 1.1])
    rng = np.random.default_rng(7)
    targets = np.log(objective.design.loss(truth)) + rng.normal(0, 0.004, (400, 25))
    fresh = Objective(objective.design, targets, objective.weights, objective.delta)
    rows = np.arange(25)
    wild = refit(resampled(objective, optimum.u, "wild", rows, 400, 0), optimum, 400).u
    anew = refit(fresh, optimum, 400).u
    at = law.loss(law.from_internal(wild), {"tokens_stage1": 1e6, "tokens_stage2": 1e6}).std()
    true = law.loss(law.from_internal(anew), {"tokens_stage1": 1e6, "tokens_stage2": 1e6}).std()
    assert 0.6 < at / true < 1.7


def test_trunks_are_read_or_derived() -> None:
    base = {
        "tokens_stage1": [1e6, 1e6, 4e6, 4e6],
        "tokens_stage2": [1e5, 2e5, 1e5, 2e5],
        "loss": [2.0, 1.9, 1.8, 1.7],
    }
    assert trunk_numbers(read_runs(base)) is None
    seeded = trunk_numbers(read_runs(base | {"seed": [0, 0, 0, 1]}))
    assert seeded is not None
    assert seeded[0] == seeded[1]
    assert len(set(seeded)) == 3
    named = trunk_numbers(read_runs(base | {"trunk": ["a", "b", "a", "b"]}))
    assert named is not None
    assert named.tolist() == [0, 1, 0, 1]
