"""Every remark appears where it should and nowhere else."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting import Fit, fit
from bootlaw.fitting.diagnostics import bounds
from bootlaw.fitting.evidence import Diagnostic, Evidence

PARAMS = {"A": 20.0, "a1": 0.12, "a2": 0.3, "a3": 0.012, "E": 1.1}


def grid(
    noise: float = 0.001, levels: tuple[int, int] = (5, 5), **changed: float
) -> dict[str, np.ndarray]:
    stage1, stage2 = (
        g.ravel()
        for g in np.meshgrid(np.geomspace(2e5, 2e7, levels[0]), np.geomspace(1e5, 1e7, levels[1]))
    )
    columns = {"tokens_stage1": stage1, "tokens_stage2": stage2}
    losses = laws.get("bootstrapped").loss(list((PARAMS | changed).values()), columns)
    jitter = np.random.default_rng(0).normal(0, noise, stage1.size)
    return columns | {"loss": losses * np.exp(jitter)}


def remarks(found: Fit) -> dict[str, str]:
    assert all(d.severity in ("info", "warning", "error") for d in found.diagnostics)
    return {d.code: d.message for d in found.diagnostics}


def test_a_clean_wide_table_draws_no_remark() -> None:
    runs = grid(noise=1e-5)
    assert remarks(fit(runs)) == {}


def test_rows_left_out_are_counted() -> None:
    runs = grid(noise=1e-5)
    runs["tokens_stage2"] = np.where(np.arange(25) == 3, 0.0, runs["tokens_stage2"])
    assert remarks(fit(runs))["rows_dropped"].startswith("1 rows left out (1 no second stage")


def test_two_levels_are_few() -> None:
    assert "tokens_stage1 has 2 levels" in remarks(fit(grid(levels=(2, 6))))["few_levels"]


def test_the_one_level_that_a_law_takes_for_given_is_not_too_few() -> None:
    """fixed-base, the law of one base, warned that the base's tokens have one level."""
    found = fit(grid(levels=(1, 8), noise=1e-4), "fixed-base")
    assert "few_levels" not in remarks(found)


def test_a_switch_has_no_exponent_and_needs_no_third_level() -> None:
    runs = grid(noise=1e-4)
    switch = np.arange(25) % 2
    runs |= {"cooled": switch == 1, "loss": runs["loss"] * (1 - 0.02 * switch)}
    found = fit(runs, "formula:A*D1^-a1*D2^(-a2 + a3*log(D1))*exp(c*`cooled`) + E")
    assert "few_levels" not in remarks(found)


def test_a_design_along_a_line_is_collinear() -> None:
    runs = grid(noise=1e-4)
    # Two rows per base, on either side of D2 = D1 / 2.
    runs["tokens_stage2"] = runs["tokens_stage1"] / 2 * np.where(np.arange(25) % 2, 1.3, 0.8)
    columns = {name: runs[name] for name in ("tokens_stage1", "tokens_stage2")}
    runs["loss"] = laws.get("multiplicative").loss([20.0, 0.12, 0.15, 1.1], columns)
    assert "collinear (correlation 0.9" in remarks(fit(runs, "multiplicative"))["collinear_design"]


def test_an_exponent_that_changes_sign_is_named() -> None:
    message = remarks(fit(grid(a2=0.2, a3=0.0135, noise=1e-4)))["exponent_sign_change"]
    assert "goes from 0.03" in message


def test_a_negative_exponent_is_unexpected() -> None:
    found = remarks(fit(grid(a3=-0.01, noise=1e-4)))
    assert found["unexpected_sign"].startswith("a3 = -0.0")


def test_no_floor_is_at_the_bound() -> None:
    runs = grid(E=0.0)
    runs["loss"] = runs["loss"] - 0.8 * runs["loss"].min()
    found = remarks(fit(runs))
    assert "E lies on its bound 0" in found["at_bound"]
    assert "e_not_identified" not in found


def test_a_floor_hidden_by_noise_is_not_identified() -> None:
    runs = grid(noise=0.03, E=0.05)
    found = remarks(fit(runs, "multiplicative", bootstrap=100))
    assert "e_not_identified" in found or "at_bound" in found


