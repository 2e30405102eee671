"""What was asked for: operators in order, each with its arguments, from the command or Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.carrying import POLICIES
from bootlaw.growth.checkpoint import HASHES, parse_size
from bootlaw.growth.compose import Step
from bootlaw.growth.onward.facts import Known
from bootlaw.growth.size import PRECISIONS

_STEP = re.compile(r"^(?P<name>[A-Za-z][\w-]*)(?::(?P<arguments>.*))?$", re.DOTALL)
_VOCABULARY = {"vocab", "vocabulary", "vocab_size", "add_tokens", "resize_token_embeddings"}


@dataclass(frozen=True)
class GrowRequest:
    """One call of `bootlaw.grow` or of the command, checked."""

    parent: str
    """Folder, or id on the hub."""
    out: str | None
    """The new folder; may be none for a dry run."""
    steps: tuple[Step, ...] = ()
    """Operators in order; none where a goal chooses."""
    goal: str | None = None
    revision: str | None = None
    target_params: int | None = None
    """Non-embedding parameters that the first operator is to come nearest to."""
    in_step: bool = False
    """Whether tile and the operator reach them together, depth and width in step."""
    seed: int = 0
    dry_run: bool = False
    check: str = "auto"
    """``auto`` (where memory allows), ``on`` or ``off``."""
    check_dtype: str = "auto"
    check_text: str | None = None
    """A file of text instead of the one shipped."""
    hash: str = "sample"
    """``full``, ``sample`` or ``off``."""
    shard_size: str | int = "5GB"
    optimizer: str = "auto"
    """``auto``, ``carry``, ``reset`` or ``reset+warmup``."""
    precision: str = "mixed"
    """Of training, for the memory it takes."""
    freeze: bool = False
    """Whether ``train.toml`` freezes what the operator suggests."""
    known: Known = field(default_factory=Known)

    def __post_init__(self) -> None:
        for step in self.steps:
            _refuse_vocabulary(step)
        _check_choice("check", self.check, ("auto", "on", "off"))
        dtypes = ("auto", "float64", "float32", "float16", "bfloat16")
        _check_choice("check_dtype", self.check_dtype, dtypes)
        _check_choice("optimizer", self.optimizer, POLICIES)
        _check_choice("hash", self.hash, HASHES)
        _check_choice("precision", self.precision, tuple(PRECISIONS))
        parse_size(self.shard_size)
        if self.out is None and not self.dry_run:
            raise InputError("name the new folder OUT, or ask for a --dry-run")
        if bool(self.steps) == (self.goal is not None):
            raise InputError("name either an operator (--op) or a goal (--goal)")
        if self.target_params is not None and self.target_params <= 0:
            raise InputError(f"--target-params must be above 0, found {self.target_params}")
        if self.in_step and self.target_params is None:
            raise InputError("--in-step needs --target-params: it chooses a shape for a size")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed must be at least 0 and fit 63 bits, found {self.seed}")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, found {value!r}")


def parse_step(text: str) -> Step:
    """Return the step written ``NAME`` or ``NAME:argument=value,argument=value``.

    Raises
    ------
    InputError
        When it is written otherwise, or asks for another vocabulary.
    """
    match = _STEP.match(text.strip())
    if match is None:
        raise InputError(f"{text!r} is no operator; write NAME or NAME:argument=value,...")
    arguments: dict[str, Any] = {}
    for part in filter(None, (match["arguments"] or "").split(",")):
        name, equals, value = part.partition("=")
        name = argument_name(name)
        if not equals or not name or not value.strip():
            raise InputError(f"{text!r}: {part!r} must be written argument=value")
        if name in arguments:
            raise InputError(f"{text!r} gives {name} twice")
        arguments[name] = parse_value(value.strip())
    step = Step(argument_name(match["name"]), arguments)
    _refuse_vocabulary(step)
    return step


def step_text(step: Step) -> str:
    """Return the step as `parse_step` reads it."""
    pairs = ",".join(f"{name}={_text(value)}" for name, value in step.arguments.items())
    return f"{step.operator}:{pairs}" if pairs else step.operator


def argument_name(text: str) -> str:
    """Return an argument's or operator's name as Python writes it."""
    return text.strip().replace("-", "_").lower()


def parse_value(text: str) -> Any:
    """Return a number, a truth value, nothing (``none``) or the text itself."""
    words: dict[str, Any] = {"true": True, "false": False, "yes": True, "no": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _refuse_vocabulary(step: Step) -> None:
    if step.operator in _VOCABULARY or _VOCABULARY & set(step.arguments):
        raise InputError(
            "growth keeps the vocabulary: rows for new tokens cannot be made out of the parent. Do "
            "it after growing, with transformers: "
            "model.resize_token_embeddings(len(tokenizer), mean_resizing=True), then train"
        )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
