"""``train.toml``: how to train on from a grown checkpoint.

Every setting is either given, or swept (a list of values to try), or open (a question that only
its owner can answer); nothing is invented to fill a gap. What is written reads back.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError

FORMAT = 1
Value = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """What a setting must look like."""

    kinds: tuple[type, ...]
    meaning: str
    minimum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()


_NUMBER = (int, float)
SETTINGS: Mapping[str, Setting] = {
    "model.checkpoint": Setting((str,), "folder of the model, relative to this file"),
    "model.dtype": Setting((str,), "arithmetic of training", choices=("float32", "bfloat16")),
    "model.sequence_length": Setting((int,), "tokens a sequence", minimum=1),
    "model.frozen": Setting((tuple,), "regular expressions over names of parameters not trained"),
    "data.text": Setting((tuple,), "files or folders of text"),
    "data.tokens": Setting((int,), "length of this stage, D2", minimum=1),
    "data.seed": Setting((int,), "order of the data", minimum=0),
    "optimizer.name": Setting((str,), "update rule", choices=("adamw",)),
    "optimizer.state": Setting(
        (str,), "what becomes of the parent's moments", choices=("carry", "reset")
    ),
    "optimizer.beta1": Setting(_NUMBER, "decay of the first moment", minimum=0, below=1),
    "optimizer.beta2": Setting(_NUMBER, "decay of the second moment", minimum=0, below=1),
    "optimizer.weight_decay": Setting(_NUMBER, "decoupled, matrices only", minimum=0),
    "optimizer.clip": Setting(_NUMBER, "largest norm of the gradient", above=0),
    "schedule.shape": Setting(
        (str,), "course of the learning rate", choices=("warmup-stable-decay",)
    ),
    "schedule.peak_lr": Setting(_NUMBER, "largest learning rate", above=0),
    "schedule.warmup_steps": Setting((int,), "updates of linear warm-up", minimum=0),
    "schedule.batch_tokens": Setting((int,), "tokens an update", minimum=1),
    "schedule.cooldown_fraction": Setting(
        _NUMBER, "share of the updates in which the rate falls linearly to 0", above=0, below=1
    ),
}
"""Every setting of the file, by its dotted name, in the order in which they are written."""


@dataclass(frozen=True)
class TrainSpec:
    """The contents of a ``train.toml``: each setting once, given, swept or open."""

    name: str
    given: Mapping[str, Value] = field(default_factory=dict)
    """Dotted name -> value."""
    sweep: Mapping[str, tuple[int | float, ...]] = field(default_factory=dict)
    """Dotted name -> values to try, one run each."""
    open: Mapping[str, str] = field(default_factory=dict)
    """Dotted name -> the question its owner must answer."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Dotted name -> why this value or these values."""

    def __post_init__(self) -> None:
        for part in ("given", "sweep", "open", "reasons"):
            for name in getattr(self, part):
                _check_name(name)
        for name in SETTINGS:
            places = [part for part in ("given", "sweep", "open") if name in getattr(self, part)]
            if len(places) != 1:
                raise InputError(_misplaced(name, places))
        for name, value in self.given.items():
            _check(name, value)
        for name, values in self.sweep.items():
            if not values:
                raise InputError(f"sweep of {name} is empty; name at least one value")
            for value in values:
                _check(name, value)

    @property
    def ready(self) -> bool:
        """Whether one run follows from the file: nothing open, nothing to choose from."""
        return not self.open and all(len(values) == 1 for values in self.sweep.values())


def _check_name(name: str) -> None:
    if name not in SETTINGS:
        near = difflib.get_close_matches(name, SETTINGS, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(SETTINGS)}"
        raise InputError(f"train.toml has no setting {name}{hint}")


def _misplaced(name: str, places: list[str]) -> str:
    if places:
        return f"{name} stands in {' and in '.join(places)}; keep one of them"
    return f"{name} is missing ({SETTINGS[name].meaning}); give it, or list it under [sweep]"


