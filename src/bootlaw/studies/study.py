"""`run_study`: create, continue, or report done. The same call does all three."""

from __future__ import annotations

import csv
import io
import os
import platform
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bootlaw.atomic import atomic_file
from bootlaw.errors import BootlawError, InputError, Interrupted
from bootlaw.runs import write_runs
from bootlaw.studies.execute import Workplace
from bootlaw.studies.executor import Course, walk_inline, walk_processes
from bootlaw.studies.former import (
    plain,
    refuse_other_study,
    refuse_to_train_again,
    trained_runs,
)
from bootlaw.studies.graph import RunGraph, build_graph
from bootlaw.studies.grid import Grid, plan_grid
from bootlaw.studies.lock import exclusive
from bootlaw.studies.noise import as_documents, seed_noise
from bootlaw.studies.plan import describe, separate_tokens, total_work, work_left
from bootlaw.studies.progress import ProgressLine, Work
from bootlaw.studies.rows import result_rows, timing_rows
from bootlaw.studies.spec import StudySpec, TextSpec, load_spec, to_document
from bootlaw.studies.store import RunStore, write_json
from bootlaw.studies.texts import prepare_texts
from bootlaw.studies.walk import Walk
from bootlaw.training.saving import saving


@dataclass(frozen=True)
class StudyResult:
    """What a study left on disk."""

    folder: Path
    runs_csv: Path
    rows: int
    runs_done: int
    runs: int
    tokens_trained: int
    """Tokens trained in this folder so far, repeated work after a crash included."""
    tokens_separate_runs: int
    """Tokens that the same rows would have needed as separate runs, each with its own base."""
    notes: tuple[str, ...]
    """What was capped or left out."""
    dry_run: str | None = None
    """The run graph as a table, where nothing was trained because a dry run was asked."""


@dataclass(frozen=True)
class _Study:
    source: str | None
    """The preset or file it came from; None for an object."""
    spec: StudySpec
    grid: Grid
    graph: RunGraph
    place: Workplace
    folder: Path
    texts: Mapping[str, Mapping[str, Any]]
    """What ``study.json`` keeps of its texts, for the next call."""


def run_study(
    spec: StudySpec | str,
    out: str | Path,
    *,
    text: Sequence[str] = (),
    cpt_text: Sequence[str] = (),
    workers: int | None = None,
    dry_run: bool = False,
    say: Callable[[str], None] = print,
) -> StudyResult:
    """Train the grid of a study and return where its table is.

    A later call may ask for more levels or seeds: what is trained is kept and only the new runs
    are trained. It may also ask for fewer: ``runs.csv`` is a view of what is asked for now, the
    other runs stay on disk. Text is compared by content: its files may be renamed or moved.

    Parameters
    ----------
    spec
        A specification, a preset's name or the path of a TOML file.
    out
        The study's folder: created, continued, or found complete.
    text, cpt_text
        Files or folders that replace the text of the first stage and of continual pretraining.
    workers
        Processes to train on, one thread each; as many as there are cores for this process where
        None. They are spawned: a script that calls this with more than one worker must do so
        below ``if __name__ == "__main__":``.
    dry_run
        Prepare the text and describe the run graph, train nothing.
    say
        Receives notes for people.

    Raises
    ------
    InputError
        For a specification, text or folder that cannot be used, or a folder that holds a study
        with another setting or of another text.
    Interrupted
        After Ctrl-C; everything done is kept and the same call continues.
    BootlawError
        When a run fails; runs that do not descend from it are finished first.
    """
    resolved = _with_text(load_spec(spec) if isinstance(spec, str) else spec, text, cpt_text)
    if workers is not None and workers < 1:
        raise InputError(f"--workers must be at least 1, found {workers}")
    source = spec if isinstance(spec, str) else None
    folder = Path(out)
    with _without_litter(folder) if dry_run else exclusive(folder):
        study = _prepare(source, resolved, folder, say, settle=not dry_run)
        for note in study.grid.notes:
            say(note)
        if dry_run:
            return _result(study, describe(study.graph, study.place))
        _write_study(study)
        return _train(study, workers or _cores(), say)


def _with_text(spec: StudySpec, text: Sequence[str], cpt_text: Sequence[str]) -> StudySpec:
    if cpt_text and spec.cpt is None:
        raise InputError("--cpt-text was given, but the study has no [cpt] table")
    return replace(
        spec,
        text=TextSpec(tuple(text) or spec.text.stage1, tuple(cpt_text) or spec.text.cpt),
    )


def _prepare(
    source: str | None,
    spec: StudySpec,
    folder: Path,
    say: Callable[[str], None],
    *,
    settle: bool,
) -> _Study:
    """Plan a study on its texts; text prepared anew takes its place only where `settle`."""
    refuse_other_study(folder, spec)
    trained = bool(trained_runs(folder / "runs"))
    texts = prepare_texts(spec, folder, trained=trained, say=say)
    try:
        grid = plan_grid(spec, texts.files)
        graph = build_graph(spec, grid)
        refuse_to_train_again(folder, graph)
        if settle:
            texts.settle()
    finally:
        texts.discard()
    place = Workplace(RunStore(folder / "runs", ""), texts.files)
    return _Study(source, spec, grid, graph, place, folder, texts.records)


