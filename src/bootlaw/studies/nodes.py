"""The nodes of a run graph: trunks, and the cooldowns that branch off them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bootlaw.studies.fingerprint import fingerprint
from bootlaw.training.model import ModelSpec
from bootlaw.training.optimizer import OptimizerSpec
from bootlaw.training.schedule import Cooldown, Schedule, Trunk

RUN_FORMAT = 1
"""Raised when a change of the code changes what a run with the same specification computes."""


@dataclass(frozen=True)
class StreamSpec:
    """A range of a token file, in an order set by a seed."""

    domain: str
    text_fingerprint: str
    """SHA-256 of the token files: the same text has the same identity wherever it lies."""
    start: int
    stop: int
    seed: int
    batch_size: int


@dataclass(frozen=True)
class Parent:
    """Where a run starts: a step of another run."""

    run: str
    """Id of that run."""
    step: int
    model: ModelSpec
    growth_factor: int = 1
    """How many times its layers are stacked first; 1 leaves the model as it is."""
    carry_optimizer: bool = False
    """True for a cooldown (same run, other rate); a second stage starts with fresh moments."""


@dataclass(frozen=True)
class RunSpec:
    """All that determines the loss curve of a run up to any step."""

    model: ModelSpec
    optimizer: OptimizerSpec
    stream: StreamSpec
    schedule: Trunk | Cooldown
    seed: int
    """Seed of the initial weights; not used where there is a parent."""
    parent: Parent | None = None
    run_format: int = RUN_FORMAT


@dataclass(frozen=True)
class Evaluation:
    """A held-out loss that is due at a step."""

    step: int
    domain: str
    tokens: int


@dataclass(frozen=True)
class RunNode:
    """A run and what is asked of it.

    The id follows from `spec` alone: asking a trunk for more checkpoints or more steps later
    keeps its identity and continues it.
    """

    label: str
    spec: RunSpec
    checkpoints: tuple[int, ...] = ()
    """Steps at which other runs branch off."""
    evaluations: tuple[Evaluation, ...] = ()

    @property
    def id(self) -> str:
        """Readable label and fingerprint."""
        return f"{self.label}-{fingerprint(self.spec)}"

    @property
    def schedule(self) -> Schedule:
        """The learning rate of every step."""
        return self.spec.schedule

    @property
    def first_step(self) -> int:
        """Updates of this schedule already done when the run begins."""
        return self.spec.schedule.start if isinstance(self.spec.schedule, Cooldown) else 0

    @property
    def last_step(self) -> int:
        """The last step that is asked for."""
        return max([*self.checkpoints, *(due.step for due in self.evaluations)], default=0)

    @property
    def is_trunk(self) -> bool:
        """True for a run at a constant rate that others branch off."""
        return isinstance(self.spec.schedule, Trunk)

    def asked(
        self, *, checkpoints: tuple[int, ...] = (), evaluations: tuple[Evaluation, ...] = ()
    ) -> RunNode:
        """Return this run with more asked of it."""
        return replace(
            self,
            checkpoints=tuple(sorted({*self.checkpoints, *checkpoints})),
            evaluations=tuple(
                sorted({*self.evaluations, *evaluations}, key=lambda due: (due.step, due.domain))
            ),
        )


@dataclass(frozen=True)
class TextFiles:
    """The token files of one domain, as the runs see them."""

    domain: str
    fingerprint: str
    train: Path
    held_out: Path
    train_tokens: int
    held_out_tokens: int
