"""The folder of one run; its state is derived from files, never from a process's memory.

``spec.json``            what the run is
``checkpoints/``         complete checkpoints
``evaluations/``         held-out losses, one file per (step, domain, size)
``timings.jsonl``        a line for every stretch trained: steps, seconds, host
``error.txt``            why it failed, if it did
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from bootlaw.errors import BootlawError, InputError
from bootlaw.studies.nodes import Evaluation, RunNode
from bootlaw.training.checkpoint import complete_steps
from bootlaw.training.evaluation import HeldOutLoss


class RunState(Enum):
    """How far a run has come."""

    PLANNED = "planned"
    """Nothing is there yet."""
    PARTIAL = "partial"
    """Something is there, not all that was asked."""
    DONE = "done"
    """Every checkpoint and evaluation that was asked is there."""
    FAILED = "failed"
    """The last attempt ended in an error that another attempt would meet again."""


@dataclass(frozen=True)
class Stretch:
    """Some steps trained in one go."""

    first_step: int
    last_step: int
    seconds: float
    host: str


@dataclass(frozen=True)
class RunStore:
    """Reads and writes the folder of one run."""

    root: Path
    """The study's folder of runs."""
    run: str

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.root / self.run

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints are."""
        return self.folder / "checkpoints"

    def state(self, node: RunNode) -> RunState:
        """Return how far `node` has come."""
        if not self.pending_steps(node):
            return RunState.DONE
        if self._error.is_file():
            return RunState.FAILED
        return RunState.PARTIAL if self.folder.is_dir() else RunState.PLANNED

    def pending_steps(self, node: RunNode) -> list[int]:
        """Return the steps at which something asked of `node` is missing, ascending."""
        saved = set(complete_steps(self.checkpoints))
        missing = {step for step in node.checkpoints if step not in saved}
        missing |= {due.step for due in node.evaluations if not self.has_evaluation(due)}
        return sorted(missing)

    def has_checkpoint(self, step: int) -> bool:
        """True where the checkpoint of `step` is complete."""
        return step in complete_steps(self.checkpoints)

    def has_evaluation(self, due: Evaluation) -> bool:
        """True where the held-out loss is there."""
        return self._evaluation(due).is_file()

    def read_evaluation(self, due: Evaluation) -> HeldOutLoss:
        """Return a stored held-out loss."""
        return HeldOutLoss(np.load(self._evaluation(due), allow_pickle=False))

    def write_evaluation(self, due: Evaluation, loss: HeldOutLoss) -> None:
        """Store a held-out loss, whole or not at all."""
        target = self._evaluation(due)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.save(file, loss.sequence_losses, allow_pickle=False)
        os.replace(temporary, target)

    def write_spec(self, node: RunNode) -> None:
        """Write what the run is, for people; the id already fixes it."""
        write_json(self.folder / "spec.json", dataclasses.asdict(node.spec))

    def add_stretch(self, stretch: Stretch) -> None:
        """Append a line to the timings."""
        with (self.folder / "timings.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(stretch)) + "\n")

    def stretches(self) -> list[Stretch]:
        """Return what was trained so far; a line cut short by a crash is left out."""
        path = self.folder / "timings.jsonl"
        if not path.is_file():
            return []
        found = []
        for line in path.read_text("utf-8").splitlines():
            try:
                found.append(Stretch(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return found

    def write_error(self, message: str) -> None:
        """Record why the run failed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._error.write_text(message, "utf-8")

    def read_error(self) -> str:
        """Return the first line of why the run failed."""
        return self._error.read_text("utf-8").partition("\n")[0]

    def clear_error(self) -> None:
        """Forget a former failure, before another attempt."""
        self._error.unlink(missing_ok=True)

    @property
    def _error(self) -> Path:
        return self.folder / "error.txt"

    def _evaluation(self, due: Evaluation) -> Path:
        name = f"step-{due.step:08d}-{due.domain}-{due.tokens}.npy"
        return self.folder / "evaluations" / name


def write_json(path: Path, document: Any) -> None:
    """Write `document` as JSON, whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise BootlawError(f"cannot write {path}: {error}") from error


def read_json(path: Path) -> Any:
    """Return the JSON document in `path`.

    Raises
    ------
    InputError
        When it is not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
