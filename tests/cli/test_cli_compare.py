"""``bootlaw compare``: documents, words and exit codes."""

import json
from pathlib import Path

import pytest

from bootlaw.cli.compare import HOLDOUTS, PLANNING_HOLDOUTS
from bootlaw.cli.forecasts import parse_run
from bootlaw.cli.main import main
from bootlaw.fitting import LawAverage, average, fit, holdouts

STUDY = Path(__file__).parents[1] / "data" / "two_stage_study.csv"


def run(*arguments):
    return main(["compare", str(STUDY), "--method", "stack", *arguments])


def test_document(capsys):
    code = run("--laws", "bootstrapped,total-tokens", "--bootstrap", "50", "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["holdout"] == "lowest-loss"
    assert [row["law"] for row in document["rows"]] == ["bootstrapped", "total-tokens"]
    assert all(0 <= row["coverage90_out"] <= 1 for row in document["rows"])
    assert sum(row["weight"] for row in document["rows"]) == pytest.approx(1)


def test_words(capsys):
    code = run("--bootstrap", "0", "--laws", "bootstrapped,multiplicative,total-tokens")
    words = capsys.readouterr().out
    assert code == 0
    assert "bootstrapped and multiplicative tie" in words
    assert "held out 3 (lowest-loss)" in words


def test_no_law_that_can_be_fitted_exits_3_with_the_rows(capsys):
    one_level = ["--laws", "bootstrapped", "--where", "tokens_stage2 == 249856"]
    code = run("--bootstrap", "0", "--json", *one_level)
    document = json.loads(capsys.readouterr().out)
    assert code == 3
    assert document["rows"][0]["status"] == "not_identifiable"
    assert document["rows"][0]["rms_log_out"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--method"),
        (["--method", "stack", "--laws", "bootstrap"], "bootstrapped"),
        (["--method", "stack", "--laws", "bootstrapped,power"], "cannot enter"),
        (["--method", "stack", "--holdout", "largest"], "unknown hold-out"),
        (["--method", "stack", "--forecast", "1M,x"], "'x' is not a number"),
        (["--method", "stack", "--forecast", "1M,2M,3M,4M"], "more than 3 numbers"),
        (["--method", "stack", "--forecast", "1M,D1=2M"], "gives tokens_stage1 twice"),
        (["--method", "stack", "--no-shift", "--laws", "power"], "leave out --laws"),
        (["--method", "grown"], "grown"),
    ],
)
def test_bad_input_exits_2_in_one_line(capsys, arguments, words):
    code = main(["compare", str(STUDY), *arguments])
    complaint = capsys.readouterr().err
    assert code == 2
    assert words in complaint
    assert complaint.count("\n") == 1


def test_missing_table_exits_2(tmp_path, capsys):
    code = main(["compare", str(tmp_path / "none.csv"), "--json"])
    assert code == 2
    assert "none.csv" in json.loads(capsys.readouterr().out)["error"]


def test_the_options_choices_are_the_holdouts_there_are():
    assert HOLDOUTS == holdouts.HOLDOUTS
    assert ",".join(average.HOLDOUTS) == PLANNING_HOLDOUTS


