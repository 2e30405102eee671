"""What a folder holds already, and whether a specification may continue it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.studies.graph import RunGraph
from bootlaw.studies.spec import StudySpec, to_document
from bootlaw.studies.store import RunStore, read_json
from bootlaw.training.checkpoint import complete_steps

_MAY_CHANGE = ("name", "stage1", "cpt", "stack", "seeds", "replicates", "text")
"""Fields that only add runs: what was trained stays valid. Texts are compared by content."""


def trained_runs(runs: Path) -> list[str]:
    """Return the runs below `runs` that have left a loss or a checkpoint, sorted."""
    if not runs.is_dir():
        return []
    return sorted(entry.name for entry in runs.iterdir() if _is_trained(RunStore(runs, entry.name)))


def refuse_other_study(folder: Path, spec: StudySpec) -> None:
    """Raise where `folder` holds a study with another setting than `spec`.

    Raises
    ------
    InputError
        Names the first field that differs.
    """
    path = folder / "study.json"
    if not path.is_file():
        return
    former = read_json(path).get("spec", {})
    now = plain(to_document(spec))
    difference = _first_difference(former, {k: v for k, v in now.items() if k not in _MAY_CHANGE})
    if difference is None and former.get("stack") and now["stack"]:
        difference = _first_difference(
            {"stack": {"factor": former["stack"]["factor"]}},
            {"stack": {"factor": now["stack"]["factor"]}},
        )
    if difference is not None:
        field, before, after = difference
        raise InputError(
            f"{folder} holds a study with {field} = {before!r}, this one asks {after!r}; "
            "use another --out, or the former value to continue"
        )


def refuse_to_train_again(folder: Path, graph: RunGraph) -> None:
    """Raise where a run of `graph` was trained under the same label and another identity.

    Levels that were taken out of a specification are no reason: their runs stay on disk. This is
    the guard of last resort, for what no other check saw, such as a changed run format.

    Raises
    ------
    InputError
        With the number of runs.
    """
    planned = {node.id for node in graph.nodes}
    labels = {node.label for node in graph.nodes}
    lost = [
        run
        for run in trained_runs(folder / "runs")
        if run not in planned and run.rpartition("-")[0] in labels
    ]
    if lost:
        raise InputError(
            f"{folder}: {len(lost)} finished runs would be trained again (the first: {lost[0]}); "
            "use another --out, or the settings, text and version of bootlaw they were trained with"
        )


def plain(value: Any) -> Any:
    """Return `value` as JSON would give it back."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _is_trained(store: RunStore) -> bool:
    return any((store.folder / "evaluations").glob("*.npy")) or bool(
        complete_steps(store.checkpoints)
    )


def _first_difference(
    former: Mapping[str, Any], now: Mapping[str, Any], prefix: str = ""
) -> tuple[str, Any, Any] | None:
    for name, value in now.items():
        before = former.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            if (inside := _first_difference(before, value, f"{prefix}{name}.")) is not None:
                return inside
        elif before != value:
            return f"{prefix}{name}", before, value
    return None
