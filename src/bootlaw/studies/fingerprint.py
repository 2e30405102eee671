"""The identity of a run: a hash of what determines its loss curve, and of nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

BESIDE_IDENTITY = {"identity": False}
"""Metadata of a field that is carried along and does not determine the loss curve."""


def fingerprint(value: Any) -> str:
    """Return a short SHA-256 of `value`, the same on every machine and in every process.

    Fields of dataclasses with the metadata `BESIDE_IDENTITY` are left out.

    Raises
    ------
    TypeError
        For a value with no canonical form (a function, an object, NaN): falling back to its
        printed form would give one run two identities.
    """
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _canonical(
            {
                item.name: getattr(value, item.name)
                for item in dataclasses.fields(value)
                if item.metadata.get("identity", True)
            }
        )
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_canonical(item) for item in value]
    raise TypeError(f"{value!r} has no canonical form and cannot enter a run's identity")
