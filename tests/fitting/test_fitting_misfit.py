"""What a law misses beyond its data, seen by holding out its own largest levels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from bootlaw import fit, read_runs
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit, Misfit, RollOut, interval_beyond, misfit
from bootlaw.fitting.misfit import USUAL_STEP
from bootlaw.laws import from_formula
from bootlaw.runs import RunTable

SIZES = (1e7, 3e7, 1e8, 3e8, 1e9)
TOKENS = (1e9, 3e9, 1e10, 3e10, 1e11, 3e11)
LADDER = Path(__file__).parents[1] / "data" / "olmo_ladder_final.csv"


def grid(bend: float = 0.0, noise: float = 0.0) -> RunTable:
    """Return runs of a Chinchilla law whose losses rise by `bend` per decade beyond 3e8."""
    params, tokens = (axis.ravel() for axis in np.meshgrid(SIZES, TOKENS))
    loss = 1.8 + 400 * params**-0.34 + 1200 * tokens**-0.35
    log_noise = noise * np.random.default_rng(3).standard_normal(loss.size)
    beyond = np.maximum(np.log10(params / 3e8), 0)
    loss = loss * np.exp(bend * beyond + log_noise)
    return read_runs({"params": params, "tokens": tokens, "loss": loss})


def ladder() -> RunTable:
    with LADDER.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {"params": "params", "tokens": "tokens", "loss": "loss_c4_en"}
    return read_runs({name: [float(row[c]) for row in rows] for name, c in columns.items()})


def seen(step: float, decades: float, largest: float = 1e9) -> Misfit:
    """Return the misfit of one roll-out, which with the usual step makes `step`."""
    step = float(np.sqrt(max(2 * step**2 - USUAL_STEP**2, 0.0)))
    rollout = RollOut(largest, decades, step, step, n_fitted=20, n_held_out=5)
    return Misfit("params", largest, (rollout,))


def test_a_true_law_without_noise_misses_nothing() -> None:
    found = misfit(grid(), "chinchilla", "params")
    assert {one.level for one in found.rollouts} <= set(SIZES[2:])
    assert max(one.excess for one in found.rollouts) < 1e-6
    # Hold-outs without any error are no proof of a law: the usual error counts as one more.
    assert found.step == pytest.approx(USUAL_STEP / np.sqrt(len(found.rollouts) + 1))


def test_what_the_parameters_leave_open_is_not_the_laws_own_error() -> None:
    """It counted twice: in what hold-outs missed and in the replicates of the whole table."""
    few = grid(noise=3e-3)
    few = few.select(few.numbers("tokens_stage2") < 2e10)
    found = misfit(few, "chinchilla", "params", rollouts=1)
    (rollout,) = found.rollouts
    assert rollout.spread > 1e-3
    assert rollout.excess**2 <= max(rollout.rms_log**2 - rollout.spread**2, 0.0)


def test_one_roll_out_that_missed_nothing_leaves_the_usual_error() -> None:
    assert seen(0.0, 0.5).step == pytest.approx(USUAL_STEP / np.sqrt(2))


def test_a_misfit_written_without_a_spread_is_read() -> None:
    document = seen(0.01, 0.5).to_json()
    for one in document["rollouts"]:
        del one["spread"]
    assert Misfit.from_json(document) == seen(0.01, 0.5)


def test_a_law_that_fails_beyond_the_data_is_found_out() -> None:
    bend = 0.05
    found = misfit(grid(bend, noise=1e-4), "chinchilla", "params", rollouts=1)
    (rollout,) = found.rollouts
    assert rollout.level == SIZES[-1]
    assert rollout.decades == pytest.approx(np.log10(1e9 / 3e8))
    assert rollout.n_fitted == 24
    assert rollout.n_held_out == 6
    assert rollout.rms_log == pytest.approx(bend * rollout.decades, rel=0.1)
    assert rollout.excess <= rollout.rms_log


def test_options_reach_the_fits() -> None:
    table = grid(0.05, noise=1e-3)
    by_median = misfit(table, "chinchilla", "params", delta=1e-5)
    by_mean = misfit(table, "chinchilla", "params", loss="squared")
    assert by_median.step != by_mean.step


def test_none_inside_the_data_then_without_a_jump_a_step_and_later_its_square_root() -> None:
    found = seen(step=0.01, decades=0.5)
    values = 1e9 * 10 ** np.array([-1.0, 0.0, 0.5])
    assert found.log_sd(values) == pytest.approx([0.0, 0.0, 0.01])
    edge = 1e9 * (1 + 1e-6)
    assert found.log_sd(edge) < 1e-7
    assert found.log_sd(edge) > 0
    far = found.log_sd(1e9 * 10 ** np.array([60.0, 240.0]))
    assert far[1] / far[0] == pytest.approx(2.0, rel=5e-3)


def test_draws_are_those_of_students_t_and_the_same_at_every_question() -> None:
    found = seen(0.01, 0.5)
    draws = found.draws(1001, "reuse")
    assert np.median(draws) == pytest.approx(0, abs=1e-12)
    assert np.quantile(draws, 0.975) == pytest.approx(t(2).ppf(0.975), rel=0.02)
    assert (found.draws(1001, "reuse") == draws).all()
    assert np.abs(np.corrcoef(found.draws(1001, "scratch"), draws)[0, 1]) < 0.2


def test_a_misfit_is_restored_from_its_document() -> None:
    found = seen(0.012345678901234567, 0.5)
    assert Misfit.from_json(found.to_json()) == found


def test_sizes_within_one_percent_are_one_level() -> None:
    params = np.array([1e8, 1.005e8, 2e8, 4e8, 4.01e8])
    tokens = np.array([1e9, 2e9, 4e9, 8e9, 16e9])
    table = read_runs(
        {"params": params, "tokens": tokens, "loss": 2 + 300 * tokens**-0.3 * params**-0.1}
    )
    law = from_formula("A*D^-a*N^-0.1 + 2")
    (rollout,) = misfit(table, law, "params").rollouts
    assert (rollout.n_fitted, rollout.n_held_out) == (3, 2)


def test_two_levels_are_too_few() -> None:
    table = grid()
    two = table.select(table.numbers("params") < 5e7)
    with pytest.raises(UndeterminedError, match="misfit along params"):
        misfit(two, "chinchilla", "params")


def test_a_variable_must_be_positive() -> None:
    with pytest.raises(InputError, match="tokens_stage1 must be above 0"):
        misfit(grid(), "chinchilla", "tokens_stage1")


def test_intervals_widen_beyond_the_data_only() -> None:
    table = grid(noise=1e-3)
    found = fit(table, "chinchilla", delta="auto", bootstrap=50, resample="pairs")
    runs = read_runs({"params": [1e8, 1e10], "tokens": [1e10, 1e12], "loss": [2.0, 2.0]})
    bare = interval_beyond(found, runs, [])
    wide = interval_beyond(found, runs, [seen(0.02, 0.5)])
    width = np.log(wide[1] / wide[0]) - np.log(bare[1] / bare[0])
    assert width[0] == pytest.approx(0.0, abs=1e-9)
    assert width[1] > 0.02


def test_an_interval_needs_replicates() -> None:
    table = grid(noise=1e-3)
    with pytest.raises(InputError, match="bootstrap"):
        interval_beyond(fit(table, "chinchilla"), table, [])


def test_the_largest_size_of_the_olmo_ladder_lies_in_its_interval() -> None:
    law = from_formula("A*N^-a + B*D^-b*N^-c + E")
    table = ladder()
    large = table.numbers("params") > 3e9
    fitted, held_out = table.select(~large), table.select(large)
    found = fit(fitted, law, delta="auto", bootstrap=100, resample="pairs")
    losses = held_out.numbers("loss")
    assert np.abs(np.log(found.predict(held_out) / losses)).max() < 0.01
    lower, upper = interval_beyond(found, held_out, [misfit(fitted, law, "params", delta="auto")])
    assert ((lower <= losses) & (losses <= upper)).all()
    assert (upper / lower).max() < 1.08


def test_a_variable_with_many_levels_is_held_out_in_blocks() -> None:
    tokens = np.geomspace(1e9, 1e12, 40)
    table = read_runs({"tokens": tokens, "loss": 2 + 300 * tokens**-0.3})
    rollouts = misfit(table, "power", "tokens_stage2").rollouts
    assert sorted(one.n_held_out for one in rollouts) == [6, 6, 7]
    assert sum(one.decades for one in rollouts) / 3 == pytest.approx(0.3, abs=0.1)


def two_stage(levels: int = 4, bend: float = 0.0) -> RunTable:
    """Return reuse and scratch runs whose losses leave the law by `bend` at the largest D1."""
    d1, d2 = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e8, 1e11, levels), TOKENS[:4]))
    d1 = np.concatenate([d1, np.zeros(4)])
    d2 = np.concatenate([d2, TOKENS[:4]])
    base = np.maximum(d1, 1.0)
    reuse = 200 * base**-0.12 * d2 ** (-0.3 + 0.012 * np.log(base)) + 1.1
    loss = np.where(d1 > 0, reuse, 400 * d2**-0.3 + 1.1)
    loss *= np.exp(
        1e-3 * np.random.default_rng(0).standard_normal(d1.size) + bend * (d1 == d1.max())
    )
    method = np.where(d1 > 0, "cpt", "scratch")
    return read_runs({"method": list(method), "D1": d1, "D2": d2, "loss": loss})


def by_name(found: Fit) -> dict[tuple[str, str], Misfit]:
    return {(one.variable, one.rows): one for one in found.misfits}


def test_a_fit_with_a_bootstrap_knows_its_misfits() -> None:
    found = fit(two_stage(bend=0.05), "bootstrapped+scratch", bootstrap=50)
    misfits = by_name(found)
    assert set(misfits) == {
        ("tokens_stage1", "reuse"),
        ("tokens_stage2", "reuse"),
        ("tokens_stage2", "scratch"),
    }
    along = misfits["tokens_stage1", "reuse"]
    assert along.largest == 1e11
    top = max(along.rollouts, key=lambda one: one.level)
    assert top.n_fitted == 16  # three bases at four D2, and the four runs from scratch
    assert top.rms_log == pytest.approx(0.05, rel=0.3)
    assert fit(two_stage(), "bootstrapped+scratch").misfits == ()


def test_too_few_levels_earn_nothing_and_raise_nothing() -> None:
    table = two_stage(levels=2)
    found = fit(table, "multiplicative", bootstrap=50, resample="pairs")
    assert "tokens_stage1" not in {one.variable for one in found.misfits}


def test_misfits_are_saved_with_the_fit() -> None:
    found = fit(two_stage(), "bootstrapped+scratch", bootstrap=50)
    document = json.loads(json.dumps(found.to_json()))
    assert Fit.from_json(document).misfits == found.misfits
    del document["misfits"]
    assert Fit.from_json(document).misfits == ()
