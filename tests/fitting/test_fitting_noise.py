"""Replicates: cells, their spread, and the misfit of a law against it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bootlaw import laws
from bootlaw.fitting import Fit, fit
from bootlaw.fitting.diagnostics.replicates import lack_of_fit
from bootlaw.fitting.replicas import replicate_cells, replicate_spread, row_labels
from bootlaw.runs import read_runs


def replicated(key: str, params: list[float], seeds: int = 3) -> dict[str, np.ndarray]:
    stage1, stage2, seed = (
        g.ravel()
        for g in np.meshgrid(
            np.geomspace(2e8, 2e11, 5), np.geomspace(1e8, 1e11, 5), np.arange(float(seeds))
        )
    )
    columns = {"tokens_stage1": stage1, "tokens_stage2": stage2}
    noise = np.random.default_rng(1).normal(0, 0.002, stage1.size)
    losses = laws.get(key).loss(params, columns) * np.exp(noise)
    return columns | {"seed": seed, "loss": losses}


ADDITIVE = [300.0, 0.3, 900.0, 0.35, 1.5]


def remarks(found: Fit) -> dict[str, str]:
    return {d.code: d.message for d in found.diagnostics}


def test_the_wrong_form_is_told_from_noise() -> None:
    runs = replicated("additive", ADDITIVE)
    message = remarks(fit(runs, "multiplicative", delta=0.01))["lack_of_fit"]
    assert "beyond what seeds differ by (0.1" in message
    assert "degrees of freedom, p = " in message
    assert "lack_of_fit" not in remarks(fit(runs, "additive", delta=0.01))


def test_without_replicates_nothing_is_said() -> None:
    runs = replicated("additive", ADDITIVE, seeds=1)
    assert "lack_of_fit" not in remarks(fit(runs, "multiplicative", delta=0.01))


def test_a_run_written_twice_is_no_replicate() -> None:
    """Copies differ by nothing, so that any misfit was infinitely significant."""
    runs = replicated("multiplicative", [20.0, 0.1, 0.15, 1.1], seeds=1)
    twice = {name: np.tile(values, 2) for name, values in runs.items()}
    found = fit(twice, "multiplicative", delta=0.01)
    assert "25 rows repeat another one in every column" in remarks(found)["duplicate_rows"]
    assert "line" not in remarks(found)["duplicate_rows"]
    assert "<table>, row 26 that of row 1" in remarks(found)["duplicate_rows"]
    assert "lack_of_fit" not in remarks(found)


def straight_line(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the residuals of the least squares line."""
    return np.asarray(y - np.polyval(np.polyfit(x, y, 1), x))


def test_with_a_trunk_per_row_it_is_the_textbook_test() -> None:
    x = np.repeat(np.arange(12.0), 3)
    y = 0.1 * x**2 + np.random.default_rng(0).normal(size=36)
    found = lack_of_fit(straight_line(y, x), x.astype(np.intp), np.arange(36), 2)
    assert found is not None
    # The classical decomposition by another route: line against one mean per cell.
    means = np.repeat(y.reshape(12, 3).mean(axis=1), 3)
    noise = float(((y - means) ** 2).sum())
    total = float((straight_line(y, x) ** 2).sum())
    expected = ((total - noise) / 10) / (noise / 24)
    assert found.freedom == (10, 24)
    assert found.f == pytest.approx(expected)
    assert found.p_value == pytest.approx(stats.f.sf(expected, 10, 24))
    assert found.noise == pytest.approx(np.sqrt(noise / 24))


@pytest.mark.parametrize(("shared", "least", "most"), [(0.0, 0.005, 0.11), (1.0, 0.0, 0.08)])
def test_a_true_law_is_seldom_doubted(shared: float, least: float, most: float) -> None:
    """Noise that runs of one trunk share made 1 of 10 true laws look wrong."""
    x = np.repeat(np.arange(12), 3)
    trunks = (x // 4) * 3 + np.tile(np.arange(3), 12)
    used = trunks if shared else np.arange(36)
    doubts = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=36) * 0.5 + shared * rng.normal(size=9)[trunks]
        found = lack_of_fit(straight_line(y, x.astype(float)), x, used, 2)
        doubts += found is not None and found.p_value < 0.05
    assert least <= doubts / 300 <= most


def test_no_test_without_spare_cells_or_noise() -> None:
    cells = np.array([0, 0, 1, 1])
    assert lack_of_fit(np.array([1.0, -1, 1, -1]), cells, np.arange(4), 2) is None
    assert lack_of_fit(np.zeros(4), cells, np.arange(4), 1) is None
    assert lack_of_fit(np.ones(4), np.arange(4), np.arange(4), 1) is None
    assert lack_of_fit(np.array([1.0, -1, 1, -1]), cells, np.zeros(4, dtype=int), 1) is None


def test_rows_of_one_configuration_share_a_cell() -> None:
    table = read_runs(
        {
            "D1": [1e6, 1e6, 1e6, 4e6],
            "D2": [1e6, 1e6, 1e6, 1e6],
            "loss": [2.0, 2.2, 2.1, 1.9],
            "tokenizer": ["a", "a", "b", "a"],
            "seed": [0, 1, 0, 0],
            "width": [1, 1, 1, 1],
        }
    )
    cells = replicate_cells(table)
    assert cells[0] == cells[1]
    assert len(set(cells.tolist())) == 3
    assert replicate_spread(table) == pytest.approx(np.log(1.1))
    assert len(set(row_labels(table, table.columns).tolist())) == 4


def test_a_variable_of_the_law_sets_cells_apart() -> None:
    table = read_runs({"D1": [1e6] * 2, "D2": [1e6] * 2, "loss": [2.0, 2.1], "width": [1, 2]})
    assert len(set(replicate_cells(table).tolist())) == 1
    assert len(set(replicate_cells(table, ["width"]).tolist())) == 2
    assert replicate_spread(table.select(np.array([True, False]))) is None
