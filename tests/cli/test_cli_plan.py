"""``bootlaw plan`` from a fit on disk: documents, words and exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest

from bootlaw.cli.main import main
from bootlaw.fitting import fit
from bootlaw.runs import read_runs

RANGE = ["--range", "1e5", "1e10"]


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """Write a joint fit, a reuse fit and a scratch fit of one noise-free table."""
    d1, d2 = (axis.ravel() for axis in np.meshgrid([1e6, 4e6, 1.6e7], [1e6, 2e6, 4e6, 8e6]))
    reuse = 12 * d1**-0.09 * d2 ** (-0.19 + 0.008 * np.log(d1)) + 1
    alone = np.array([1e6, 2e6, 4e6, 8e6])
    table = read_runs(
        {
            "method": ["stack"] * d1.size + ["scratch"] * alone.size,
            "tokens_stage1": np.concatenate([d1, np.zeros(alone.size)]),
            "tokens_stage2": np.concatenate([d2, alone]),
            "loss": np.concatenate([reuse, 40 * alone**-0.25 + 1]),
        }
    )
    folder = tmp_path_factory.mktemp("fits")
    for name, law in {
        "joint": "bootstrapped+scratch",
        "reuse": "bootstrapped",
        "scratch": "power",
    }.items():
        fit(table, law).save(folder / f"{name}.json")
    return folder


def answer(capsys, *arguments):
    """Return the exit code and the JSON document of one command."""
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_forecast_document(fits, capsys):
    code, document = answer(
        capsys, "plan", "forecast", fits / "joint.json",
        "--tokens-stage1", "4M", "--tokens-stage2", "2M",
    )  # fmt: skip
    assert code == 0
    expected = 12 * 4e6**-0.09 * 2e6 ** (-0.19 + 0.008 * np.log(4e6)) + 1
    assert document["loss"] == pytest.approx(expected, rel=1e-6)
    assert document["status"] == "ok"
    assert document["lower"] is None
    assert document["extrapolation"] == {"tokens_stage1": 0.0, "tokens_stage2": 0.0}


def test_forecast_from_scratch_and_its_refusal(fits, capsys):
    asked = ["--tokens-stage1", "0", "--tokens-stage2", "2M"]
    code, document = answer(capsys, "plan", "forecast", fits / "joint.json", *asked)
    assert code == 0
    assert document["loss"] == pytest.approx(40 * 2e6**-0.25 + 1, rel=1e-6)
    code, document = answer(capsys, "plan", "forecast", fits / "reuse.json", *asked)
    # The refusal was an error document, without the fields of a forecast.
    assert code == 3
    assert document["status"] == "undetermined"
    assert "+scratch" in document["reasons"][0]
    assert (document["loss"], document["lower"], document["upper"]) == (None, None, None)
    assert document["level"] == 0.95
    assert document["extrapolation"] == {"tokens_stage2": 0.0}
    assert main(["plan", "forecast", str(fits / "reuse.json"), *asked]) == 3
    assert "undetermined: the law bootstrapped was fitted" in capsys.readouterr().out


def test_breakeven_agrees_with_its_closed_form(fits, capsys):
    code, document = answer(
        capsys, "plan", "breakeven", fits / "joint.json", "--tokens-stage1", "4M", *RANGE
    )
    assert code == 0
    slope = 0.19 - 0.008 * np.log(4e6) - 0.25
    root = np.exp((np.log(12 / 40) - 0.09 * np.log(4e6)) / slope)
    assert document["status"] == "crossing"
    assert document["tokens"] == pytest.approx(root, rel=1e-3)
    assert document["closed_form"] == pytest.approx(document["tokens"], rel=1e-9)
    assert document["range"] == [1e5, 1e10]


def test_breakeven_of_separate_fits(fits, capsys):
    code, document = answer(
        capsys, "plan", "breakeven", fits / "reuse.json", "--scratch", fits / "scratch.json",
        "--tokens-stage1", "4M", "--stage1", "paid", "--base-cost", "0.5", *RANGE,
    )  # fmt: skip
    assert code == 0
    assert document["stage1"] == "paid"
    assert document["closed_form"] is None
    assert document["closed_form_reason"]


def test_no_crossing_is_an_answer_in_words(fits, capsys):
    code = main(
        [
            *["plan", "breakeven", str(fits / "joint.json"), "--tokens-stage1", "4M"],
            *["--range", "1e5", "1.1e5"],
        ]
    )
    words = capsys.readouterr().out
    assert code == 0
    assert "no crossing: reuse wins everywhere between 100k and 110k" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        # These two named no option and showed 10M as 1e+07.
        (["--range", "10M", "1M"], "argument --range: 10M to 1M is empty"),
        (["--level", "95"], "argument --level: 95 must lie between 0 and 1"),
        (["--range", "10M", "1M"], "(see bootlaw plan breakeven --help)"),
        (["--scratch", "reuse.json"], "holds a scratch law already"),
    ],
)
def test_bad_usage_exits_2_in_one_line(fits, capsys, arguments, words):
    arguments = [str(fits / part) if part.endswith(".json") else part for part in arguments]
    code = main(
        ["plan", "breakeven", str(fits / "joint.json"), "--tokens-stage1", "4M", *arguments]
    )
    complaint = capsys.readouterr().err
    assert code == 2
    assert words in complaint
    assert complaint.count("\n") == 1


def test_missing_fit_exits_2(tmp_path, capsys):
    code, document = answer(
        capsys, "plan", "breakeven", tmp_path / "none.json", "--tokens-stage1", "4M"
    )
    assert code == 2
    assert "none.json" in document["error"]


def test_every_field_of_a_plan_is_documented(fits, capsys):
    # Half of the fields that the command prints were not in the contract.
    contract = Path(__file__).parents[2] / "docs" / "architecture.md"
    text = contract.read_text("utf-8")
    asked = [fits / "joint.json", "--tokens-stage1", "4M"]
    for arguments in (["forecast", *asked, "--tokens-stage2", "2M"], ["breakeven", *asked]):
        _, document = answer(capsys, "plan", *arguments)
        assert [name for name in document if f"`{name}`" not in text] == []
        assert [name for name in document["extrapolation"] if f"`{name}`" not in text] == []
