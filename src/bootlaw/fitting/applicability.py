"""Whether a law has anything to say about given rows, and if not, why in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.levels import level_numbers
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.rows import select_rows
from bootlaw.laws import Law
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]

N_POINTS = 64
"""Random parameters at which a law is asked for its rank: generic rank is the greatest."""
DEFICIENT = 1e-10
"""Smallest singular value, of columns of length 1, below which parameters cannot be told apart."""
MOST_ROWS = 2000
"""Distinct rows that are looked at."""


def why_not(law: Law, rows: RunTable) -> str | None:
    """Return why `law` cannot be fitted to these rows, None where it can.

    It cannot where it takes other rows, where a column it needs is missing or has gaps, where it
    has more parameters than there are rows, or where some parameters cannot be told apart
    whatever the losses, as when a variable has one value throughout.

    Parameters
    ----------
    rows : the rows of the contest, all of which the law must be able to use.
    """
    if law.output != "loss":
        return f"predicts {law.output}, not the loss"
    return (
        _columns_missing(law, rows)
        or _holds_for_one_level(law, rows)
        or _takes_other_rows(law, rows)
        or _too_few_rows(law, rows)
        or _cannot_be_told(law, rows)
    )


def _columns_missing(law: Law, rows: RunTable) -> str | None:
    missing = [name for name in law.variables if name not in rows]
    if missing:
        return f"the table has no {_listed(missing)}"
    for name in law.variables:
        if rows.columns[name].dtype == object:
            return f"{name} holds text"
        gaps = int((~np.isfinite(rows.numbers(name))).sum())
        if gaps:
            return f"{gaps} of {len(rows)} rows have no {name}"
    return None


def _holds_for_one_level(law: Law, rows: RunTable) -> str | None:
    for column in law.single_level:
        n_levels = int(level_numbers(rows.numbers(column)).max()) + 1
        if n_levels > 1:
            return f"holds for one {column}, and the rows have {n_levels}"
    return None


def _takes_other_rows(law: Law, rows: RunTable) -> str | None:
    if law.is_two_stage and not rows.numbers("tokens_stage1").any():
        return "needs runs with a base (tokens_stage1 > 0)"
    try:
        usable = len(select_rows(rows, law).table)
    except InputError as error:
        if not law.is_two_stage and rows.numbers("tokens_stage1").any():
            return "a law of runs from scratch (tokens_stage1 = 0)"
        return str(error).removeprefix(f"{rows.source}: ")
    return None if usable == len(rows) else f"can use only {usable} of {len(rows)} rows"


def _too_few_rows(law: Law, rows: RunTable) -> str | None:
    size = len(law.parameters)
    return f"{len(rows)} rows for {size} parameters" if len(rows) < size else None


def _cannot_be_told(law: Law, rows: RunTable) -> str | None:
    """Return which parameters no losses at these rows could tell apart, and why."""
    columns = {name: rows.numbers(name) for name in law.variables}
    try:
        jacobian = _random_jacobians(law, _distinct(columns))
    except InputError as error:
        return str(error)
    blurred = _undetermined(jacobian)
    if blurred is None:
        return None
    names = [name for name, moves in zip(law.names, blurred, strict=True) if moves]
    constant = [name for name, values in columns.items() if np.ptp(values) == 0]
    values = [f"{name} = {columns[name][0]:g}" for name in constant]
    why = f"every row has {_listed(values)}" if constant else "of how the rows are chosen"
    return f"{_listed(names)} cannot be told, because {why}"


def _random_jacobians(law: Law, columns: dict[str, Floats]) -> Floats:
    """Return d ln L / d u, (N_POINTS, n, p); not finite where the law overflows."""
    losses = np.ones(next(iter(columns.values())).size)
    with np.errstate(all="ignore"):
        return Objective.of(law, columns, losses, 1.0).residual_jacobian(_random_parameters(law))


def _distinct(columns: dict[str, Floats]) -> dict[str, Floats]:
    """Return the distinct rows, evenly thinned to `MOST_ROWS` in lexicographic order."""
    rows = np.unique(np.stack(list(columns.values()), axis=1), axis=0)
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(int)]
    return dict(zip(columns, rows.T, strict=True))


def _random_parameters(law: Law) -> Floats:
    """Return internal coordinates (N_POINTS, p) over many orders of magnitude."""
    rng = np.random.default_rng(0)
    shape = (N_POINTS, len(law.parameters))
    exponents = 10 ** rng.uniform(-3, -0.3, shape)
    coefficients = rng.uniform(-25, 5, shape)
    constants = rng.uniform(0.5, 1.5, shape)
    kinds = np.array([parameter.kind for parameter in law.parameters])
    rest = np.where(kinds == "irreducible", constants, exponents)
    return np.where(law.logged, coefficients, rest)


def _undetermined(jacobian: Floats) -> NDArray[np.bool_] | None:
    """Return (p,) True for the parameters in a direction without effect, None without one.

    `jacobian` is (R, n, p), at R points; the point that tells most decides.
    """
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(jacobian, axis=1, keepdims=True)
    sound = np.isfinite(lengths).all(axis=(1, 2))
    if not sound.any():
        return None
    scaled = jacobian[sound] / np.where(lengths[sound] > 0, lengths[sound], 1.0)
    rows, size = scaled.shape[1:]
    if rows < size:
        scaled = np.concatenate([scaled, np.zeros((len(scaled), size - rows, size))], axis=1)
    _, singular, directions = np.linalg.svd(scaled, full_matrices=False)
    best = int(np.argmax(singular[:, -1]))
    if singular[best, -1] > DEFICIENT:
        return None
    flat = directions[best][singular[best] <= DEFICIENT]
    return np.asarray((np.abs(flat) > 0.05).any(axis=0))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
