import json

import pytest

from bootlaw import __version__
from bootlaw.cli.main import build_parser, main
from bootlaw.cli.numbers import parse_number
from bootlaw.cli.output import dumps


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.3B", 1.3e9), ("300e9", 3e11), ("2T", 2e12), ("3e21", 3e21), ("250k", 2.5e5), ("7", 7.0)],
)
def test_numbers_are_read_as_people_write_them(text, value):
    assert parse_number(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("text", ["", "B", "1.3X", "nan", "inf", "1e999", "one"])
def test_other_texts_are_no_numbers(text):
    with pytest.raises(ValueError, match=r".*"):
        parse_number(text)


def test_documents_hold_no_nan():
    document = json.loads(dumps({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": None}}))
    assert document == {"a": None, "b": [None, 1.5], "c": {"d": None}}


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == f"bootlaw {__version__}"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fti"],
        ["fit"],
        ["fit", "runs.csv", "--delta", "small"],
        ["plan"],
        ["plan", "forecast", "fit.json", "--tokens-stage1", "-1", "--tokens-stage2", "1M"],
        ["compare", "runs.csv", "--holdout", "best"],
        ["study", "smoke"],
    ],
)
def test_a_usage_error_is_one_line_and_one_document(capsys, words):
    """argparse ends the process itself, without the document that --json promises."""
    assert main([*words, "--json"] if words else []) == 2
    out, err = capsys.readouterr()
    assert err.startswith("bootlaw")
    assert err.count("\n") == 1
    if words:
        assert json.loads(out)["exit_code"] == 2


def test_every_command_says_what_it_does_and_takes_json(capsys):
    parser = build_parser()
    actions = [
        action for action in parser._actions if hasattr(action, "choices") and action.choices
    ]
    for name, command in actions[0].choices.items():
        assert command.format_help(), name
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    assert "--json" in capsys.readouterr().out


def test_what_the_system_refuses_is_one_line(capsys, monkeypatch, tmp_path):
    """An error of the file system came out as a traceback, and --json had no document."""
    from bootlaw.cli import laws

    def refuse(_):
        raise OSError(28, "No space left on device", str(tmp_path / "fit.json"))

    monkeypatch.setattr(laws, "run", refuse)
    assert main(["laws", "--json"]) == 1
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert "fit.json: No space left on device" in shown.err
    assert json.loads(shown.out)["exit_code"] == 1
