"""``bootlaw runs check``: standard output, standard error and exit codes."""

import argparse
import json
from pathlib import Path

import pytest

from bootlaw.cli import runs
from bootlaw.errors import InputError

TINY = str(Path(__file__).parents[1] / "data" / "tiny_two_stage.csv")


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    runs.add_parser(parser.add_subparsers())
    args = parser.parse_args(["runs", *arguments])
    return args.run(args)


def test_a_table_with_warnings_is_done(capsys):
    assert run("check", TINY) == 0
    printed = capsys.readouterr()
    assert "130 rows" in printed.out
    assert "[several_methods]" in printed.out
    assert "column 'D1' read as tokens_stage1" in printed.err


def test_json_is_one_document_on_standard_output(capsys):
    assert run("check", TINY, "--json", "--where", "method == stack") == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["status"] == "ok"
    assert document["methods"] == {"stack": 49}
    assert "note: column 'N' read as params" in printed.err


def test_bad_tables_and_expressions_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        run("check", str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="position"):
        run("check", TINY, "--where", "D2 >")


def test_a_verb_is_needed(capsys):
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == 2
    assert "VERB" in capsys.readouterr().err
