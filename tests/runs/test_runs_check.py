"""`check_runs`: what is in a table, and each finding in a table made to have it."""

import json
from pathlib import Path

import numpy as np
import pytest

from bootlaw.runs import check_runs, read_runs

TINY = Path(__file__).parents[1] / "data" / "tiny_two_stage.csv"
D1, D2 = (grid.ravel() for grid in np.meshgrid([1e5, 1e6, 1e7], [2e5, 4e5, 8e5]))
CLEAN = {
    "run": [f"r{index}" for index in range(9)],
    "method": ["stack"] * 9,
    "tokens_stage1": D1,
    "tokens_stage2": D2,
    "loss": np.linspace(3, 2, 9),
}


def codes(changes, severity: str = "warning") -> set[str]:
    check = check_runs(read_runs(CLEAN | changes))
    return {finding.code for finding in check.findings if finding.severity == severity}


def test_a_clean_table_has_no_findings():
    check = check_runs(read_runs(CLEAN))
    assert check.findings == ()
    assert "no warnings" in str(check)


def test_contents_of_a_real_table():
    check = check_runs(read_runs(TINY))
    assert check.n_rows == 130
    assert check.methods["stack"] == 49
    assert sum(check.methods.values()) == 130
    assert check.params == {50432: 75, 100864: 55}
    assert check.tokens_stage2[0] == 36
    assert check.seeds == {0: 106, 1: 12, 2: 12}
    assert check.ranges["tokens_stage1"] == (0, 16e6)
    found = {finding.code for finding in check.findings}
    assert {"several_methods", "zero_tokens_stage2", "unknown_columns"} <= found


ALTERNATE = ["a", "b"] * 4 + ["a"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tokenizer": ALTERNATE}, "mixed_tokenizer"),
        ({"schedule_state": ["cooled"] * 8 + ["stable"]}, "mixed_schedule_state"),
        ({"schedule_state": ["cooled"] * 8 + [""]}, "mixed_schedule_state"),
        ({"lr_policy": ["rewarmed"] * 8 + ["carried"]}, "mixed_lr_policy"),
        ({"eval_data": ALTERNATE}, "mixed_eval_data"),
        ({"schedule_state": ["annealed"] * 9}, "unknown_schedule_state"),
        ({"tokens_stage1": [1e6] * 9}, "one_tokens_stage1_level"),
        ({"tokens_stage2": [1e6] * 9}, "one_tokens_stage2_level"),
        ({"tokens_stage2": 3 * D1}, "tokens_stage2_follows_tokens_stage1"),
        ({"tokens_stage2": D1**1.5}, "tokens_stage2_follows_tokens_stage1"),
        ({"run": ["r0"] * 9}, "duplicate_runs"),
        ({"params": [1e6] * 8 + [2e6]}, "several_sizes"),
        ({"unique_tokens": [3e5] * 9}, "repeated_data"),
        ({"method": ["scratch"] * 9}, "scratch_with_tokens_stage1"),
        ({"loss": np.linspace(30, 20, 9)}, "loss_scale"),
        ({"loss": np.linspace(3e-6, 2e-6, 9)}, "loss_scale"),
        ({"tokens_stage1": D1 / 1e6, "tokens_stage2": D2 / 1e6}, "tokens_stage2_scale"),
        ({"params": [1.3] * 9}, "params_scale"),
    ],
)
def test_each_warning(changes, code):
    assert code in codes(changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": ["stack", "cpt", "cpt"] * 3}, "several_methods"),
        ({"tokens_stage2": [0, *D2[1:]]}, "zero_tokens_stage2"),
        ({"tokens_stage1": [0] * 9}, "no_two_stage_rows"),
        ({"wall": [1.0] * 9}, "unknown_columns"),
        ({"trunk": [""] * 9}, "empty_columns"),
        ({"eval_data": ALTERNATE, "data2": ["a"] * 9}, "mixed_eval_data"),
    ],
)
def test_each_information(changes, code):
    assert code in codes(changes, "info")


def test_a_run_evaluated_on_two_texts_is_no_duplicate():
    changes = {"run": ["r0", "r0", *CLEAN["run"][2:]], "eval_data": ALTERNATE, "data2": ["a"] * 9}
    assert "duplicate_runs" not in codes(changes)


def test_rows_that_share_nothing_but_an_empty_run_are_no_duplicates():
    assert "duplicate_runs" not in codes({"run": [""] * 9})


def test_json_is_plain_data():
    document = json.loads(json.dumps(check_runs(read_runs(TINY)).to_json(), allow_nan=False))
    assert document["n_rows"] == 130
    assert document["columns"]["method"] == "text"
    assert {"value": 50432, "rows": 75} in document["params"]
    assert {"code", "message", "severity"} == set(document["findings"][0])


def test_the_text_names_every_finding():
    check = check_runs(read_runs(TINY))
    for finding in check.findings:
        assert f"[{finding.code}]" in str(check)


@pytest.mark.parametrize(("second", "warned"), [("rewarmed", False), ("carried", True)])
def test_a_run_from_scratch_has_no_policy_to_mix(second: str, warned: bool) -> None:
    """Every study's table got a warning, because its scratch rows leave the column empty."""
    table = read_runs(
        {
            "tokens_stage1": [0, 1e6, 2e6],
            "tokens_stage2": [1e6, 1e6, 1e6],
            "loss": [2.0, 1.9, 1.8],
            "lr_policy": ["", "rewarmed", second],
        }
    )
    found = {finding.code for finding in check_runs(table).findings}
    assert ("mixed_lr_policy" in found) is warned
