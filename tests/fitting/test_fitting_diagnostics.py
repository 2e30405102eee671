"""Every remark appears where it should and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting import Fit, fit

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
    found = remarks(fit(grid(noise=0.001, levels=(3, 4)), bootstrap=200))
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
    found = fit(runs, bootstrap=50)
    assert found.resample == "wild"
    assert "intervals rest on 5 trunks" in remarks(found)["few_trunks"]
    assert "few_trunks" not in remarks(fit(runs))


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
