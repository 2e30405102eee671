"""The folder of one run; its state is derived from files, never from a process's memory.

``spec.json``            what the run is
``checkpoints/``         complete checkpoints
``evaluations/``         held-out losses, one file per (step, domain, size)
``timings.jsonl``        a line for every stretch trained: steps, seconds, host
``error.txt``            why the last attempt failed, if it did
``.lock``                held by the process that writes here
"""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any

import numpy as np

from bootlaw.atomic import atomic_file
from bootlaw.errors import InputError
from bootlaw.studies.nodes import Evaluation, RunNode
from bootlaw.training.checkpoint import complete_steps
from bootlaw.training.evaluation import HeldOutLoss
from bootlaw.training.saving import saving


class RunState(Enum):
    """How far a run has come."""

    PLANNED = "planned"
    """Nothing is there yet."""
    PARTIAL = "partial"
    """Something is there, not all that was asked."""
    DONE = "done"
    """Every checkpoint and evaluation that was asked is there."""
    FAILED = "failed"
    """The last attempt ended in an error; the same command tries it again."""


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

    def landmarks(self, node: RunNode) -> tuple[tuple[int, ...], int]:
        """Return what tells that `node` came further: its checkpoints, its missing steps."""
        return tuple(complete_steps(self.checkpoints)), len(self.pending_steps(node))

    def has_evaluation(self, due: Evaluation) -> bool:
        """True where the held-out loss is there and can be read."""
        return self._find_evaluation(due) is not None

    def read_evaluation(self, due: Evaluation) -> HeldOutLoss:
        """Return a stored held-out loss.

        Raises
        ------
        InputError
            When there is none, or none that can be read.
        """
        found = self._find_evaluation(due)
        if found is None:
            raise InputError(f"{self._evaluation(due)}: cannot be read as a held-out loss")
        return found

    def write_evaluation(self, due: Evaluation, loss: HeldOutLoss) -> None:
        """Store a held-out loss, whole or not at all."""
        target = self._evaluation(due)
        with saving(target), atomic_file(target) as file:
            np.save(file, loss.sequence_losses, allow_pickle=False)

    def write_spec(self, node: RunNode) -> None:
        """Write what the run is, for people; the id already fixes it."""
        write_json(self.folder / "spec.json", dataclasses.asdict(node.spec))

    def add_stretch(self, stretch: Stretch) -> None:
        """Append a line to the timings, as far as the disk allows: no run fails for it."""
        line = json.dumps(dataclasses.asdict(stretch)) + "\n"
        with suppress(OSError), (self.folder / "timings.jsonl").open("ab+") as file:
            if _ends_inside_a_line(file):
                line = "\n" + line
            file.write(line.encode())

    def stretches(self) -> list[Stretch]:
        """Return what was trained so far; a line cut short by a crash is left out."""
        path = self.folder / "timings.jsonl"
        if not path.is_file():
            return []
        found = []
        for line in path.read_text("utf-8", errors="replace").splitlines():
            try:
                found.append(Stretch(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return found

    def write_error(self, message: str) -> None:
        """Record why the run failed, as far as the disk allows: the error itself matters more."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._error.write_text(message, "utf-8")

    @property
    def error_file(self) -> Path | None:
        """Where more is said about a failure, None where nothing is."""
        return self._error if self._error.is_file() else None

    def clear_error(self) -> None:
        """Forget a former failure, before another attempt."""
        self._error.unlink(missing_ok=True)

    @property
    def _error(self) -> Path:
        return self.folder / "error.txt"

    def _evaluation(self, due: Evaluation) -> Path:
        name = f"step-{due.step:08d}-{due.domain}-{due.tokens}.npy"
        return self.folder / "evaluations" / name

    def _find_evaluation(self, due: Evaluation) -> HeldOutLoss | None:
        """Return a stored held-out loss; a damaged file is as good as none."""
        try:
            with self._evaluation(due).open("rb") as file:
                losses = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, EOFError, ValueError):
            return None
        whole = losses.ndim == 1 and losses.size > 0 and bool(np.isfinite(losses).all())
        return HeldOutLoss(losses) if whole else None


def _ends_inside_a_line(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def write_json(path: Path, document: Any) -> None:
    """Write `document` as JSON, whole or not at all."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    with saving(path), atomic_file(path) as file:
        file.write(text.encode())


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