def test_a3_that_trades_off_against_e_is_named() -> None:
    found = remarks(fit(grid(noise=0.001, levels=(3, 4)), bootstrap=200, resample="pairs"))
    assert "a3_against_e" in found


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("schedule_state", ["cooled", "stable"], "mixed_schedule"),
        ("tokenizer", ["bytes", "bpe"], "mixed_tokenizers"),
        ("params", [1e6, 2e6], "mixed_params"),
    ],
)
def test_mixtures_are_named(column: str, values: list[object], code: str) -> None:
    runs = grid(noise=1e-5)
    message = remarks(fit(runs | {column: values * 12 + values[:1]}))[code]
    assert f"2 values of {column}" in message
    assert f'--where "{column} ==' in message
    assert code not in remarks(fit(runs | {column: values[:1] * 25}))


def test_repeated_text_is_named() -> None:
    runs = grid(noise=1e-5)
    found = fit(runs | {"unique_tokens": np.full(25, 1e6)})
    assert "up to 10 times" in remarks(found)["repeated_data"]
    assert "repeated_data" not in remarks(fit(runs | {"unique_tokens": np.full(25, 1e8)}))


def test_few_trunks_are_named_and_resampled_together() -> None:
    runs = grid() | {"trunk": [f"t{i % 5}" for i in range(25)]}
    found = fit(runs, bootstrap=50, resample="wild")
    assert "intervals rest on 5 trunks" in remarks(found)["few_trunks"]
    assert "few_trunks" not in remarks(fit(runs, resample="wild"))
    assert "few_trunks" not in remarks(fit(runs, bootstrap=50))


def seeded(apart: float) -> dict[str, np.ndarray]:
    """Return two seeds of three token counts, `apart` in log loss."""
    tokens = np.repeat([2.5e5, 6.4e5, 1.6e6], 2)
    losses = laws.get("power").loss([14.0, 0.15, 0.0], {"tokens_stage2": tokens})
    return {"tokens": tokens, "loss": losses * np.exp(apart / 2 * np.array([1, -1] * 3))}


def test_two_seeds_far_apart_leave_the_optimum_flat() -> None:
    """Every curve between the seeds has one Huber sum; E = 0 was reported as converged."""
    found = fit(seeded(0.02), "power")
    message = remarks(found)["flat_optimum"]
    assert found.status == "not_identifiable"
    assert message.startswith("E is undetermined between 0 and ")
    assert "differ by more than delta" in message
    assert "--delta (say to their spread, 0.02)" in message
    assert "at_bound" not in remarks(found)


def test_a_delta_near_the_noise_has_one_optimum() -> None:
    found = fit(seeded(0.02), "power", delta=0.02)
    assert found.status == "converged"
    assert not {"flat_optimum", "delta_below_noise"} & set(remarks(found))


def test_replicates_far_apart_for_delta_are_told() -> None:
    """A fit at delta 1e-3 to seeds 2 % apart is nearly a median, and nothing said so."""
    assert "20 times delta" in remarks(fit(seeded(0.02), "power"))["delta_below_noise"]
    assert "delta_below_noise" not in remarks(fit(seeded(0.008), "power"))


def test_too_few_refits_are_refused_and_few_are_named() -> None:
    """Percentile intervals of ten refits were printed like any other."""
    with pytest.raises(InputError, match=r"bootstrap 10 is too few refits .* at least 50"):
        fit(grid(), bootstrap=10)
    assert "rest on 60 refits" in remarks(fit(grid(), bootstrap=60))["few_replicates"]
    assert "few_replicates" not in remarks(fit(grid(), "multiplicative", bootstrap=200))


def test_rows_resampled_singly_for_want_of_trunks_are_named() -> None:
    """Without trunk and seed the intervals took runs as independent in silence."""
    runs = grid()
    assert "resampled singly" in remarks(fit(runs, bootstrap=50))["trunks_unknown"]
    known = runs | {"trunk": [f"t{i % 5}" for i in range(25)]}
    assert "trunks_unknown" not in remarks(fit(known, bootstrap=50))
    assert "trunks_unknown" not in remarks(fit(runs))


def test_one_trunk_does_not_tell_the_noise_of_trunks() -> None:
    """Eight runs from scratch with one seed had a noise of 21572 and A from 1e-305 to 1e302."""
    tokens = np.geomspace(1e8, 1e10, 8)
    noise = np.random.default_rng(1).normal(0, 1e-3, 8)
    runs = {"tokens": tokens, "loss": (1.9 + 900 * tokens**-0.3) * np.exp(noise), "seed": [0] * 8}
    found = fit(runs, "power", bootstrap=100)
    assert "8 rows have one seed" in remarks(found)["one_seed"]
    assert found.residual_scale < 0.01
    low, high = np.quantile(found.replicates[:, found.law.index("E")], [0.025, 0.975])
    assert 1.5 < low < 1.9 < high < 2.1
    assert "one_seed" not in remarks(fit({**runs, "seed": range(8)}, "power", bootstrap=100))


