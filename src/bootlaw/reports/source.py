"""What a report is made from: a study folder, or a run table alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.runs import RunTable, read_runs

RUNS = "runs.csv"


@dataclass(frozen=True)
class Source:
    """The run table and what is known about the study around it.

    `folder` is the study folder, None for a bare table. `study` and `data_card` are the
    documents of that name, empty where the file is absent. `seconds` is the training time over
    all runs, None where the study has no timings.
    """

    path: Path
    table: RunTable
    folder: Path | None = None
    study: Mapping[str, Any] = field(default_factory=dict)
    data_card: Mapping[str, Any] | list[Any] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def name(self) -> str:
        """The name of the study, else that of the folder or file."""
        name = self.study.get("name")
        return str(name) if name else self.path.name.removesuffix(".gz").rsplit(".", 1)[0]

    @property
    def default_page(self) -> Path:
        """Where the page goes when the caller does not say: report.html in the study folder."""
        if self.folder is not None:
            return self.folder / "report.html"
        return self.path.with_name(f"{self.path.name.split('.')[0]}_report.html")


def read_source(path: str | Path) -> Source:
    """Return the study folder or the run table at `path`.

    Raises
    ------
    InputError
        When there is nothing to read there, or a file of the study is not what it should be.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: not found; give a study folder (with {RUNS}) or a run table")
    if not path.is_dir():
        return Source(path=path, table=_filled(read_runs(path), path))
    runs = path / RUNS
    if not runs.is_file():
        raise InputError(
            f"{path}: no {RUNS} in this folder; `bootlaw study` writes one, or give a run table"
        )
    study = _document(path / "study.json")
    return Source(
        path=path,
        table=_filled(read_runs(runs), runs),
        folder=path,
        study=study if isinstance(study, Mapping) else {},
        data_card=_document(path / "data_card.json"),
        seconds=_seconds(path / "timings.csv"),
    )


def _filled(table: RunTable, path: Path) -> RunTable:
    if len(table) == 0:
        raise InputError(f"{path}: the table has no rows; a report needs at least one run")
    return table


def _document(path: Path) -> Mapping[str, Any] | list[Any]:
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: is not valid JSON ({error}); restore or remove it") from None
    return document if isinstance(document, Mapping | list) else {}


def _seconds(path: Path) -> float | None:
    if not path.is_file():
        return None
    total = 0.0
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            text = row.get("seconds") or "0"
            try:
                total += float(text)
            except ValueError:
                raise InputError(
                    f"{path}, row {number}, column seconds: {text!r} is not a number"
                ) from None
    return total
