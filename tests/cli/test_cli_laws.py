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
    assert {"formula", "latex", "javascript", "source", "variables", "title"} <= set(main_law)
    assert [entry["preset"] for entry in document["presets"]] == list(laws.preset_names())


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


def test_the_catalogue_lists_published_coefficients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws"]) == 0
    out = capsys.readouterr().out
    for name in laws.preset_names():
        assert f"{name} " in out
        assert laws.preset(name).source in out


def test_a_law_names_its_columns_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "chinchilla"]) == 0
    out = capsys.readouterr().out
    assert "columns: params (N), tokens_stage2 (D2)" in out
    assert "published coefficients: hoffmann2022, besiroglu2024, " in out
    assert main(["laws", "chinchilla", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["presets"][:2] == ["hoffmann2022", "besiroglu2024"]
    assert main(["laws", "mixture-ratio"]) == 0
    assert "predicts critical_ratio" in capsys.readouterr().out


def test_a_preset_shows_values_errors_and_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "besiroglu2024"]) == 0
    out = capsys.readouterr().out
    assert "482.01 (standard error 124.58)" in out
    assert "2404.10102" in out
    assert main(["laws", "hoffmann2022", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["params"]["A"] == {
        "value": 406.4,
        "standard_error": None,
        "unit": "nats per token, at N = 1 parameter",
    }
    assert document["javascript"].startswith("(p, x) => ")
    assert document["variables"] == ["params", "tokens_stage2"]


def test_a_formula_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "formula:A*D^-a + E", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["latex"] == r"L = A \, D_2^{-a} + E"
    assert main(["laws", "formula:A*D^"]) == 2
    assert "missing here" in capsys.readouterr().err


def test_an_unknown_name_near_a_preset_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "hofmann2022"]) == 2
    assert "did you mean 'hoffmann2022'" in capsys.readouterr().err