def test_intervals_that_are_wide_because_of_two_trunks_say_so() -> None:
    """Noise a hundred times what the rows showed made intervals endless, without a word."""
    tokens = np.geomspace(1e8, 1e10, 8)
    losses = np.concatenate([1.9 + 120 * tokens**-0.25, 1.9 + 900 * tokens**-0.3])
    runs = {
        "D1": np.repeat([1e10, 0.0], 8),
        "D2": np.tile(tokens, 2),
        "loss": losses * np.exp(np.random.default_rng(2).normal(0, 1e-3, 16)),
        "seed": np.zeros(16),
    }
    said = remarks(fit(runs, "fixed-base+scratch", bootstrap=50))
    assert "2 trunks do not tell" in said["trunk_noise_open"]
    many = grid(levels=(8, 6)) | {"seed": np.zeros(48)}
    assert "trunk_noise_open" not in remarks(fit(many, bootstrap=50))


def test_without_a_row_to_spare_no_interval_follows() -> None:
    """Resampled pairs of a curve through every row gave intervals without width."""
    runs = {name: values[[0, 4, 12, 20, 24]] for name, values in grid().items()}
    found = fit(runs, bootstrap=60)
    assert found.status == "converged"
    assert (found.estimates["E"].lower, found.estimates["E"].upper) == (None, None)
    assert "no interval follows" in remarks(found)["few_rows"]
    weighted = {name: np.append(values, values[0]) for name, values in runs.items()}
    weighted["weight"] = np.array([1.0, 1, 1, 1, 1, 0])
    assert len(fit(weighted, bootstrap=60, weights="weight").replicates) == 0


def test_losses_far_below_those_of_any_text_are_another_unit() -> None:
    runs = grid()
    tiny = fit(runs | {"loss": runs["loss"] * 1e-6})
    assert "was a unit applied" in remarks(tiny)["loss_scale"]


def numbers(found: Fit) -> dict[str, float | None]:
    return {d.code: d.number for d in found.diagnostics}


def far_off(row: int, by: float) -> dict[str, np.ndarray]:
    runs = grid(noise=0.002)
    runs["loss"] = runs["loss"] * np.where(np.arange(25) == row, by, 1.0)
    return runs


def test_an_outlier_is_named_with_what_it_does() -> None:
    runs = far_off(12, 1.05)
    found = fit(runs)
    message = remarks(found)["outliers"]
    assert "<table>, row 13 (+4.5" in message
    assert "becomes about" in message
    assert (numbers(found)["outliers"] or 0) > 10


def test_the_shift_of_an_outlier_is_that_of_a_refit() -> None:
    """One step from the optimum goes the way that a fit without the row goes."""
    runs = far_off(24, 1.05)
    all_rows, fewer = fit(runs), fit({name: values[:24] for name, values in runs.items()})
    said = re.search(
        r"without it (\w+) = \S+ becomes about ([\d.]+):", remarks(all_rows)["outliers"]
    )
    assert said is not None
    moves = fewer.value(said[1]) - all_rows.value(said[1])
    assert float(said[2]) - all_rows.value(said[1]) == pytest.approx(moves, rel=0.5)


@pytest.mark.parametrize("seed", range(5))
def test_normal_noise_has_no_outliers(seed: int) -> None:
    runs = grid(noise=0.0)
    noise = np.random.default_rng(seed).normal(0, 0.01, 25)
    assert "outliers" not in remarks(fit(runs | {"loss": runs["loss"] * np.exp(noise)}))


def test_a_row_on_which_much_rests_is_named() -> None:
    tokens = np.append(np.geomspace(1e8, 1e9, 20), 5e10)
    noise = np.random.default_rng(1).normal(0, 0.002, 21)
    found = fit({"tokens": tokens, "loss": (2 + 5000 * tokens**-0.4) * np.exp(noise)}, "power")
    message = remarks(found)["high_leverage"]
    assert "<table>, row 21 has leverage 0.9" in message
    assert "the error of E is" in message
    assert "high_leverage" not in remarks(fit(grid()))


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """Return what the diagnostics of a clean fit look at."""
    seen: list[Evidence] = []
    module = importlib.import_module("bootlaw.fitting.fitted_rows")
    monkeypatch.setattr(module, "diagnose", lambda e, **_: seen.append(e) or ())
    fit(grid())
    return seen[0]


