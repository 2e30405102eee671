"""The runs that are considered where the user names none: a grid around the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2
from bootlaw.planning.pilots.candidates import Candidates
from bootlaw.planning.pilots.table import Pilots
from bootlaw.planning.source import Source
from bootlaw.runs.schema import column_named

Floats = NDArray[np.float64]

PER_DECADE = 4
"""Levels of tokens and parameters per factor of ten in the default grid."""

BEYOND = 10.0
"""How far the default grid reaches above the largest fitted value."""

SEEDS = 2
"""New trunks that the default grid offers at every base: a good run may be worth repeating."""

SAME = 0.05
"""Relative difference up to which a branch would repeat one that its trunk has already."""


def default_grid(source: Source, pilots: Pilots, bases: tuple[float, ...] = ()) -> Candidates:
    """Return runs that span the data and a decade beyond: on trunks that exist and on new ones.

    Second-stage tokens, first-stage tokens and parameters go over `PER_DECADE` levels per factor
    of ten, in between the pilots' own levels of D1; other variables over the pilots' levels.

    Parameters
    ----------
    bases : tokens of bases that exist beside those of the pilots.
    """
    rows: list[dict[str, float]] = []
    trunk: list[int] = []
    names = list(pilots.names)
    if pilots.shared:
        for number in range(pilots.n_trunks):
            fixed = {n: [pilots.of_trunks(n)[number]] for n in pilots.columns if n != D2}
            done = pilots.columns[D2][pilots.trunk == number]
            levels = [v for v in _levels(source.ranges[D2]) if np.abs(done / v - 1).min() > SAME]
            grown = _cross({**fixed, D2: levels})
            rows += grown
            trunk += [number] * len(grown)
    for stem in _cross(_new_trunks(source, pilots, bases)):
        grown = _cross({**{n: [v] for n, v in stem.items()}, D2: _levels(source.ranges[D2])})
        for seed in range(SEEDS):
            rows += grown
            trunk += [len(names)] * len(grown)
            names.append(f"new {len(names) + 1 - pilots.n_trunks} (seed {seed + 1})")
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    existing = pilots.n_trunks if pilots.shared else 0
    shift = pilots.n_trunks - existing
    return Candidates(columns, np.array(trunk) - shift, existing, tuple(names[shift:]))


def _new_trunks(
    source: Source, pilots: Pilots, bases: tuple[float, ...]
) -> dict[str, Sequence[float]]:
    """Return the levels of every variable but D2 at which a new trunk could start."""
    levels: dict[str, Sequence[float]] = {D1: [0.0]} if not source.law.is_two_stage else {}
    for name in source.law.variables:
        if name == D2:
            continue
        found = np.unique(pilots.columns[name]) if pilots.columns[name].size else None
        if name == D1 and bases:
            found = np.unique(np.append([] if found is None else found, bases))
        levels[name] = _variable_levels(source, name, found)
    return levels


def _variable_levels(source: Source, name: str, found: Floats | None) -> Sequence[float]:
    low, high = source.ranges.get(name, (0.0, 0.0))
    if name in source.law.single_level or (low == high and name != D1):
        return [high]
    if name == D1:
        own = [] if found is None else [level for level in found if level > 0]
        free = [level for level in _levels((low, high)) if _is_new(level, own)]
        return [*([0.0] if source.answers("scratch") else []), *own, *free]
    column = column_named(name)
    if column is not None and column.is_count:
        own = [] if found is None else list(found)
        return [*own, *(level for level in _levels((low, high)) if _is_new(level, own))]
    return list(found) if found is not None and found.size <= 6 else [low, (low + high) / 2, high]


def _levels(fitted: tuple[float, float]) -> list[float]:
    low, high = fitted[0], fitted[1] * BEYOND
    count = max(2, round(PER_DECADE * np.log10(high / low)) + 1)
    return [float(level) for level in np.geomspace(low, high, count)]


def _is_new(level: float, known: Sequence[float]) -> bool:
    return all(abs(np.log(level / other)) > np.log(10) / (2 * PER_DECADE) for other in known)


def _cross(levels: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    return [
        dict(zip(levels, map(float, values), strict=True)) for values in product(*levels.values())
    ]
