"""Broken and hopeless tables through the command: the right exit code, one plain answer.

Exit code 2 is for a table that cannot be read or an option that cannot be meant: one line that
names the place. Exit code 3 is for rows that cannot tell the parameters. A table that can be
fitted but should not be believed exits 0 and says why: no number comes without a warning.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.cli.main import main

Table = dict[str, list[Any]]

BOOTSTRAPPED = [20.0, 0.12, 0.3, 0.006, 1.1]
HEADER = "tokens_stage1,tokens_stage2,loss\n"


@dataclass(frozen=True)
class Case:
    """A table, and what the command must say of it."""

    name: str
    content: str | bytes
    exit_code: int
    says: tuple[str, ...]
    """Words of the one line (exit code 2), or codes of diagnostics."""
    options: tuple[str, ...] = ()
    suffix: str = ".csv"


def table(stage1: Any = None, stage2: Any = None, **extra: list[Any]) -> Table:
    """Return noisy runs of the main law, on a 4 x 4 grid where no tokens are given."""
    if stage1 is None:
        grids = np.meshgrid(np.geomspace(2e8, 2e10, 4), np.geomspace(1e8, 1e10, 4))
        stage1, stage2 = (grid.ravel() for grid in grids)
    columns = {"tokens_stage1": np.array(stage1, float), "tokens_stage2": np.array(stage2, float)}
    noise = np.random.default_rng(0).normal(0, 0.002, columns["tokens_stage1"].size)
    losses = laws.get("bootstrapped").loss(BOOTSTRAPPED, columns) * np.exp(noise)
    return {name: list(values) for name, values in (columns | {"loss": losses} | extra).items()}


def scratch() -> Table:
    """Return noisy runs of one stage."""
    tokens = np.geomspace(1e8, 1e11, 9)
    noise = np.random.default_rng(0).normal(0, 0.002, tokens.size)
    return {
        "tokens": tokens.tolist(),
        "loss": ((1.8 + 3000 * tokens**-0.4) * np.exp(noise)).tolist(),
    }


def csv(columns: Table) -> str:
    """Return a table as CSV text."""
    lines = [",".join(columns)]
    lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


def changed(
    column: str, change: Callable[[list[Any]], list[Any]], base: Table | None = None
) -> str:
    """Return a table with one column changed, as CSV."""
    whole = base or table()
    return csv(whole | {column: change(whole[column])})


def with_first(column: str, value: object) -> str:
    """Return the table with another value in its first row."""
    return changed(column, lambda values: [value, *values[1:]])


LINE = np.geomspace(1e8, 1e11, 12)
ONE_BASE = table(np.full(12, 1e9), LINE)
TWICE = {name: values * 2 for name, values in table().items()}
FOUR = table([1e9, 4e9, 1e9, 4e9], [1e9, 1e9, 4e9, 4e9])
EXACT = table([1e9, 4e9, 1e9, 4e9, 2e9], [1e9, 1e9, 4e9, 4e9, 2e9])

UNREADABLE = (
    Case("an empty file", "", 2, ("the file is empty",)),
    Case("a header only", HEADER, 2, ("no rows",)),
    Case("a missing column", "tokens_stage1,tokens_stage2\n1e9,1e9\n", 2, ("'loss'", "rename")),
    Case("a column twice", HEADER[:-1] + ",loss\n1,1,2,2\n", 2, ("columns 3 and 4", "'loss'")),
    Case("a ragged row", HEADER + "1e9,1e9,2.5\n1e9,1e9\n", 2, ("line 3", "2 fields")),
    Case("semicolons", csv(table()).replace(",", ";"), 2, ("semicolons", "commas")),
    Case("NaN loss", with_first("loss", "nan"), 2, ("line 2, column 'loss'", "is nan")),
    Case("no loss", with_first("loss", ""), 2, ("line 2, column 'loss'", "is empty")),
    Case("negative loss", with_first("loss", -2.5), 2, ("line 2, column 'loss'", "above zero")),
    Case("zero loss", with_first("loss", 0), 2, ("line 2, column 'loss'", "above zero")),
    Case("infinite loss", with_first("loss", "inf"), 2, ("line 2, column 'loss'", "finite")),
    Case("absurd loss", with_first("loss", 1e300), 2, ("line 2, column 'loss'", "is no loss")),
    Case("vanishing loss", with_first("loss", 1e-300), 2, ("line 2, column 'loss'", "is no loss")),
    Case("text for a loss", with_first("loss", "diverged"), 2, ("'diverged', not a number",)),
    Case("text for tokens", with_first("tokens_stage2", "lots"), 2, ("'lots', not a number",)),
    Case("negative tokens", with_first("tokens_stage2", -1e9), 2, ("line 2", "not negative")),
    Case("tokens past floats", with_first("tokens_stage2", "1e400"), 2, ("line 2", "finite")),
    Case("absurd tokens", with_first("tokens_stage1", 1e200), 2, ("line 2", "no tokens_stage1")),
    Case("a truth value", '{"D1": 1e9, "D2": 1e9, "loss": true}', 2, ("line 1",), (), ".jsonl"),
    Case("half a line", '{"D1": 1, "D2": 1, "loss": 2}\n{"D1"', 2, ("line 2",), (), ".jsonl"),
    Case("bytes", bytes(range(256)) * 8, 2, ("binary",)),
    Case("no parquet", b"not a table", 2, ("parquet",), (), ".parquet"),
    Case("half a gzip", gzip.compress(csv(table()).encode())[:60], 2, ("gzip",), (), ".csv.gz"),
    Case("another kind of file", csv(table()), 2, ("name it .csv",), (), ".xlsx"),
)

MISUSED = (
    Case("D2 = 0", changed("tokens_stage2", lambda d: [0] * len(d)), 2, ("16 no second stage",)),
    Case("two methods", csv(table(method=["cpt", "stack"] * 8)), 2, ("cpt, stack", "--method")),
    Case("two texts", csv(table(eval_data=["a", "b"] * 8)), 2, ("eval_data", "--where")),
    Case("no such method", csv(table()), 2, ("'grow'", "reuse (16"), ("--method", "grow")),
    Case("no such law", csv(table()), 2, ("did you mean",), ("--law", "bootstraped")),
    Case("nothing kept", csv(table()), 2, ("keeps none of the 16",), ("--where", "loss > 99")),
    Case("half a condition", csv(table()), 2, ("ends too early",), ("--where", "loss >")),
    Case("no such column", csv(table()), 2, ("no column",), ("--where", "los > 2")),
    Case("three refits", csv(table()), 2, ("too few",), ("--bootstrap", "3")),
    Case("scratch rows only", csv(scratch()), 2, ("tokens_stage1 > 0", "--law power")),
    Case("no scratch rows", csv(table()), 2, ("none",), ("--law", "bootstrapped+scratch")),
    Case("reuse rows only", csv(table()), 2, ("two stages",), ("--law", "power")),
)

HOPELESS = (
    Case("one base", csv(ONE_BASE), 3, ("not_identifiable", "few_levels")),
    Case("one D2", csv(table(LINE, np.full(12, 1e9))), 3, ("not_identifiable", "few_levels")),
    Case("D2 = D1 / 2", csv(table(LINE, LINE / 2)), 3, ("not_identifiable", "collinear_design")),
    Case("D2 = c D1^0.5", csv(table(LINE, 1e5 * LINE**0.5)), 3, ("collinear_design",)),
    Case("equal losses", changed("loss", lambda x: [2.5] * len(x)), 3, ("not_identifiable",)),
    Case("one row", HEADER + "1e9,1e9,2.5\n", 3, ("not_identifiable",)),
    Case("4 rows, 5 parameters", csv(FOUR), 3, ("not_identifiable",)),
    Case(
        "losses at random",
        changed("loss", lambda x: [2.0, 3.0] * (len(x) // 2)),
        3,
        ("not_identifiable",),
    ),
    Case("one base, one trunk", csv(ONE_BASE | {"trunk": ["t"] * 12}), 3, ("one_trunk",)),
)

DOUBTFUL = (
    Case("5 rows, 5 parameters", csv(EXACT), 0, ("few_rows",)),
    Case(
        "some tokens in billions",
        changed("tokens_stage2", lambda d: [v / 1e9 if i % 3 else v for i, v in enumerate(d)]),
        3,
        ("mixed_units",),
    ),
    Case(
        "all tokens in billions",
        changed("tokens_stage2", lambda d: [v / 1e9 for v in d]),
        0,
        ("token_scale",),
    ),
    Case(
        "a unit twice",
        changed("tokens_stage2", lambda d: [v * 1e9 for v in d]),
        0,
        ("token_scale",),
    ),
    Case("losses that rise", changed("loss", lambda x: x[::-1]), 0, ("loss_rises",)),
    Case(
        "one-stage losses that rise",
        changed("loss", lambda x: x[::-1], scratch()),
        0,
        ("loss_rises", "unexpected_sign"),
        ("--law", "power"),
    ),
    Case(
        "perplexities",
        changed("loss", lambda x: np.exp(x).tolist(), scratch()),
        0,
        ("loss_scale",),
        ("--law", "power"),
    ),
    Case(
        "bits per token of bytes",
        csv({"tokens": scratch()["tokens"], "loss": [7, 6.5, 6.1, 5.8, 5.6, 5.4, 5.3, 5.2, 5.15]})
        .replace("loss\n", "loss,bytes_per_token\n")
        .replace("\n", ",1\n")
        .replace("bytes_per_token,1", "bytes_per_token"),
        0,
        ("loss_scale",),
        ("--law", "power"),
    ),
    Case("every row twice", csv(TWICE), 0, ("duplicate_rows",)),
    Case("two tokenizers", csv(table(tokenizer=["a", "b"] * 8)), 0, ("mixed_tokenizers",)),
    Case("two states", csv(table(schedule_state=["mid", "cooled"] * 8)), 0, ("mixed_schedule",)),
    Case("two policies", csv(table(lr_policy=["x", "y"] * 8)), 0, ("mixed_lr_policies",)),
    Case("two sizes", csv(table(params=[1e8, 2e8] * 8)), 0, ("mixed_params",)),
    Case("100 epochs", csv(table(unique_tokens=[1e8] * 16)), 0, ("repeated_data",)),
    Case("one trunk", csv(table(trunk=["t"] * 16)), 0, ("one_trunk",), ("--bootstrap", "50")),
    Case("a run gone wrong", changed("loss", lambda x: [*x[:5], 2.2, *x[6:]]), 0, ("outliers",)),
)


def write(case: Case, folder: Path) -> Path:
    """Return the path of the case's table."""
    path = folder / f"runs{case.suffix}"
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    return path