def test_a_users_bound_that_holds_is_told(evidence: Evidence) -> None:
    evidence = replace(evidence, bounds={"a2": (0.0, 1.0)})
    a2 = evidence.value("a2")
    touching = replace(evidence, bounds={"a2": (0.0, a2), "a1": (-1.0, 1.0)})
    assert not [d for check in bounds.CHECKS for d in check(evidence)]
    (found,) = [d for check in bounds.CHECKS for d in check(touching)]
    assert found.code == "at_bound"
    assert "a2 lies on its upper bound" in found.message
    assert not [
        d for check in bounds.CHECKS for d in check(replace(touching, fixed=frozenset({"a2"})))
    ]


def test_tokens_in_two_units_are_named() -> None:
    runs = grid()
    mixed = np.where(np.arange(25) < 5, runs["tokens_stage2"] / 1e6, runs["tokens_stage2"])
    message = remarks(fit(runs | {"tokens_stage2": mixed}))["mixed_units"]
    assert "in millions? write raw counts" in message
    assert "mixed_units" not in remarks(fit(runs))


def test_losses_in_another_unit_are_told_from_single_bad_runs() -> None:
    """Overfitted runs of 8 and 11 nats were taken for bits."""
    tokens = np.geomspace(1e8, 1e11, 9)
    losses = 2 + 3000 * tokens**-0.4
    perplexities = fit({"tokens": tokens, "loss": np.exp(losses)}, "power")
    assert "a perplexity is no loss" in remarks(perplexities)["loss_scale"]
    one_bad = np.where(tokens == tokens[4], 11.0, losses)
    assert "loss_scale" not in remarks(fit({"tokens": tokens, "loss": one_bad}, "power"))
    bits = {"tokens": tokens / 1e3, "loss": losses * 1.5 + 2.0}
    assert "loss_scale" not in remarks(fit(bits, "power"))
    bytewise = fit(bits | {"bytes_per_token": np.ones(9), "loss": losses + 4.0}, "power")
    assert "above the 5.546 nats" in remarks(bytewise)["loss_scale"]


def test_a_forecast_left_open_names_the_pair() -> None:
    tokens = np.geomspace(1e8, 2e9, 12)
    noise = np.random.default_rng(0).normal(0, 0.005, 12)
    found = fit({"tokens": tokens, "loss": (2 + 50 * tokens**-0.2) * np.exp(noise)}, "power")
    message = remarks(found)["sloppy_forecast"]
    assert "the exponent of tokens_stage2 and E trade off" in message
    assert (numbers(found)["sloppy_forecast"] or 0) >= 0.02
    wide = np.geomspace(1e6, 1e12, 24)
    assert "sloppy_forecast" not in remarks(
        fit({"tokens": wide, "loss": 2 + 50 * wide**-0.2}, "power")
    )


def test_few_spare_rows_are_named() -> None:
    some = [0, 4, 7, 12, 20, 24]
    found = fit({name: values[some] for name, values in grid().items()}, "multiplicative")
    assert "6 rows for 4 parameters leave 2 to judge it by" in remarks(found)["few_rows"]
    assert numbers(found)["few_rows"] == 2
    assert "few_rows" not in remarks(fit(grid()))


def test_runs_on_one_trunk_are_named() -> None:
    runs = grid()
    assert (
        "all 25 rows branch off one trunk (t)"
        in remarks(fit(runs | {"trunk": ["t"] * 25}))["one_trunk"]
    )
    assert "one_trunk" not in remarks(fit(runs | {"trunk": ["t"] * 24 + ["u"]}))


def test_a_remark_that_has_no_finite_number_is_null() -> None:
    assert Diagnostic("x", "y", "info", np.inf).to_json()["number"] is None
    assert Diagnostic("x", "y", "info").to_json()["number"] is None


def test_every_remark_carries_its_number() -> None:
    runs = grid(noise=0.02, levels=(2, 4))
    extra = {"tokenizer": ["a", "b"] * 4, "unique_tokens": np.full(8, 1e4)}
    found = fit(runs | extra, bootstrap=50)
    assert len(found.diagnostics) > 4
    assert all(d.number is not None for d in found.diagnostics)
    assert all(isinstance(d.to_json()["number"], float | int) for d in found.diagnostics)
