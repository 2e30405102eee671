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
    assert all(Path(figure).is_file() for figure in document["figures"])


def test_a_missing_source_is_bad_input(tmp_path: Path) -> None:
    args = parse(str(tmp_path / "nothing"))
    with pytest.raises(InputError) as caught:
        args.run(args)
    assert caught.value.exit_code == 2