def run(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    """Return the exit code, the one JSON document and the standard error of a fit."""
    code = main(["fit", str(write(case, folder)), *case.options, "--json"])
    streams = capsys.readouterr()
    assert "Traceback" not in streams.err
    return code, json.loads(streams.out), streams.err


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [*UNREADABLE, *MISUSED], ids=by_name)
def test_bad_input_is_refused_in_one_line(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, err = run(case, tmp_path, capsys)
    assert code == 2
    message = err.splitlines()[-1]
    for word in case.says:
        assert word in message
    assert all(": note: " in line for line in err.splitlines()[:-1])
    assert (document["status"], document["exit_code"]) == ("error", 2)
    assert f"bootlaw fit: {document['error']}" == message
    assert "params" not in document


@pytest.mark.parametrize("case", UNREADABLE, ids=by_name)
def test_a_table_that_cannot_be_read_is_named(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = run(case, tmp_path, capsys)[1]
    assert document["error"].startswith(str(tmp_path / "runs"))


@pytest.mark.parametrize("case", [*HOPELESS, *DOUBTFUL], ids=by_name)
def test_no_number_comes_without_a_warning(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, err = run(case, tmp_path, capsys)
    assert code == case.exit_code
    grave = {d["code"] for d in document["diagnostics"] if d["severity"] != "info"}
    assert grave >= set(case.says)
    assert document["status"] == {0: "converged", 3: "not_identifiable"}[code]
    assert all(d["message"] in err for d in document["diagnostics"])


@pytest.mark.parametrize("law", ["bootstrapped", "multiplicative", "additive"])
def test_one_base_is_pointed_to_the_law_that_answers(
    law: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commonest real table: the question about this base has an answer."""
    case = Case("one base", csv(ONE_BASE), 3, (), ("--law", law))
    code, document, _ = run(case, tmp_path, capsys)
    message = next(d["message"] for d in document["diagnostics"] if d["code"] == "not_identifiable")
    assert code == 3
    assert "tokens_stage1 has one level" in message
    assert "--law fixed-base" in message
    assert "fixed-base+scratch" in message


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "nowhere/runs.csv", "--json"]) == 2
    streams = capsys.readouterr()
    assert json.loads(streams.out)["error"].startswith("nowhere/runs.csv: no such file")
    assert len(streams.err.splitlines()) == 1


@pytest.mark.parametrize("case", UNREADABLE, ids=by_name)
def test_a_check_refuses_what_a_fit_cannot_read(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(case, tmp_path)
    assert main(["runs", "check", str(path), "--json"]) == 2
    assert case.says[0] in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize("case", [*HOPELESS[:4], *MISUSED[:3]], ids=by_name)
def test_a_check_warns_of_what_a_fit_will_refuse(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "check", str(write(case, tmp_path)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"]
