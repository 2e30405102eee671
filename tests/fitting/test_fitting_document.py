"""Fits survive JSON, files and pickles bit for bit, and read well."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.fitting import Estimate, Fit, fit
from bootlaw.fitting.summary import _rounded

TABLE = Path(__file__).parents[1] / "data" / "tiny_two_stage.csv"


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit(TABLE, "bootstrapped+scratch", method="stack", bootstrap=60)


def assert_same(one: Fit, other: Fit) -> None:
    for field in fields(Fit):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right or (left != left and right != right), field.name


def test_json_and_pickle_round_trips_are_exact(fitted: Fit, tmp_path: Path) -> None:
    assert_same(fitted, Fit.from_json(json.loads(json.dumps(fitted.to_json()))))
    assert_same(fitted, pickle.loads(pickle.dumps(fitted)))
    path = tmp_path / "fit.json"
    fitted.save(path)
    assert_same(fitted, Fit.load(path))
    assert [p.name for p in tmp_path.iterdir()] == ["fit.json"]
    columns = {"tokens_stage1": [0.0, 1e6], "tokens_stage2": 1e6}
    np.testing.assert_array_equal(
        fitted.predict_replicates(columns), Fit.load(path).predict_replicates(columns)
    )


def test_a_fit_without_spare_rows_round_trips() -> None:
    found = fit({"tokens": [1e6, 1e7], "loss": [3.0, 2.0]}, "power")
    assert found.to_json()["residual_scale"] is None
    assert_same(found, Fit.from_json(found.to_json()))


def test_the_document_has_the_promised_keys(fitted: Fit) -> None:
    promised = {
        "law", "formula", "params", "objective", "delta", "rms_log", "n_rows", "n_dropped",
        "status", "diagnostics", "seconds", "version", "level", "resample", "n_bootstrap",
        "replicates", "ranges", "method", "rows_used",
    }  # fmt: skip
    document = fitted.to_json()
    assert promised <= set(document)
    assert set(document["params"]["A"]) == {"value", "lower", "upper", "unit"}
    assert document["n_bootstrap"] == 60
    assert len(document["rows_used"]) == document["n_rows"] == 39


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method,D1,D2\n", "not JSON"),
        ("[1, 2]", "not a fit"),
        ("{}", "not a fit"),
        ('{"law": "bootstrapped"}', "not a fit"),
        ('{"law": "unheard-of", "params": {}}', "no law is called"),
    ],
)
def test_other_files_are_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refusal:
        Fit.load(path)
    assert str(path) in str(refusal.value)


def test_missing_files_and_folders_are_refused(fitted: Fit, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.json: cannot be read"):
        Fit.load(tmp_path / "absent.json")
    with pytest.raises(InputError, match=r"folder .* does not exist"):
        fitted.save(tmp_path / "absent" / "fit.json")


def test_the_summary_has_formula_intervals_status_and_remarks(fitted: Fit) -> None:
    text = fitted.summary()
    assert fitted.law.formula in text
    assert "95% interval" in text
    assert "per (ln token)^2" in text
    assert "converged: gradient zero" in text
    assert "rows_dropped" in text
    assert max(map(len, text.splitlines())) <= 110
    assert "interval" not in fit(TABLE, method="stack").summary().split("rows")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "excellent"}, "status 'excellent' is none of converged"),
        ({"ranges": {"tokens_stage1": [1e5, 1e6]}}, "ranges lack .* tokens_stage2"),
        ({"ranges": {"tokens_stage1": [1e5], "tokens_stage2": [1, 2]}}, "not a fit"),
        ({"ranges": {"tokens_stage1": [None, 1], "tokens_stage2": [1, 2]}}, "not a fit"),
        ({"replicates": [[float("nan")] * 5]}, "replicates"),
        ({"replicates": [[-20.0, 0.1, 0.3, 0.0, 1.0]]}, "A, an amount, is below zero"),
        ({"residual_scale": -0.01}, "residual_scale is below zero"),
    ],
)
def test_damaged_documents_are_refused(change: dict[str, object], message: str) -> None:
    """They ended in a KeyError far away, or in a plan with loss nan."""
    document = fit(TABLE, method="stack").to_json()
    with pytest.raises(InputError, match=message):
        Fit.from_json(document | change)


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_converged_fit_has_all_its_values(value: float | None) -> None:
    """A null for E was read as NaN and planned with."""
    document = fit(TABLE, method="stack").to_json()
    document["params"]["E"]["value"] = value
    with pytest.raises(InputError, match="E has no value"):
        Fit.from_json(document)


def test_a_path_that_cannot_be_written_is_named(fitted: Fit, tmp_path: Path) -> None:
    """A folder gave an error on a hidden partial file, and exit code 1."""
    with pytest.raises(InputError, match="is a folder") as refusal:
        fitted.save(tmp_path)
    assert str(refusal.value).startswith(f"{tmp_path}: ")
    assert list(tmp_path.iterdir()) == []


def test_printed_digits_follow_the_width_of_the_interval() -> None:
    """A = 2.42382e+06 stood next to an interval over five decades."""
    assert _rounded(Estimate(2.42382e6, 1.23456e2, 1.23456e7, "")) == (
        "2.4e+06", "120 to 1.2e+07",
    )  # fmt: skip
    assert _rounded(Estimate(1.228449, 0.91234, 1.31234, "")) == ("1.23", "0.91 to 1.31")
    assert _rounded(Estimate(0.15, 0.15, 0.15, "")) == ("0.15", "0.15 to 0.15")
    assert _rounded(Estimate(2.42382e6, None, None, "")) == ("2.42382e+06", "")


@pytest.mark.parametrize("document", ['{"law": "power"}', None, 3, []])
def test_what_is_no_document_is_told_how_to_become_one(document: object) -> None:
    """The message was Python's own about string indices."""
    with pytest.raises(InputError, match=f"not a fit but a {type(document).__name__}.*json.loads"):
        Fit.from_json(document)  # type: ignore[arg-type]
