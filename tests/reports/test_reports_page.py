"""The page: complete for a study, honest about what a small table lacks, safe, self-contained."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bootlaw.cli.main import main
from bootlaw.errors import InputError
from bootlaw.fitting import Fit
from bootlaw.reports import write_report

DATA = Path(__file__).parents[1] / "data" / "two_stage_study.csv"
VOID = {"meta", "link", "br", "img", "input", "hr", "use", "path", "rect", "stop"}
Row = dict[str, str]


class Outline(HTMLParser):
    """Collects ids, references and the nesting of elements."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.references += [
            value for name, value in attrs if name in ("src", "href", "xlink:href") and value
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read_rows() -> list[Row]:
    with DATA.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_table(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def forgetting_rows() -> list[Row]:
    return [
        {**row, "eval_data": "prose", "loss": "2.4", "loss_base": "1.9"}
        for row in read_rows()
        if row["method"] == "cpt" and row["seed"] == "0"
    ]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_table(folder / "runs.csv", read_rows() + forgetting_rows())
    part = {"documents": 120, "bytes": 9_000_000, "tokens": 9_000_120}
    domain = {
        "description": "text of <package> & co",
        "train": part,
        "held_out": part,
        "split": "by package",
        "sources": [{"name": "stdlib", "version": "3.11", "documents": 120, "bytes": 9_000_000}],
    }
    documents = {
        "data_card.json": {"domains": {"prose": domain, "code": domain}},
        "study.json": {
            "name": "quick <script>alert(1)</script>",
            "notes": ["stage1: capped at 16M tokens"],
            "tokens": {"trained": 41e6, "separate_runs": 123e6},
            "noise": [{"method": "cpt", "eval_data": "code", "paired_error": 0.00223}],
            "versions": {"torch": "2.6.0"},
            "command": "bootlaw study quick --out out/quick",
            "spec": {"model": {"layers": 4}},
        },
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    (folder / "timings.csv").write_text("run,seconds\na,600\nb,1200\n", encoding="utf-8")
    write_report(folder, bootstrap=200)
    return folder


@pytest.fixture(scope="module")
def page(study: Path) -> str:
    return (study / "report.html").read_text("utf-8")


def test_the_page_is_well_formed_and_needs_nothing_else(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert all(reference.startswith("#") for reference in outline.references)
    assert {reference[1:] for reference in outline.references} <= set(outline.ids)
    assert "script" not in outline.tags
    assert "@import" not in page
    assert "url(http" not in page


def test_the_page_is_accessible(page: str) -> None:
    assert '<html lang="en">' in page
    assert page.count("<svg") == len(re.findall(r'<svg role="img" aria-label="[^"]{20,}"', page))
    assert all("scope=" in heading for heading in re.findall(r"<th[ >][^>]*", page))
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.mark.parametrize(
    "expected",
    [
        "Continual pretraining, prose → code",
        "Model growth by stacking ×2",
        "How the second stage saturates",
        "What is forgotten",
        "What these data cannot tell",
        "starting over is better",
        "tokens per parameter in stage 1",
        "Tokens are bytes here",
        "3 times as many (shared trunks are trained once)",
        "30 minutes",
        "capped at 16M tokens",
        "torch 2.6.0",
        "0.0022 nats of it remain",
        "summed over runs",
        "fits/stack.json --tokens-stage1 16M",
        "text of &lt;package&gt; &amp; co",
        "quick &lt;script&gt;",
    ],
)
def test_the_page_says(page: str, expected: str) -> None:
    assert expected in page


def test_no_number_is_left_undefined(page: str) -> None:
    text = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", page, flags=re.S)
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b", text)


def test_figures_lie_beside_the_page(study: Path) -> None:
    names = {path.stem for path in (study / "figures").iterdir()}
    assert {"saturation-cpt-loss", "saturation-stack-exponent", "forgetting-cpt"} <= names
    assert {"stage1-stack", "observed-cpt", "breakeven-stack", "saturation-cpt-factor"} <= names


def test_the_fits_can_be_planned_with(study: Path) -> None:
    main = Fit.load(study / "fits" / "stack.json")
    assert main.law.key == "bootstrapped"
    assert len(main.replicates) == 200
    assert Fit.load(study / "fits" / "stack+scratch.json").law.key == "bootstrapped+scratch"


def keep(condition: Callable[[Row], bool]) -> list[Row]:
    return [row for row in read_rows() if condition(row)]


def stack(row: Row) -> bool:
    return row["method"] == "stack" and row["seed"] == "0"


def base(row: Row, *levels: str) -> bool:
    return stack(row) and row["tokens_stage1"] in levels


SMALL = {
    "one row": (lambda row: base(row, "249856") and row["tokens_stage2"] == "124928", "one base"),
    "three rows of one base": (
        lambda row: base(row, "249856") and row["tokens_stage2"] != "1000448",
        "all runs start from one base length",
    ),
    "one length": (
        lambda row: stack(row) and row["tokens_stage2"] == "249856",
        "1 length of it",
    ),
    "two bases, no scratch": (
        lambda row: base(row, "249856", "16000000"),
        "the table has no runs of this model from scratch",
    ),
    "scratch only": (lambda row: row["method"] == "scratch", "no run of a second stage"),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_table_gets_a_page_that_says_what_is_missing(name: str, tmp_path: Path) -> None:
    condition, expected = SMALL[name]
    table = write_table(tmp_path / "small.csv", keep(condition))
    page = write_report(table, bootstrap=50)
    assert page == tmp_path / "small_report.html"
    text = page.read_text("utf-8")
    assert expected in text
    assert not re.search(r"\bnan\b|\bNone\b", re.sub(r"<svg.*?</svg>", "", text, flags=re.S))


def test_a_bare_table_of_two_columns_is_enough(tmp_path: Path) -> None:
    table = tmp_path / "bare.csv"
    table.write_text(
        "D1,D2,loss\n1e6,1e6,2.5\n1e6,2e6,2.4\n4e6,1e6,2.3\n4e6,2e6,2.25\n", encoding="utf-8"
    )
    text = write_report(table, tmp_path / "page.html", bootstrap=50).read_text("utf-8")
    assert "Reuse" in text
    assert "does not say how large the models are" in text
    assert (tmp_path / "page_figures" / "saturation-reuse-loss.svg").is_file()
    assert "names neither trunks nor seeds" in text
    assert "too few runs to hold any out" not in text
    assert "the main law cannot be fitted to these runs" in text
    assert "Stacking weight" not in text
    assert "Middle: the exponents" not in text


def test_sizes_of_one_method_are_told_apart(tmp_path: Path) -> None:
    rows = keep(lambda row: base(row, "249856"))
    larger = [{**row, "params": "403456", "run": row["run"] + "-large"} for row in rows]
    table = write_table(tmp_path / "sizes.csv", rows + larger)
    text = write_report(table, bootstrap=50).read_text("utf-8")
    assert "100,864 parameters" in text
    assert "403,456 parameters" in text


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda _: None, "no runs.csv in this folder"),
        (lambda folder: (folder / "study.json").write_text("{"), "study.json: is not valid JSON"),
        (
            lambda folder: (folder / "timings.csv").write_text("run,seconds\na,soon\n"),
            "row 2, column seconds: 'soon' is not a number",
        ),
    ],
)
def test_a_broken_study_is_named(
    prepare: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    if prepare(tmp_path) is not None:
        shutil.copyfile(DATA, tmp_path / "runs.csv")
    with pytest.raises(InputError, match=re.escape(message)):
        write_report(tmp_path)


def test_a_missing_source_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not found; give a study folder"):
        write_report(tmp_path / "nowhere")


def test_an_unwritable_page_is_an_error_for_people(tmp_path: Path) -> None:
    table = write_table(tmp_path / "runs.csv", keep(lambda row: base(row, "249856")))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="create it first"):
        write_report(table, tmp_path / "file" / "report.html", bootstrap=0)
    with pytest.raises(InputError, match="is a folder"):
        write_report(table, tmp_path, bootstrap=0)


def test_a_moved_study_is_run_again_where_it_lies(study: Path, page: str) -> None:
    """The command named the folder of the first run, which may be gone or another's by now."""
    assert f"bootlaw study quick --out {study}" in page


def test_a_breakeven_tile_carries_its_interval(page: str) -> None:
    """The tile showed bare numbers, some of them ten times beyond the runs."""
    tiles = re.findall(r"Starting over is better from</dt>.*?</dd>", page, flags=re.S)
    assert tiles
    assert all("base of 250k: " in tile for tile in tiles)
    assert any(re.search(r"\[[\d.]+[kMB], [^]]+\]", tile) for tile in tiles)


def commands_of(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [html.unescape(found) for found in re.findall(r"<code>(bootlaw [^<]*)</code>", text)]


def test_the_page_says_how_to_ask_all_laws_and_the_commands_run(tmp_path, monkeypatch):
    page = write_report(DATA, out=tmp_path / "report.html", bootstrap=50)
    monkeypatch.chdir(tmp_path)
    asked = [command for command in commands_of(page) if "cpt-laws.json" in command]
    assert [command.split()[1] for command in asked] == ["compare", "plan"]
    for command in asked:
        assert main([*shlex.split(command)[1:], "--json"]) == 0


def test_without_runs_from_scratch_there_is_nothing_to_decide_between(tmp_path):
    rows = [row for row in read_rows() if float(row["tokens_stage1"]) > 0]
    page = write_report(write_table(tmp_path / "runs.csv", rows), bootstrap=50)
    assert not any("laws.json" in command for command in commands_of(page))