def _check(name: str, value: Any) -> None:
    setting = SETTINGS[name]
    # A bool is an int to Python, and nobody means it where a number is asked for.
    if not isinstance(value, setting.kinds) or isinstance(value, bool):
        kinds = " or ".join(_WORDS[kind] for kind in setting.kinds)
        raise InputError(f"{name} must be {kinds} ({setting.meaning}), found {value!r}")
    if isinstance(value, tuple) and not all(isinstance(item, str) for item in value):
        raise InputError(f"{name} must be a list of texts, found {list(value)!r}")
    if setting.choices and value not in setting.choices:
        raise InputError(f"{name} must be one of {', '.join(setting.choices)}, found {value!r}")
    if isinstance(value, int | float):
        _check_range(name, value, setting)


_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
}


def _check_range(name: str, value: float, setting: Setting) -> None:
    inside = (
        (setting.minimum is None or value >= setting.minimum)
        and (setting.above is None or value > setting.above)
        and (setting.below is None or value < setting.below)
    )
    if not inside or value != value:
        bounds = [
            words.format(bound)
            for words, bound in (
                ("at least {:g}", setting.minimum),
                ("above {:g}", setting.above),
                ("below {:g}", setting.below),
            )
            if bound is not None
        ]
        raise InputError(f"{name} must be {' and '.join(bounds)}, found {value:g}")


def read_train_spec(path: str | Path) -> TrainSpec:
    """Return the specification in a ``train.toml``.

    Raises
    ------
    InputError
        When the file cannot be read or a setting is missing, unknown or out of range.
    """
    place = Path(path)
    try:
        document = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{place} does not exist") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{place} cannot be read as TOML: {error}") from None
    try:
        return _parsed(document)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _parsed(document: dict[str, Any]) -> TrainSpec:
    if document.pop("format", None) != FORMAT:
        raise InputError(f"this bootlaw reads format = {FORMAT}")
    name = document.pop("name", "")
    tables = {key: _table(document.pop(key, {}), key) for key in ("sweep", "open", "reasons")}
    given: dict[str, Value] = {}
    for room, table in document.items():
        for key, value in _table(table, room).items():
            given[f"{room}.{key}"] = tuple(value) if isinstance(value, list) else value
    return TrainSpec(
        name=str(name),
        given=given,
        sweep={key: tuple(_list(values, key)) for key, values in tables["sweep"].items()},
        open={key: str(value) for key, value in tables["open"].items()},
        reasons={key: str(value) for key, value in tables["reasons"].items()},
    )


def _table(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{name} must be a table, found {value!r}")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"sweep of {name} must be a list of values, found {value!r}")
    return value


def train_toml(spec: TrainSpec, heading: str = "") -> str:
    """Return the file: settings with their reasons as comments, then what to try and to answer."""
    lines = [*(f"# {line}".rstrip() for line in heading.splitlines())]
    lines += [f"format = {FORMAT}", f"name = {_toml(spec.name)}"]
    room = ""
    for name in SETTINGS:
        if name not in spec.given:
            continue
        table, key = name.split(".")
        if table != room:
            room = table
            lines += ["", f"[{table}]"]
        lines.append(f"{key} = {_toml(spec.given[name])}  # {SETTINGS[name].meaning}")
    for title, part, note in (
        ("sweep", spec.sweep, "values to try, one run each; move the best into its table"),
        ("open", spec.open, "only you can say; move the answer into its table"),
        ("reasons", spec.reasons, "why these values"),
    ):
        if part:
            lines += ["", f"[{title}]  # {note}"]
            lines += [f"{json.dumps(name)} = {_toml(value)}" for name, value in part.items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, float):
        text = f"{value:.15g}"
        return text if re.search(r"[.e]", text) else f"{text}.0"
    # JSON texts without surrogates are TOML basic strings, and integers are the same in both.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def frozen_names(spec: TrainSpec, names: list[str]) -> list[str]:
    """Return which of the parameters `names` the specification freezes, in their order.

    Raises
    ------
    InputError
        When a pattern is no regular expression or matches nothing: a freeze that does nothing.
    """
    frozen: set[str] = set()
    patterns = spec.given.get("model.frozen", ())
    assert isinstance(patterns, tuple)
    for pattern in patterns:
        try:
            found = {name for name in names if re.fullmatch(pattern, name)}
        except re.error as error:
            raise InputError(f"model.frozen: {pattern!r} is no pattern: {error}") from None
        if not found:
            raise InputError(f"model.frozen: {pattern!r} matches no parameter")
        frozen |= found
    return [name for name in names if name in frozen]
