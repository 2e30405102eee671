"""Questions by the thousand as arrays: checked, of one length, and in pieces for the cache."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.laws.names import D1, D2, SHORT_NAMES, N
from bootlaw.planning import validity
from bootlaw.planning.question import TOKENS, settled
from bootlaw.planning.source import POINT, AnySource, Source, as_source

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BLOCK = 1 << 16
"""Curves that are worked on at a time, so that they stay in the cache."""


def usable(fit: AnySource) -> Source:
    """Return the source of a fit; UndeterminedError where it cannot be asked at all."""
    source = as_source(fit)
    if source.broken is not None:
        raise UndeterminedError(source.broken)
    return source


def points_of(source: Source, columns: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Return (n,) arrays of D1, D2 and the law's other variables, checked."""
    given = {SHORT_NAMES.get(name, name): values for name, values in columns.items()}
    if D2 not in given:
        raise InputError(f"forecasts need {D2}")
    known = {name: 0.0 for name in given if name not in TOKENS}
    fixed = {name: value for name, value in settled(source, known).items() if name not in given}
    return arrays({D1: 0.0, **fixed, **given}, zero_allowed=(D1,))


def arrays(
    columns: Mapping[str, ArrayLike], zero_allowed: tuple[str, ...] = ()
) -> dict[str, Floats]:
    """Return the columns as float arrays (n,) of one length; refuse what makes no sense."""
    arrays = [_numbers(name, values) for name, values in columns.items()]
    try:
        found = dict(zip(columns, np.broadcast_arrays(*arrays), strict=True))
    except ValueError:
        sizes = ", ".join(f"{k} {v.shape}" for k, v in zip(columns, arrays, strict=True))
        raise InputError(f"the columns are not of one length: {sizes}") from None
    for name, values in found.items():
        positive = name in (D1, D2, N) and name not in zero_allowed
        wrong = ~np.isfinite(values) | ((values <= 0) if positive else (values < 0))
        if wrong.any():
            bound = "a finite number above zero" if positive else "zero or a number above it"
            raise InputError(f"{name} is {values[wrong][0]:g}; it must be {bound}")
    return found


def row_of(name: str, values: ArrayLike) -> list[float]:
    """Return one number or a row of numbers as a list; InputError for anything else."""
    return [float(value) for value in _numbers(name, values)]


def _numbers(name: str, values: ArrayLike) -> Floats:
    """Return an array (n,) of floats; InputError where something in it is no number."""
    try:
        found = np.atleast_1d(np.asarray(values))
    except ValueError:
        found = np.empty(0, dtype=object)
    if found.dtype.kind not in "iuf" or found.ndim > 1:
        raise InputError(f"{name} must be a number or one row of numbers")
    return found.astype(np.float64)


def valid_for_reuse(source: Source, at: Mapping[str, Floats]) -> NDArray[np.bool_]:
    """Return (n,) whether the law has an answer for reuse: `validity.invalid_at` for arrays, and
    `valid_size`."""
    if source.members:
        return np.asarray(
            np.any([valid_for_reuse(member, at) for member in source.members], axis=0)
        )
    stage1 = np.maximum(at[D1], 1.0)
    sizes = np.asarray(at.get(N, source.ranges.get(N, (1.0,))[0]))
    falls = source.falls(POINT, stage1[np.newaxis], sizes)[0]
    return np.asarray(valid_size(source, at) & falls & validity.speaks_of_base(source, stage1))


def valid_size(source: Source, at: Mapping[str, Floats]) -> NDArray[np.bool_]:
    """Return (n,) whether the law has an answer for the sizes: `question.other_size` for arrays."""
    if N not in at or N in source.law.variables or N not in source.ranges:
        return np.ones(at[D1].shape, dtype=bool)
    low, high = source.ranges[N]
    return np.asarray((low / 1.01 <= at[N]) & (at[N] <= high * 1.01))


def asked_bases(tokens_stage1: ArrayLike, params: ArrayLike | None) -> dict[str, Floats]:
    """Return D1 and, where a size is given, N (m,), checked."""
    sizes = {} if params is None else {N: params}
    return arrays({D1: tokens_stage1, **sizes})


def blocks(at: Indices, n_vectors: int) -> list[Indices]:
    """Return pieces of `at` with about `BLOCK` curves each."""
    pieces = np.array_split(at, max(1, -(-at.size * n_vectors // BLOCK)))
    return [piece for piece in pieces if piece.size]
