"""``bootlaw laws``."""

from __future__ import annotations

import json

import pytest

from bootlaw import laws
from bootlaw.cli.main import main


def test_the_catalogue_lists_every_law_with_its_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws"]) == 0
    out = capsys.readouterr().out
    for key in laws.names():
        assert f"{key} " in out
        assert laws.get(key).formula in out


def test_the_json_catalogue_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["law"] for entry in document["laws"]] == list(laws.names())
    main_law = document["laws"][0]
    assert [p["name"] for p in main_law["parameters"]] == ["A", "a1", "a2", "a3", "E"]
    assert {"formula", "latex", "source", "variables", "title"} <= set(main_law)


def test_one_law_shows_units_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "bootstrapped"]) == 0
    out = capsys.readouterr().out
    assert "per ln token, at D = 1 token" in out
    assert "2510.06548" in out
    assert main(["laws", "bootstrapped", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["law"] == "bootstrapped"


def test_an_unknown_law_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "boostrapped"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "did you mean 'bootstrapped'" in streams.err
    assert streams.err.count("\n") == 1
