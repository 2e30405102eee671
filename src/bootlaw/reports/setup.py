"""What the study was: texts, runs, cost, versions, commands; from the documents of its folder."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bootlaw import __version__
from bootlaw.reports import quantities as q
from bootlaw.reports.analysis import MethodAnalysis, StudyAnalysis
from bootlaw.reports.findings import Trunks
from bootlaw.reports.source import Source
from bootlaw.reports.tables import TextTable
from bootlaw.runs import RunTable

MOST_SOURCES = 8


def cost_sentences(source: Source) -> list[str]:
    """Return what the study cost in tokens and time, against separate runs."""
    tokens = source.study.get("tokens")
    found = []
    if isinstance(tokens, Mapping) and tokens.get("trained"):
        trained, separate = float(tokens["trained"]), float(tokens.get("separate_runs") or 0)
        text = f"The study trained on {q.tokens(trained)} tokens in all"
        if separate > trained:
            text += (
                f"; as separate runs the same grid would have taken {q.tokens(separate)}, "
                f"{separate / trained:.2g} times as many (shared trunks are trained once)"
            )
        found.append(text + ".")
    if source.seconds:
        found.append(f"Training took {_duration(source.seconds)}, summed over runs.")
    return found


def paired_error(source: Source, method: str, text: str) -> float | None:
    """Return what the size of the held-out text adds to one run when two are compared, nats.

    None where the study has not measured it for this method and text.
    """
    measured = source.study.get("noise")
    for item in measured if isinstance(measured, list) else []:
        if isinstance(item, Mapping) and item.get("method") == method:
            error = item.get("paired_error")
            if item.get("eval_data") in (text, None, "") and isinstance(error, int | float):
                return float(error)
    return None


def notes(source: Source) -> list[str]:
    """Return the notes of the study and of the reading of its table."""
    study = source.study.get("notes")
    own = [str(note) for note in study] if isinstance(study, list) else []
    return [*own, *source.table.notes]


def setup_table(source: Source, analysis: StudyAnalysis) -> TextTable:
    """Return the set-up of the runs, each line from the table or the study's specification."""
    table = source.table
    lines = [
        ("Runs", _rows_and_trunks(table, analysis.trunks)),
        ("Methods", q.listing(_values(table, "method"))),
        ("Model sizes", q.listing([f"{n:,.0f}" for n in _levels(table, "params")])),
        ("Base tokens D₁", _token_levels(table, "tokens_stage1")),
        ("Second-stage tokens D₂", _token_levels(table, "tokens_stage2")),
        ("Texts", q.listing(_values(table, "data2"))),
        ("Tokenizer", q.listing(_values(table, "tokenizer"))),
        ("Peak learning rate", q.listing([f"{rate:g}" for rate in _levels(table, "peak_lr")])),
        ("Learning rate at stage 2", q.listing(_values(table, "lr_policy"))),
        ("State when evaluated", q.listing(_values(table, "schedule_state"))),
        ("Seeds", q.listing([f"{seed:g}" for seed in _levels(table, "seed")])),
        *_specification(source.study.get("spec")),
    ]
    rows = tuple((name, text) for name, text in lines if text)
    return TextTable("Set-up of the runs", ("What", "Value"), rows)


def card_tables(source: Source) -> tuple[TextTable, ...]:
    """Return one table of sizes over all texts, and one of sources per text."""
    card = source.data_card
    domains = card.get("domains") if isinstance(card, Mapping) else None
    if not isinstance(domains, Mapping) or not domains:
        return ()
    rows = tuple(
        (
            str(name),
            str(entry.get("description", "")),
            _part(entry.get("train")),
            _part(entry.get("held_out")),
            str(entry.get("split", "")),
        )
        for name, entry in domains.items()
        if isinstance(entry, Mapping)
    )
    sizes = TextTable(
        "Texts of this study", ("Text", "What", "Training", "Held out", "How it was split"), rows
    )
    named = [(str(name), entry) for name, entry in domains.items() if isinstance(entry, Mapping)]
    return (sizes, *(table for name, entry in named for table in _sources(name, entry)))


def versions(source: Source) -> str:
    """Return the versions that the study and this page were made with."""
    import matplotlib
    import scipy

    found = source.study.get("versions")
    study = (
        [f"{name} {value}" for name, value in found.items()] if isinstance(found, Mapping) else []
    )
    page = [
        f"bootlaw {__version__}",
        f"numpy {np.__version__}",
        f"scipy {scipy.__version__}",
        f"matplotlib {matplotlib.__version__}",
    ]
    runs = f"Runs: {', '.join(study)}. " if study else ""
    return f"{runs}Page: {', '.join(page)}."


