"""``bootlaw plan next``: documents, words, exit codes."""

import json

import numpy as np
import pytest

from bootlaw.cli.main import main
from bootlaw.fitting import fit
from bootlaw.runs import read_runs

BREAKEVEN = ["--decision", "breakeven", "--tokens-stage1", "100M", "--range", "1M", "1T"]
FORECAST = ["--decision", "forecast", "--tokens-stage1", "100M", "--tokens-stage2", "100M"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a table of pilots, its fit, one without replicates and one that is not identifiable."""
    folder = tmp_path_factory.mktemp("next")
    bases, lengths = np.geomspace(1e6, 2e7, 4), np.geomspace(5e5, 1e7, 4)
    d1 = np.concatenate([np.repeat(bases, 4), np.zeros(4)])
    d2 = np.tile(lengths, 5)
    loss = np.where(d1 > 0, 14 * np.maximum(d1, 1) ** -0.12 * d2**-0.08, 60 * d2**-0.26) + 1.2
    noise = 0.003 * np.random.default_rng(0).normal(size=d1.size)
    rows = zip(d1, d2, loss * np.exp(noise), strict=True)
    lines = [
        f"{'stack' if base else 'scratch'},{base},{tokens},{value},t{base:.0f}"
        for base, tokens, value in rows
    ]
    heading = "method,tokens_stage1,tokens_stage2,loss,trunk"
    (folder / "runs.csv").write_text("\n".join([heading, *lines]) + "\n")
    runs = read_runs(folder / "runs.csv")
    law = "multiplicative+scratch"
    fit(runs, law, bootstrap=100, remarks=False).save(folder / "fit.json")
    fit(runs, law, remarks=False).save(folder / "bare.json")
    one = fit(runs, law, bootstrap=50, where="D1 == 1M or D1 == 0")
    assert one.status == "not_identifiable"
    one.save(folder / "one.json")
    return folder


def ask(capsys, folder, name, *arguments):
    code = main(["plan", "next", str(folder / name), *map(str, arguments), "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def test_document(folder, capsys):
    code, document, _ = ask(
        capsys, folder, "fit.json", *BREAKEVEN, "--budget", "30M", "--batch", "3"
    )
    assert code == 0
    assert document["status"] in ("ok", "cannot_settle")
    assert document["unit"] == "tokens"
    assert 1 <= len(document["batch"]) <= 3
    assert document["cost"] <= 30e6
    assert document["after"] < document["before"]
    assert any(run["extends"] for run in document["ranking"])
    assert {"run", "tokens_stage1", "tokens_stage2", "trunk", "cost", "fall", "value"} <= set(
        document["batch"][0]
    )


def test_words(folder, capsys):
    assert main(["plan", "next", str(folder / "fit.json"), *FORECAST, "--budget", "30M"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("runs that tell most of the loss after 100M + 100M tokens")
    assert "best single runs by what they tell per token" in told


def test_candidates_and_optimum(folder, capsys, tmp_path):
    candidates = tmp_path / "runs.csv"
    candidates.write_text("run,D1,D2,cost\nlong,20000000,40000000,5\nshort,1000000,500000,1\n")
    optimum = ["--decision", "optimum", "--total-tokens", "3B", "--target", "1e-7"]
    code, document, _ = ask(
        capsys, folder, "fit.json", *optimum, "--candidates", candidates, "--batch", "2",
        "--budget", "6", "--unit", "cost",
    )  # fmt: skip
    assert code == 0
    assert document["n_candidates"] == 2
    assert {run["run"].split(":")[0] for run in document["batch"]} <= {"long", "short"}
    assert document["batch"]


def test_a_fit_that_is_not_identifiable(folder, capsys):
    code, document, _ = ask(
        capsys, folder, "one.json", *FORECAST, "--budget", "100M", "--noise", "0.003"
    )
    assert code == 0
    assert document["status"] == "identify"
    assert document["weakest_before"] < 1e-9 < document["weakest_after"]
    assert document["batch"][0]["tokens_stage1"] not in (0.0, 1e6)


def test_a_moved_table_is_said(folder, capsys, tmp_path):
    document = json.loads((folder / "fit.json").read_text())
    document["source"] = str(tmp_path / "gone.csv")
    (tmp_path / "moved.json").write_text(json.dumps(document))
    code, found, err = ask(capsys, tmp_path, "moved.json", *FORECAST)
    assert code == 0
    assert "--table" in err
    assert not any(run["extends"] for run in found["ranking"])
    code, found, _ = ask(capsys, tmp_path, "moved.json", *FORECAST, "--table", folder / "runs.csv")
    assert any(run["extends"] for run in found["ranking"])


@pytest.mark.parametrize(
    ("name", "arguments", "code", "words"),
    [
        ("bare.json", FORECAST, 3, "--bootstrap"),
        ("fit.json", ["--decision", "forecast", "--tokens-stage1", "1B"], 2, "--tokens-stage2"),
        ("fit.json", ["--decision", "optimum"], 2, "--total-tokens"),
        ("fit.json", ["--decision", "optimum", "--flops", "1e20"], 2, "size"),
        ("fit.json", [*BREAKEVEN, "--target", "0.9"], 2, "factor above 1"),
        ("fit.json", [*FORECAST, "--budget", "100", "--unit", "money"], 2, "hardware"),
        ("fit.json", [*FORECAST, "--budget", "1e15", "--unit", "flops"], 2, "--model-config"),
        ("fit.json", [*FORECAST, "--cooldown", "2"], 2, "cooldown"),
        ("fit.json", ["--decision", "breakeven", "--tokens-stage1", "0"], 2, "above zero"),
    ],
)
def test_refusals(folder, capsys, name, arguments, code, words):
    found, document, _ = ask(capsys, folder, name, *arguments)
    assert found == code
    assert words in document["error"]
