"""Arguments of public functions: those of another kind than they take are refused by name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError


def require_text(**named: object) -> None:
    """Raise InputError for an argument that is no text."""
    for name, value in named.items():
        if not isinstance(value, str):
            raise InputError(f"{name} is text, not {value!r:.100}")


def require_text_or_none(**named: object) -> None:
    """Raise InputError for an argument that is neither text nor None."""
    require_text(**{name: value for name, value in named.items() if value is not None})


def require_texts(**named: object) -> None:
    """Raise InputError for an argument that is no list, tuple or other collection of texts."""
    for name, value in named.items():
        if isinstance(value, str | bytes) or not isinstance(value, Collection):
            raise InputError(f"{name} is a list of names, not {value!r:.100}")
        for one in value:
            if not isinstance(one, str):
                raise InputError(f"{name} is a list of names, but holds {one!r:.100}")


def require_kind(kind: type, **named: object) -> None:
    """Raise InputError for an argument that is not of a class."""
    for name, value in named.items():
        if not isinstance(value, kind):
            raise InputError(f"{name} is a {kind.__name__}, not {value!r:.100}")


def require_share(**named: object) -> None:
    """Raise InputError for an argument that is no number between 0 and 1."""
    for name, value in named.items():
        if not (isinstance(value, int | float) and 0 < value < 1):
            raise InputError(f"{name} is between 0 and 1, such as 0.95, not {value!r:.100}")


def as_path(path: object) -> Path:
    """Return the path; InputError for what is none."""
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"a path is text, not {path!r:.100}")
    return Path(path)


def as_items(name: str, values: object) -> list[Any]:
    """Return the values of a list; InputError for what is none."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"{name} is a list, not {values!r:.100}")
    return list(values)


def as_floats(name: str, values: object) -> NDArray[np.float64]:
    """Return numbers as an array; InputError for anything else."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is a number or an array of them, not {values!r:.100}") from None
