"""The nodes of a run graph: trunks, and the cooldowns that branch off them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from bootlaw.studies.fingerprint import BESIDE_IDENTITY, fingerprint
from bootlaw.training.model import ModelSpec
from bootlaw.training.optimizer import OptimizerSpec
from bootlaw.training.schedule import Cooldown, Schedule, Trunk

RUN_FORMAT = 2
"""Raised when a change of the code changes what a run with the same specification computes."""


@dataclass(frozen=True)
class StreamSpec:
    """A share of a token file, in an order set by a seed.

    How much text there is does not enter: more text does not change the first batches.
    """

    domain: str = field(metadata=BESIDE_IDENTITY)
    """Key of the text among those of the study."""
    text_fingerprint: str
    """Identity of the text: the same wherever it lies and whatever its files are called."""
    share: str
    """Value of a `training.stream.Share`."""
    seed: int
    batch_size: int


@dataclass(frozen=True)
class Parent:
    """Where a run starts: a step of another run."""

    run: str
    """Id of that run."""
    step: int
    model: ModelSpec = field(metadata=BESIDE_IDENTITY)
    """Its model, which follows from `run`."""
    growth: str = ""
    """Name of the growth operator that is applied first; empty leaves the model as it is."""
    growth_factor: int = 1
    """How many times its layers stand in the grown model."""
    carry_optimizer: bool = False
    """True for a cooldown (same run, other rate); a second stage starts with fresh moments."""


@dataclass(frozen=True)
class RunSpec:
    """All that determines the loss curve of a run up to any step (and keys to find its files)."""

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
    """Key of the text among those of the study."""
    tokens: int


@dataclass(frozen=True)
class RunNode:
    """A run and what is asked of it.

    Its identity is the fingerprint of `spec`: asking a trunk for more checkpoints or more steps
    later keeps it and continues the run. The label before it is for people.
    """

    label: str
    """Says what the run is, in words that follow from the study's levels and seeds."""
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
    """Key: `stage1` or `cpt`, the stage that reads it first."""
    name: str
    """What the run table calls it; may change without changing any run."""
    fingerprint: str
    train: Path
    held_out: Path
    train_tokens: int
    held_out_tokens: int