@contextmanager
def _without_litter(folder: Path) -> Iterator[None]:
    """Leave no lock file where nothing was trained: for a dry run in a folder of its own."""
    fresh = not (folder / ".lock").exists()
    with exclusive(folder):
        try:
            yield
        finally:
            if fresh:
                (folder / ".lock").unlink(missing_ok=True)


def _train(study: _Study, workers: int, say: Callable[[str], None]) -> StudyResult:
    graph, place = study.graph, study.place
    walk = Walk(graph, place)
    workers = min(workers, max(1, walk.size - len(walk.done)))
    total, left = total_work(graph), work_left(graph, place)
    line = ProgressLine(total, Work(total.flops - left.flops, total.tokens - left.tokens))
    if not walk.over:
        say(
            f"{walk.size} runs, {total.tokens / 1e6:.2f}M tokens in all, "
            f"{left.tokens / 1e6:.2f}M to train on {workers} worker(s)"
        )
    course = Course(walk, line, lambda: _write_tables(study), say)
    with _results_written(study):
        try:
            if workers == 1:
                walk_inline(course, place)
            else:
                walk_processes(course, place, workers)
        except Interrupted as error:
            raise Interrupted(
                f"stopped; {len(walk.done)} of {walk.size} runs are done and saved in "
                f"{study.folder}; the same command continues"
            ) from error
        finally:
            line.close()
        if walk.failed:
            raise BootlawError(_failures(walk, study))
    return _result(study)


@contextmanager
def _results_written(study: _Study) -> Iterator[None]:
    """Write the results at the end; an error on its way out is never replaced by one of this."""
    try:
        yield
    except BaseException:
        with suppress(BootlawError, OSError):
            _write_tables(study)
            _write_study(study)
        raise
    _write_tables(study)
    _write_study(study)


def _failures(walk: Walk, study: _Study) -> str:
    run, message = next(iter(walk.failed.items()))
    text = f"{len(walk.failed)} run(s) failed, the first: {message}"
    if walk.blocked:
        text += f"; {len(walk.blocked)} run(s) wait for them"
    details = study.place.store(run).error_file
    return f"{text} (details in {details})" if details else text


def _write_tables(study: _Study) -> None:
    rows = result_rows(study.graph, study.spec, study.place)
    if rows:
        write_runs(study.folder / "runs.csv", rows)
    timings = timing_rows(study.graph, study.spec, study.place)
    if timings:
        write_timings(study.folder / "timings.csv", timings)


def write_timings(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the timings as CSV, whole or not at all."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with saving(path), atomic_file(path) as file:
        file.write(text.getvalue().encode())


def _cores() -> int:
    """Return the cores this process may use: a container or a batch system may grant fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _write_study(study: _Study) -> None:
    spec, result = study.spec, _result(study)
    document = {
        "name": spec.name,
        "spec": plain(to_document(spec)),
        "notes": list(study.grid.notes),
        "tokens": {
            "trained": result.tokens_trained,
            "separate_runs": result.tokens_separate_runs,
        },
        "runs": {"done": result.runs_done, "all": result.runs},
        "noise": as_documents(seed_noise(study.graph, study.place)),
        "text": study.texts,
        "versions": {
            "bootlaw": version("bootlaw"),
            "python": platform.python_version(),
            "torch": version("torch"),
            "transformers": version("transformers"),
        },
        "command": _command(study),
    }
    write_json(study.folder / "study.json", document)
    shutil.copyfile(study.folder / "data" / "data_card.json", study.folder / "data_card.json")


def _command(study: _Study) -> str:
    """Return the command that does the same, or says why there is none."""
    if study.source is None:
        return f"none: made from a StudySpec object called {study.spec.name!r}"
    words = ["bootlaw", "study", study.source, "--out", str(study.folder)]
    for path in study.spec.text.stage1:
        words += ["--text", path]
    for path in study.spec.text.cpt:
        words += ["--cpt-text", path]
    return shlex.join(words)


def _result(study: _Study, dry_run: str | None = None) -> StudyResult:
    timings = timing_rows(study.graph, study.spec, study.place)
    done = sum(not study.place.store(node.id).pending_steps(node) for node in study.graph.nodes)
    return StudyResult(
        folder=study.folder,
        runs_csv=study.folder / "runs.csv",
        rows=len(result_rows(study.graph, study.spec, study.place)),
        runs_done=done,
        runs=len(study.graph.nodes),
        tokens_trained=sum(int(row["tokens_trained"]) for row in timings),
        tokens_separate_runs=separate_tokens(study.graph.cells, study.spec.tokens_per_step),
        notes=study.grid.notes,
        dry_run=dry_run,
    )
