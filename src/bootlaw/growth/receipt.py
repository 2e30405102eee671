"""The receipt: what a growth did and what was proven of it, as JSON beside the model."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bootlaw import __version__
from bootlaw.errors import InputError
from bootlaw.growth.counts import Counts
from bootlaw.growth.proof.check import CheckReport

RECEIPT_NAME = "growth_receipt.json"
FORMAT = 1


@dataclass(frozen=True)
class ParentRecord:
    """Where a model grew from."""

    source: str
    """What the user named: a folder, or hub id and revision."""
    folder: str
    revision: str | None
    """Commit of a hub repository; null for a folder."""
    hash: str | None
    """Of the weights, as ``sha256:...`` or ``sha256-sample:...``; null where switched off.

    Of a training checkpoint it is that of its files, ``sha256-files:...``.
    """
    model_type: str


@dataclass(frozen=True)
class Operation:
    """One operator as it was applied."""

    operator: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class OptimizerPolicy:
    """What becomes of the parent's optimiser state."""

    asked: str
    """``auto``, ``carry``, ``reset`` or ``reset+warmup``."""
    policy: str
    """What was done, one of the last three."""
    moment_rule: str
    """How good a map of moments there is for this growth: ``exact``, ``approximate``,
    ``heuristic`` or ``none``."""
    reason: str


@dataclass(frozen=True)
class Receipt:
    """Everything about one growth. Counts are parameters, sizes bytes, losses nats per token."""

    status: str
    """``done``, or ``planned`` after a dry run."""
    folder: str
    operations: tuple[Operation, ...]
    """In the order in which they were applied."""
    preservation: str
    """``exact``, ``rounding`` or ``approximate``."""
    source: str
    """Who defined the operators."""
    seed: int
    parent: ParentRecord
    shape_before: Mapping[str, Any]
    """Fields of the configuration: layers, hidden size, heads, ..."""
    shape_after: Mapping[str, Any]
    parameters_before: Counts
    parameters_after: Counts
    bytes_before: int
    bytes_after: int
    training_memory: Mapping[str, Any]
    """Bytes of weights, gradients and AdamW's state of the grown model, and how they add up."""
    target: Mapping[str, Any] | None
    """With a target size: what was asked for, and what the nearest reachable shape has."""
    check: CheckReport
    optimizer: OptimizerPolicy
    frozen: tuple[str, ...]
    """Patterns of parameters that the operator suggests to freeze (in ``train.toml`` too)."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    versions: Mapping[str, str]
    seconds: float | None
    """Wall time of reading, growing and checking."""
    format: int = FORMAT

    def document(self) -> dict[str, Any]:
        """Return the receipt as plain data."""
        return asdict(self)

    def text(self) -> str:
        """Return the receipt as JSON, numbers that are not finite as null."""
        return json.dumps(_finite(self.document()), indent=2, ensure_ascii=False) + "\n"


def read_receipt(path: str | Path) -> dict[str, Any]:
    """Return the receipt in a file, or in a grown model's folder.

    Raises
    ------
    InputError
        When there is none, or it is of another format.
    """
    place = Path(path)
    place = place / RECEIPT_NAME if place.is_dir() else place
    try:
        document = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{place} does not exist: no model grown by bootlaw") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{place} cannot be read as a receipt: {error}") from None
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise InputError(f"{place} has receipt format {found}; this bootlaw reads {FORMAT}")
    return dict(document)


def versions() -> dict[str, str]:
    """Return the versions of what took part."""
    found = {"bootlaw": __version__, "python": platform.python_version()}
    for package in ("torch", "transformers", "safetensors"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