def commands(source: Source, analysis: StudyAnalysis, page: Path) -> list[tuple[str, str]]:
    """Return what to type to reproduce the page and to go on, as (purpose, command)."""
    found = []
    study = source.study.get("command")
    if study:
        again = _with_folder(str(study), source.path)
        found.append(("Run the study again; what is done is not trained twice", again))
    where = shlex.quote(str(source.path))
    out = "" if page == source.default_page else f" --out {shlex.quote(str(page))}"
    found.append(("Make this page again", f"bootlaw report {where}{out}"))
    table = shlex.quote(str(source.path / "runs.csv" if source.folder else source.path))
    for method in analysis.methods:
        if method.main is None:
            continue
        longest = q.tokens(float(method.group.runs.levels_stage1[-1]))
        target = q.tokens(2 * float(method.group.runs.levels_stage2[-1]))
        name = f"{method.group.key}.json"
        if source.folder is not None:
            name = shlex.quote(str(source.folder / "fits" / name))
        else:
            fit = (
                f"bootlaw fit {table} --method {method.group.method} --bootstrap 1000 --out {name}"
            )
            found.append((f"Fit the main law ({method.group.title})", fit))
        found.append(
            (
                f"What loss to expect ({method.group.title})",
                f"bootlaw plan forecast {name} --tokens-stage1 {longest} --tokens-stage2 {target}",
            )
        )
        if method.joint is not None:
            found += _by_all_laws(table, method, longest, target)
        if method.joint is not None and source.folder is not None:
            joint = shlex.quote(str(source.folder / "fits" / f"{method.group.key}+scratch.json"))
            found.append(
                (
                    f"When starting over is better ({method.group.title})",
                    f"bootlaw plan breakeven {joint} --tokens-stage1 {longest} --stage1 free",
                )
            )
    return found


def _by_all_laws(
    table: str, method: MethodAnalysis, longest: str, target: str
) -> list[tuple[str, str]]:
    """Return how to ask all laws together; `table` is quoted already."""
    averaged, title = shlex.quote(f"{method.group.key}-laws.json"), method.group.title
    asked = f"--tokens-stage1 {longest} --tokens-stage2 {target}"
    return [
        (
            f"Let all laws compete, and average them ({title})",
            f"bootlaw compare {table} --method {method.group.method} --out {averaged}",
        ),
        (
            f"Every option side by side, by the average ({title})",
            f"bootlaw plan decide {averaged} {asked}",
        ),
    ]


def _with_folder(command: str, folder: Path) -> str:
    """Return the command of a study with `folder`, where the study lies now, as its ``--out``."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    for place, word in enumerate(words):
        if word == "--out" and place + 1 < len(words):
            words[place + 1] = str(folder)
        elif word.startswith("--out="):
            words[place] = f"--out={folder}"
    return shlex.join(words)


def _rows_and_trunks(table: RunTable, trunks: Trunks) -> str:
    rows = q.plural(len(table), "row")
    if trunks.count is None or not trunks.named:
        return f"{rows}; the table does not name every run's trunk"
    return f"{rows}, {q.plural(trunks.count, 'trunk')}"


def tokenizers(table: RunTable) -> list[str]:
    """Return the names of the tokenizers in the table."""
    return _values(table, "tokenizer")


def _specification(spec: Any) -> list[tuple[str, str]]:
    if not isinstance(spec, Mapping):
        return []
    return [
        (f"Specification: {section}", ", ".join(f"{key} {_plain(v)}" for key, v in part.items()))
        for section, part in spec.items()
        if section in ("model", "schedule", "optimizer", "evaluation") and isinstance(part, Mapping)
    ]


def _sources(name: str, entry: Mapping[str, Any]) -> list[TextTable]:
    sources = [item for item in entry.get("sources") or [] if isinstance(item, Mapping)]
    if not sources:
        return []
    largest = sorted(sources, key=lambda item: -float(item.get("bytes") or 0))[:MOST_SOURCES]
    rows = tuple(
        (
            str(item.get("name", "")),
            str(item.get("version") or "–"),
            f"{item.get('documents', 0):,}",
            f"{q.tokens(float(item.get('bytes') or 0))}B",
        )
        for item in largest
    )
    rest = len(sources) - len(largest)
    more = f", the {len(largest)} largest of {len(sources)}" if rest else ""
    return [TextTable(f"Sources of {name}{more}", ("Source", "Version", "Documents", "Size"), rows)]


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return "–"
    return (
        f"{q.tokens(float(part.get('tokens') or 0))} tokens, "
        f"{q.plural(int(part.get('documents') or 0), 'document')}"
    )


def _values(table: RunTable, column: str) -> list[str]:
    return sorted({str(value) for value in table.text(column)} - {""}) if column in table else []


def _levels(table: RunTable, column: str) -> list[float]:
    if column not in table:
        return []
    values = table.numbers(column)
    return [float(value) for value in np.unique(values[np.isfinite(values)])]


def _token_levels(table: RunTable, column: str) -> str:
    reuse = table.select(table.numbers("tokens_stage1") > 0)
    levels = _levels(reuse, column)
    if len(levels) > 12:
        return f"{len(levels)} levels from {q.tokens(levels[0])} to {q.tokens(levels[-1])}"
    return q.listing([q.tokens(level) for level in levels])


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(_plain(item) for item in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"