def test_several_holdouts_print_a_table_each(capsys):
    laws = ["--laws", "multiplicative,total-tokens", "--bootstrap", "0"]
    assert run(*laws, "--holdout", "lowest-loss,largest-d1,largest-n") == 0
    words = capsys.readouterr().out
    assert "held out 3 (lowest-loss)" in words
    assert "held out 4 (largest-d1)" in words
    assert "largest-n: not held" in words
    assert run(*laws, "--holdout", "lowest-loss,largest-d1", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [contest["holdout"] for contest in document["holdouts"]] == ["lowest-loss", "largest-d1"]
    assert document["holdouts"][0]["rows"][0]["law"] == "multiplicative"


def test_forecasts_of_the_laws_together(capsys):
    laws = ["--laws", "multiplicative,total-tokens", "--bootstrap", "50", "--holdout", "kfold"]
    code = run(*laws, "--forecast", "10M,5M", "--forecast", "D1=20M,D2=5M", "--json")
    assert code == 0
    ensemble = json.loads(capsys.readouterr().out)["ensemble"]
    first, second = ensemble["forecasts"]
    assert (first["tokens_stage1"], second["tokens_stage1"]) == (1e7, 2e7)
    assert first["lower"] < first["loss"] < first["upper"]
    assert second["loss"] < first["loss"]
    assert sum(ensemble["weights"].values()) == pytest.approx(1)


def test_no_shift_is_one_command(capsys):
    code = run("--no-shift", "--bootstrap", "0", "--holdout", "kfold", "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["verdict"] in ("main_law", "tie")
    assert document["rows_used"] == "same-text"
    assert document["n_rows"] == 30
    assert run("--no-shift", "--bootstrap", "0", "--holdout", "kfold") == 0
    assert document["words"] in capsys.readouterr().out


def test_no_shift_without_two_laws_exits_3(capsys):
    code = run("--no-shift", "--bootstrap", "0", "--where", "tokens_stage2 == 249856")
    assert code == 3
    assert "No verdict" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["1M,2M", "D1=1M,D2=2M", "tokens_stage1=1e6,2M", "D=2M,D1=1M"])
def test_runs_may_be_named_or_in_order(text):
    assert parse_run(text) == {"tokens_stage1": 1e6, "tokens_stage2": 2e6}


def test_formulas_enter_beside_the_laws_named(capsys):
    same = ["--formula", "A*D1^-a1*D2^-a2 + E", "--formula", "A*(D1+D2)^-a + E"]
    assert run("--laws", "multiplicative", *same, "--bootstrap", "0", "--json") == 0
    rows = {row["law"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    twin = rows["formula:A*D1^-a1*D2^-a2 + E"]
    assert twin["rms_log_out"] == pytest.approx(rows["multiplicative"]["rms_log_out"], rel=1e-6)
    assert twin["aicc"] == pytest.approx(rows["multiplicative"]["aicc"], abs=1e-6)
    assert len(rows) == 3


def test_out_writes_an_average_that_plan_reads(capsys, tmp_path):
    path = tmp_path / "laws.json"
    code = run(
        "--laws", "bootstrapped,multiplicative", "--bootstrap", "50", "--out", str(path), "--json"
    )
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["out"] == str(path)
    assert document["average"]["holdouts"] == ["largest-d1", "largest-d2"]
    weights = {law["law"]: law["weight"] for law in document["average"]["laws"]}
    assert set(weights) == {"bootstrapped+scratch", "multiplicative+scratch"}
    assert sum(weights.values()) == pytest.approx(1)
    asked = ["--tokens-stage1", "8M", "--tokens-stage2", "1M", "--json"]
    assert main(["plan", "decide", str(path), *asked]) == 0
    decision = json.loads(capsys.readouterr().out)
    assert {option["kind"] for option in decision["options"]} == {"reuse", "scratch"}
    assert "laws averaged" in " ".join(decision["warnings"])


def test_out_averages_laws_that_tokens_alone_can_ask(capsys, tmp_path):
    path = tmp_path / "laws.json"
    assert run("--bootstrap", "0", "--out", str(path)) == 0
    words = capsys.readouterr().out
    assert "average of" in words
    assert f"written to {path}" in words
    assert "base-loss" not in words


def test_out_is_refused_before_anything_is_fitted(capsys, tmp_path):
    assert run("--out", str(tmp_path)) == 2
    assert "is a folder" in capsys.readouterr().err
    assert run("--no-shift", "--out", str(tmp_path / "laws.json")) == 2
    assert "leave out" in capsys.readouterr().err


def test_no_law_that_can_be_fitted_writes_nothing(capsys, tmp_path):
    path = tmp_path / "laws.json"
    one = ["--laws", "bootstrapped", "--where", "tokens_stage2 == 249856"]
    assert run("--bootstrap", "0", "--holdout", "largest-d1", *one, "--out", str(path)) == 3
    assert "nothing was written" in capsys.readouterr().err
    assert not path.exists()


def test_the_runs_to_do_next_may_rest_on_an_average(capsys, tmp_path):
    path = tmp_path / "laws.json"
    run("--laws", "bootstrapped,multiplicative", "--bootstrap", "50", "--out", str(path))
    capsys.readouterr()
    asked = ["--decision", "forecast", "--tokens-stage1", "8M", "--tokens-stage2", "4M"]
    assert main(["plan", "next", str(path), *asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["law"] == "average"
    assert document["batch"]


def test_runs_to_do_next_rest_on_averages_of_reuse_and_of_scratch(capsys, tmp_path):
    reuse, scratch = tmp_path / "reuse.json", tmp_path / "scratch.json"
    bases = ("--where", "tokens_stage1 > 0", "--bootstrap", "50")
    run("--laws", "bootstrapped,multiplicative", *bases, "--out", str(reuse))
    LawAverage((fit(STUDY, "power", where="tokens_stage1 == 0 and params == 100864",
                    bootstrap=50),), (0.01,), ("largest-d2",)).save(scratch)  # fmt: skip
    capsys.readouterr()
    assert main(["plan", "next", str(reuse), "--decision", "breakeven", "--tokens-stage1", "8M",
                 "--scratch", str(scratch), "--json"]) == 0  # fmt: skip
    laws = json.loads(capsys.readouterr().out)["laws"]
    assert {one["law"] for one in laws} == {"bootstrapped", "multiplicative"}


def test_out_with_rows_that_no_law_applies_to_is_undetermined(capsys, tmp_path):
    path = tmp_path / "laws.json"
    rows = "tokens_stage2 == 249856 and tokens_stage1 < 600000"
    assert run("--bootstrap", "0", "--where", rows, "--out", str(path)) == 3
    assert "no law of tokens alone" in capsys.readouterr().err
    assert not path.exists()
