"""``bootlaw fit``: exit codes, streams, the JSON contract."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.cli.main import main
from bootlaw.fitting import Fit

TABLE = str(Path(__file__).parents[1] / "data" / "tiny_two_stage.csv")
KEYS = {
    "law", "formula", "params", "objective", "delta", "rms_log", "n_rows", "n_dropped", "status",
    "diagnostics", "seconds", "version", "level", "resample", "n_bootstrap", "replicates",
    "ranges", "method", "rows_used",
}  # fmt: skip


def test_json_holds_the_contract_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--method", "stack", "--bootstrap", "50", "--level", "0.9", "--json"]
    assert main(["fit", TABLE, *options]) == 0
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert set(document) >= KEYS
    assert (document["law"], document["status"]) == ("bootstrapped", "converged")
    assert (document["level"], document["n_bootstrap"]) == (0.9, 50)
    assert document["params"]["a3"]["lower"] <= document["params"]["a3"]["upper"]
    assert {d["severity"] for d in document["diagnostics"]} <= {"info", "warning", "error"}


def test_notes_and_dropped_rows_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", TABLE, "--method", "cpt"]) == 0
    streams = capsys.readouterr()
    assert "column 'D1' read as tokens_stage1" in streams.err
    assert "100 rows left out" in streams.out
    assert "rows left out" not in streams.err  # it stood in both, twice on a terminal
    assert all(line.startswith("bootlaw fit: note: ") for line in streams.err.splitlines())
    assert "A D1^-a1 D2^(-a2 + a3 ln D1) + E" in streams.out
    assert "null" not in streams.out


def test_without_a_bootstrap_the_ends_of_intervals_are_null(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fit", TABLE, "--method", "cpt", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["params"]["E"]["lower"] is None
    assert document["replicates"] == []


def test_a_saved_fit_can_be_loaded(tmp_path: Path) -> None:
    out = tmp_path / "fit.json"
    assert main(["fit", TABLE, "--method", "stack", "--law", "additive", "--out", str(out)]) == 0
    assert Fit.load(out).law.key == "additive"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "several methods (cpt, cpt-keepopt"),
        (["--method", "stak"], "no row of method 'stak'; the table has base-raw (10 rows), cpt ("),
        (["--method", "stack", "--law", "nonsense"], "no law is called 'nonsense'"),
        (["--method", "stack", "--where", "D2 >"], "D2 >"),
        (["--method", "stack", "--out", "absent/fit.json"], "does not exist"),
        (["--method", "stack", "--out", "/proc/x.json"], "/proc/x.json: "),
        (["--method", "stack", "--out", "/"], "/: is a folder"),
        (["--method", "stack", "--bootstrap", "10"], "10 refits are too few"),
    ],
)
def test_bad_input_exits_2_with_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", TABLE, *options, "--json"]) == 2
    streams = capsys.readouterr()
    assert message in streams.err.splitlines()[-1]
    assert json.loads(streams.out)["exit_code"] == 2


@pytest.mark.parametrize(
    "option", ["--level=1.5", "--bootstrap=-3", "--delta=0", "--drop-lowest=1"]
)
def test_options_out_of_range_are_usage_errors(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", TABLE, option]) == 2
    assert option.split("=")[0] in capsys.readouterr().err


def test_a_table_that_cannot_tell_exits_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {"tokens_stage1": np.full(8, 1e6), "tokens_stage2": np.geomspace(1e5, 1e7, 8)}
    losses = laws.get("bootstrapped").loss([20.0, 0.12, 0.3, 0.012, 1.1], columns)
    lines = [
        f"1e6,{d2!r},{loss!r}"
        for d2, loss in zip(columns["tokens_stage2"].tolist(), losses.tolist(), strict=True)
    ]
    table = tmp_path / "one_base.csv"
    table.write_text("\n".join(["tokens_stage1,tokens_stage2,loss", *lines]) + "\n")
    assert main(["fit", str(table), "--json"]) == 3
    streams = capsys.readouterr()
    assert json.loads(streams.out)["status"] == "not_identifiable"
    assert "tokens_stage1 has one level" in streams.err


def test_several_methods_are_fitted_together_and_written_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "runs.csv"
    lines = ["method,D1,D2,N,loss"]
    for method, a in (("cpt", 9.0), ("stack", 6.0)):
        for d1 in (1e6, 4e6, 16e6, 64e6):
            lines += [
                f"{method},{d1:.0f},{d2:.0f},50000,{1.5 + a * d1**-0.1 * d2**-0.12:.6f}"
                for d2 in (1e6, 4e6, 16e6, 64e6)
            ]
    lines += [f"scratch,0,{d2:.0f},50000,{1.5 + 9 * d2**-0.2:.6f}" for d2 in (1e6, 1e7, 1e8, 1e9)]
    table.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "fit.json"
    options = ["--law", "multiplicative+scratch", "--method", "cpt,stack", "--out", str(out)]
    assert main(["fit", str(table), *options, "--json"]) == 0
    documents = json.loads(capsys.readouterr().out)["methods"]
    assert [d["method"] for d in documents] == ["cpt", "stack"]
    saved = [Fit.load(tmp_path / f"fit.{method}.json") for method in ("cpt", "stack")]
    assert saved[0].value("E") == saved[1].value("E") == pytest.approx(1.5, abs=1e-3)
    assert not out.exists()
    assert main(["fit", str(table), *options, "--target", "N"]) == 2
