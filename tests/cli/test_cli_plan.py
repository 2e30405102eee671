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
        (["--level", "95"], "argument --level: '95' is not between 0 and 1, such as 0.95"),
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


UPCYCLING = ["--law", "liew2025-upcycling-upcycled", "--scratch", "liew2025-upcycling-moe"]


def test_published_coefficients_answer_without_a_fit(capsys):
    asked = [*UPCYCLING, "--params", "1B"]
    code, document = answer(capsys, "plan", "breakeven", *asked, "--tokens-stage1", "10B")
    assert code == 0
    assert document["tokens"] == pytest.approx(7.07e9, rel=1e-3)
    assert (document["lower"], document["params"]) == (None, 1e9)
    code, document = answer(capsys, "plan", "breakeven", *asked, "--tokens-stage1", "1T")
    assert code == 3
    assert document["status"] == "undetermined"
    assert "0.005 nats" in document["reasons"][0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name either a FIT.json or --law PRESET, found neither"),
        (["fit.json", *UPCYCLING], "found both"),
        (["liew2025-upcycling-upcycled"], "write --law liew2025-upcycling-upcycled"),
        (["--law", "liew2025"], "no preset is called 'liew2025'"),
        (UPCYCLING, "give it with --params N"),
        ([*UPCYCLING, "--params", "1B", "--at", "replay"], "is not of the form"),
        ([*UPCYCLING, "--params", "1B", "--at", "r=1", "--at", "r=2"], "names r twice"),
    ],
)
def test_what_to_plan_from_must_be_said_once(capsys, arguments, words):
    assert main(["plan", "breakeven", *arguments, "--tokens-stage1", "10B"]) == 2
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1


def test_every_option_of_a_decision_is_in_the_document(capsys):
    asked = ["--params", "1B", "--tokens-stage1", "100B", "--budget", "1000", "--unit", "money"]
    code, document = answer(
        capsys, "plan", "decide", *UPCYCLING, *asked, "--hardware", "h100", "--price", "2",
        "--base-loss", "2.3", "--other", "bigger=1.9:7B", "--serving-params", "300M",
    )  # fmt: skip
    assert code == 0
    assert document["budget"] == pytest.approx(500 * 3600 * 989e12 * 0.4)
    kinds = [option["kind"] for option in document["options"]]
    assert sorted(kinds) == ["leave", "other", "reuse", "scratch", "scratch", "scratch"]
    assert document["best"] == "take bigger as it is"
    trained = [option for option in document["options"] if option["kind"] == "reuse"]
    assert trained[0]["cost"]["money"] == pytest.approx(1000)


def test_fields_of_a_decision_are_documented(fits, capsys):
    text = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text("utf-8")
    _, document = answer(
        capsys, "plan", "decide", fits / "joint.json", "--tokens-stage1", "4M",
        "--tokens-stage2", "2M",
    )  # fmt: skip
    for part in (document, document["options"][0], document["flips"][0], document["missing"][0]):
        assert [name for name in part if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tokens-stage2", "1B", "--price", "2"], "name --hardware too"),
        (["--budget", "100", "--unit", "money"], "needs the hardware"),
        (["--tokens-stage2", "1B", "--other", "big"], "not of the form NAME=LOSS"),
        (["--tokens-stage2", "1B", "--other", "=2.0"], "not of the form NAME=LOSS"),
        (["--tokens-stage2", "1B", "--reuse", "stack"], "not of the form stack=stack.json"),
        (["--tokens-stage2", "1B", "--hardware", "h1000"], "no hardware is called 'h1000'"),
    ],
)
def test_bad_decisions_exit_2_in_one_line(capsys, arguments, words):
    asked = [*UPCYCLING, "--params", "1B", "--tokens-stage1", "10B"]
    assert main(["plan", "decide", *asked, *arguments]) == 2
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1


def test_several_bases_and_sizes_make_a_table_and_a_figure(capsys, tmp_path):
    asked = [*UPCYCLING, "--params", "100M,1B", "--tokens-stage1", "1B:100B:3"]
    code, document = answer(
        capsys, "plan", "breakeven", *asked, "--figure", tmp_path / "threshold.svg"
    )
    assert code == 0
    assert [row["tokens_stage1"] for row in document["rows"]] == pytest.approx(
        [1e9, 1e10, 1e11] * 2
    )
    assert "<svg" in (tmp_path / "threshold.svg").read_text()
    code, document = answer(
        capsys, "plan", "breakeven", *asked, "--figure", tmp_path / "no" / "a.svg"
    )
    assert code == 2
    assert "does not exist" in document["error"]
    assert main(["plan", "breakeven", *UPCYCLING, "--tokens-stage1", "1B:2B"]) == 2
    assert "not of the form LOW:HIGH:COUNT" in capsys.readouterr().err


def test_a_grid_of_forecasts_is_a_table_and_rows(fits, capsys):
    asked = ["--tokens-stage1", "0,4M", "--tokens-stage2", "1M:4M:3"]
    code, document = answer(capsys, "plan", "forecast", fits / "joint.json", *asked)
    assert code == 0
    assert [row["tokens_stage2"] for row in document["rows"]] == pytest.approx([1e6, 2e6, 4e6] * 2)
    assert main(["plan", "forecast", str(fits / "joint.json"), *asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["D1", "D2", "loss"]
    assert main(["plan", "forecast", str(fits / "joint.json"), "--tokens-stage1", "0,",
                 "--tokens-stage2", "1M"]) == 2  # fmt: skip
    assert "argument --tokens-stage1" in capsys.readouterr().err
