"""What a study is: a frozen specification, read from a preset or a TOML file, checked once."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from bootlaw.errors import InputError
from bootlaw.training.model import ModelSpec
from bootlaw.training.optimizer import OptimizerSpec

PRESETS = ("smoke", "quick", "full")

Spec = TypeVar("Spec")


@dataclass(frozen=True)
class ScheduleSpec:
    """Warm-up-stable-decay, the same for both stages."""

    peak_lr: float
    warmup_steps: int
    batch_size: int
    """Sequences a step."""
    cooldown_fraction: float = 0.2
    """Share of a run's steps in which the rate falls linearly to zero."""

    def __post_init__(self) -> None:
        for name in ("peak_lr", "batch_size"):
            if getattr(self, name) <= 0:
                raise InputError(f"schedule.{name} must be above 0, found {getattr(self, name)}")
        if self.warmup_steps < 0:
            raise InputError("schedule.warmup_steps must not be negative")
        if not 0 < self.cooldown_fraction < 1:
            raise InputError(
                "schedule.cooldown_fraction must lie between 0 and 1, "
                f"found {self.cooldown_fraction}"
            )


@dataclass(frozen=True)
class EvaluationSpec:
    """Sizes of the fixed held-out sets."""

    held_out_tokens: int
    """Held-out text of the second stage's data."""
    forgetting_tokens: int
    """Held-out text of the first stage's data, for runs that moved away from it."""

    def __post_init__(self) -> None:
        if min(self.held_out_tokens, self.forgetting_tokens) <= 0:
            raise InputError("evaluation sizes must be above 0 tokens")


@dataclass(frozen=True)
class Levels:
    """The token counts at which a stage is observed, ascending."""

    tokens: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.tokens:
            raise InputError("a list of token counts is empty; name at least one")
        if min(self.tokens) <= 0:
            raise InputError(f"token counts must be above 0, found {min(self.tokens)}")
        object.__setattr__(self, "tokens", tuple(sorted(set(self.tokens))))


@dataclass(frozen=True)
class StackLevels(Levels):
    """Second stages after growth by depth stacking."""

    factor: int = 2
    """How many times the layers stand in the grown model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor < 2:
            raise InputError(f"stack.factor must be at least 2, found {self.factor}")


@dataclass(frozen=True)
class ReplicateSpec:
    """Cells that are run again with other seeds, from their own trunks, for the noise."""

    seeds: tuple[int, ...] = ()
    tokens_stage1: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_distinct("replicates.seeds", self.seeds)
        if bool(self.seeds) != bool(self.tokens_stage1):
            raise InputError("replicates need both seeds and tokens_stage1, or neither")


@dataclass(frozen=True)
class TextSpec:
    """Where the text comes from; empty means the text found in the Python installation."""

    stage1: tuple[str, ...] = ()
    """Files or folders that replace the embedded prose."""
    cpt: tuple[str, ...] = ()
    """Files or folders that replace the embedded code."""


@dataclass(frozen=True)
class StudySpec:
    """A grid of two-stage runs around one base model."""

    name: str
    model: ModelSpec
    schedule: ScheduleSpec
    evaluation: EvaluationSpec
    stage1: Levels
    """Lengths D1 at which the base is reused; its own loss is observed there too."""
    cpt: Levels | None = None
    """Lengths D2 of continual pretraining on other text."""
    stack: StackLevels | None = None
    """Lengths D2 after growth by stacking, on the same text."""
    seeds: tuple[int, ...] = (0,)
    """Seeds of the full grid; each has its own trunks."""
    replicates: ReplicateSpec = field(default_factory=ReplicateSpec)
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    text: TextSpec = field(default_factory=TextSpec)

    def __post_init__(self) -> None:
        if self.cpt is None and self.stack is None:
            raise InputError("a study needs a second stage: a [cpt] or a [stack] table")
        if not self.seeds:
            raise InputError("seeds is empty; name at least one")
        _check_distinct("seeds", self.seeds)
        if set(self.seeds) & set(self.replicates.seeds):
            raise InputError("replicates.seeds repeats a seed of the full grid")
        unknown = set(self.replicates.tokens_stage1) - set(self.stage1.tokens)
        if unknown:
            raise InputError(
                f"replicates.tokens_stage1 holds {sorted(unknown)}, which is not in stage1.tokens"
            )

    @property
    def tokens_per_step(self) -> int:
        """Tokens of one update."""
        return self.schedule.batch_size * self.model.context


def load_spec(name_or_path: str) -> StudySpec:
    """Return the specification of a preset (``smoke``, ``quick``, ``full``) or a TOML file.

    Raises
    ------
    InputError
        For an unknown preset, a missing or malformed file, an unknown or missing key, or a value
        out of range; the message names the file and the key.
    """
    if name_or_path in PRESETS:
        text = resources.files("bootlaw.studies").joinpath(f"presets/{name_or_path}.toml")
        return parse_spec(text.read_text("utf-8"), f"preset {name_or_path}")
    path = Path(name_or_path)
    if not path.is_file():
        raise InputError(f"{name_or_path}: no such preset ({', '.join(PRESETS)}) and no such file")
    try:
        text_of_file = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    return parse_spec(text_of_file, str(path))


def parse_spec(text: str, source: str) -> StudySpec:
    """Return the specification written as TOML in `text`; `source` names it in messages."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML: {error}") from error
    try:
        return _build(StudySpec, document, "")
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def to_document(spec: StudySpec) -> dict[str, Any]:
    """Return `spec` as plain data, every default written out."""
    return dataclasses.asdict(spec)


def _check_distinct(where: str, seeds: tuple[int, ...]) -> None:
    if len(set(seeds)) < len(seeds):
        raise InputError(
            f"{where} names a seed twice ({list(seeds)}): the same run would count as two draws"
        )


def _build(kind: type[Spec], document: Mapping[str, Any], where: str) -> Spec:
    hints = typing.get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in document:
        if key not in fields:
            raise InputError(_unknown_key(where + key, [where + name for name in fields]))
    values = {key: _convert(hints[key], value, where + key) for key, value in document.items()}
    for name, item in fields.items():
        required = (
            item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        )
        if required and name not in values:
            raise InputError(f"{where}{name} is missing")
    return kind(**values)


def _unknown_key(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
    return f"unknown key {key}; {hint}"


def _convert(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be a table, found {value!r}")
        return _build(typing.cast("type[Any]", hint), value, where + ".")
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise InputError(f"{where} must be a list, found {value!r}")
        element = typing.get_args(hint)[0]
        return tuple(_convert(element, item, f"{where}[{i}]") for i, item in enumerate(value))
    return _scalar(hint, value, where)


def _scalar(kind: type, value: Any, where: str) -> Any:
    if kind is str and isinstance(value, str):
        return value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is int and not isinstance(value, bool):
        if isinstance(value, int):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
    raise InputError(f"{where} must be {_NAMES[kind]}, found {value!r}")


_NAMES: Mapping[type, str] = {str: "a text", float: "a number", int: "a whole number"}
