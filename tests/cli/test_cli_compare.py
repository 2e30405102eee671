"""``bootlaw compare``: documents, words and exit codes."""

import json
from pathlib import Path

import pytest

from bootlaw.cli.compare import HOLDOUTS
from bootlaw.cli.main import main
from bootlaw.fitting import holdouts

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
        (["--method", "stack", "--laws", "power"], "cannot enter"),
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
