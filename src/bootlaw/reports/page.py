"""The page: everything computed is rendered into one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bootlaw.atomic import write_text
from bootlaw.errors import InputError
from bootlaw.reports import caveats, gallery, setup, summary, tables, words
from bootlaw.reports.analysis import BOOTSTRAP, MethodAnalysis, StudyAnalysis, analyse
from bootlaw.reports.answer import Answer, answer, diagnostics
from bootlaw.reports.findings import Noise
from bootlaw.reports.gallery import FigureBlock
from bootlaw.reports.source import Source, read_source

NO_REUSE = (
    "The table has no run of a second stage (tokens_stage1 and tokens_stage2 above zero), so there "
    "is nothing to say about reuse yet. `bootlaw study quick --out DIR` trains such runs."
)


@dataclass(frozen=True)
class Written:
    """The files that one report consists of."""

    page: Path
    figures: tuple[Path, ...]


def write_report(
    source: str | Path, out: str | Path | None = None, *, bootstrap: int = BOOTSTRAP
) -> Path:
    """Return the path of the page written about a study folder or a run table; see `publish`."""
    return publish(source, out, bootstrap=bootstrap).page


def publish(
    source: str | Path, out: str | Path | None = None, *, bootstrap: int = BOOTSTRAP
) -> Written:
    """Return the files written about a study folder or a run table: the page and its figures.

    The figures lie beside the page: of a study in ``figures``, of a table in
    ``<page>_figures``, so that the pages of two tables do not mix theirs. For a study folder the
    fits go to ``fits/<method>.json``, so that ``bootlaw plan`` can go on from them.

    Parameters
    ----------
    source
        A study folder (runs.csv, and study.json, data_card.json, timings.csv where present) or
        a run table.
    out
        The page, in a folder that exists; by default report.html in the study folder, or
        ``<table>_report.html`` beside the table.
    bootstrap
        Replicates of the main fits, for their intervals.

    Raises
    ------
    InputError
        When the source cannot be read or the page cannot be written.
    """
    study = read_source(source)
    page = Path(out) if out is not None else study.default_page
    _check_place(page)
    analysis = analyse(study.table, bootstrap=bootstrap)
    figures = gallery.figures(analysis)
    html = render(study, analysis, figures, page)
    folder = "figures" if study.folder is not None else f"{page.stem}_figures"
    try:
        drawings = _write_figures(page.with_name(folder), figures)
        if study.folder is not None:
            _write_fits(study.folder / "fits", analysis.methods)
        write_text(page, html)
    except OSError as error:
        raise InputError(f"{page}: the page cannot be written ({error.strerror})") from error
    return Written(page, drawings)


def _check_place(page: Path) -> None:
    if page.is_dir():
        raise InputError(f"{page}: is a folder; name the page in it, such as report.html")
    if not page.parent.is_dir():
        raise InputError(f"{page}: the folder {page.parent} does not exist; create it first")


def render(
    source: Source, analysis: StudyAnalysis, figures: Sequence[FigureBlock], page: Path
) -> str:
    """Return the HTML document."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bootlaw.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        _context(source, analysis, figures, page)
    )


def _unbroken(value: Any) -> Any:
    """Return text whose lines do not end before a per cent sign or inside ``D₁ = 4M``."""
    if not isinstance(value, str):
        return value
    return value.replace(" %", "\u00a0%").replace("₁ = ", "₁\u00a0=\u00a0")


def _context(
    source: Source, analysis: StudyAnalysis, figures: Sequence[FigureBlock], page: Path
) -> dict[str, Any]:
    answers = [answer(method) for method in analysis.methods]
    details = [_details(source, method) for method in analysis.methods]
    return {
        "name": source.name,
        "lead": _lead(analysis),
        "in_short": summary.in_short(analysis.methods) if analysis.methods else "",
        "answers": answers,
        "figures": figures,
        "legend": gallery.legend(analysis),
        "details": details,
        "has_contest": any(item["contests"] for item in details),
        "carries_over": caveats.carries_over(
            analysis.scale,
            analysis.trunks,
            setup.tokenizers(source.table),
            own_study=bool(source.study),
        ),
        "setup": setup.setup_table(source, analysis),
        "cards": setup.card_tables(source),
        "notes": setup.notes(source),
        "cost": setup.cost_sentences(source),
        "versions": setup.versions(source),
        "commands": setup.commands(source, analysis, page),
    }


def _lead(analysis: StudyAnalysis) -> str:
    if not analysis.methods:
        return NO_REUSE
    return words.lead(
        n_runs=sum(len(method.group.runs) for method in analysis.methods),
        n_bases=max(int(method.group.runs.levels_stage1.size) for method in analysis.methods),
        titles=[method.group.title for method in analysis.methods],
    )


def _details(source: Source, method: MethodAnalysis) -> dict[str, Any]:
    contests = [
        tables.contest_table(contest, words.HOLDOUTS.get(contest.holdout, contest.holdout))
        for contest in method.contests
        if contest.scored
    ]
    return {
        "title": method.group.title,
        "key": method.group.key,
        "contests": contests,
        "tables": [
            *([tables.parameter_table(method.main)] if method.main else []),
            tables.loss_table(method),
            *([tables.breakeven_table(method.breakevens)] if method.breakevens else []),
        ],
        "noise": words.noise_sentence(_noise(source, method)),
        "diagnostics": diagnostics(method),
    }


def _noise(source: Source, method: MethodAnalysis) -> Noise:
    paired = setup.paired_error(source, method.group.method, method.group.data2)
    return replace(method.noise, paired_error=paired)


def _write_figures(folder: Path, figures: Sequence[FigureBlock]) -> tuple[Path, ...]:
    panels = [panel for block in figures for panel in block.panels]
    if panels:
        folder.mkdir(exist_ok=True)
    for panel in panels:
        write_text(folder / f"{panel.name}.svg", panel.svg)
    return tuple(folder / f"{panel.name}.svg" for panel in panels)


def _write_fits(folder: Path, methods: Sequence[MethodAnalysis]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for method in methods:
        if method.main is not None:
            method.main.save(folder / f"{method.group.key}.json")
        if method.joint is not None:
            method.joint.save(folder / f"{method.group.key}+scratch.json")


__all__ = ["Answer", "Written", "publish", "render", "write_report"]
