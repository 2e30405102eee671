"""``bootlaw report`` keeps the contract of the command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bootlaw.cli import report
from bootlaw.errors import InputError

TABLE = "D1,D2,loss\n1e6,1e6,2.5\n1e6,2e6,2.4\n1e6,4e6,2.3\n"


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    report.add_parser(parser.add_subparsers(dest="command", required=True))
    return parser.parse_args(["report", *arguments])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_it_prints_the_path_of_the_page(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = table.parent / "page.html"
    args = parse(str(table), "--out", str(out))
    assert args.run(args) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_json_names_the_page_and_its_figures(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = parse(str(table), "--json")
    assert args.run(args) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "done"
    assert Path(document["report"]).is_file()
    assert document["figures"]
    assert {Path(figure).parent.name for figure in document["figures"]} == {"runs_report_figures"}
    assert all(Path(figure).is_file() for figure in document["figures"])


def test_a_missing_source_is_bad_input(tmp_path: Path) -> None:
    args = parse(str(tmp_path / "nothing"))
    with pytest.raises(InputError) as caught:
        args.run(args)
    assert caught.value.exit_code == 2


def test_figures_of_another_call_are_not_claimed(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document listed every drawing in the folder, also those left by an earlier page."""
    left = table.parent / "runs_report_figures" / "left.svg"
    left.parent.mkdir()
    left.write_text("<svg/>", encoding="utf-8")
    args = parse(str(table), "--json")
    assert args.run(args) == 0
    assert str(left) not in json.loads(capsys.readouterr().out)["figures"]


def test_a_page_in_a_folder_that_is_not_there_is_refused(table: Path) -> None:
    """A misspelt --out made a tree of folders."""
    args = parse(str(table), "--out", str(table.parent / "a" / "b" / "page.html"))
    with pytest.raises(InputError, match="create it first") as caught:
        args.run(args)
    assert caught.value.exit_code == 2
    assert not (table.parent / "a").exists()
