"""The compiled kernel: a law's program and a fit's numbers, handed over as plain buffers.

Where the kernel was not built, `usable` is False and NumPy does the same work, slower.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws import Design

if TYPE_CHECKING:
    from bootlaw.fitting.objective import Objective

Floats = NDArray[np.float64]

LANES = 8
"""Rows of a group are padded to a multiple of this, `LANES` in ``csrc/program.h``."""

MOST_PARAMETERS = 16
"""`MAX_PARAMETERS` in ``csrc/program.h``."""

LOSSES = ("huber", "squared", "student-t")
SCALES = ("log", "level")

WORTH_A_THREAD = 200_000
"""Rows times problems from which a second thread saves more than it costs to start."""


@cache
def _module() -> Any:
    """Return the compiled module, None where it was not built or is switched off."""
    if os.environ.get("BOOTLAW_KERNEL", "").lower() in ("off", "0", "no"):
        return None
    try:
        from bootlaw.fitting import _kernel  # type: ignore[attr-defined]
    except ImportError:
        return None
    return _kernel


def available() -> bool:
    """Return whether the compiled kernel is there and switched on."""
    return _module() is not None


def usable(objective: Objective) -> bool:
    """Return whether the kernel can work on this objective."""
    return available() and objective.n_parameters <= MOST_PARAMETERS


class _Handed:
    """A design as the kernel reads it: instructions, row numbers and columns in one piece."""

    def __init__(self, design: Design) -> None:
        code: list[int] = []
        rows, columns = [], []
        for group in design.groups:
            program, size = group.program, group.rows.size
            padded = -(-size // LANES) * LANES
            code += [size, padded, len(program.nodes), len(program.linear), len(program.columns)]
            code += [number for node in program.nodes for number in node]
            code += [number for pair in program.linear for number in pair]
            rows.append(group.rows)
            filled = np.broadcast_to(program.columns, (len(program.columns), size))
            columns.append(np.pad(filled, ((0, 0), (0, padded - size)), mode="edge").ravel())
        self.n_groups = len(design.groups)
        self.code = np.array(code, dtype=np.int32)
        self.rows = np.concatenate(rows).astype(np.int32)
        self.columns = np.ascontiguousarray(np.concatenate(columns))


_handed: WeakKeyDictionary[Design, _Handed] = WeakKeyDictionary()


def _hand_over(design: Design) -> _Handed:
    if design not in _handed:
        _handed[design] = _Handed(design)
    return _handed[design]


def _buffers(objective: Objective, points: Floats) -> tuple[NDArray[Any], ...]:
    from bootlaw.fitting.objective import Prior

    handed, p = _hand_over(objective.design), objective.n_parameters
    lower, upper = objective.bounds
    prior = objective.prior or Prior(np.zeros(p), np.zeros(p))
    doubles = (
        objective.targets,
        objective.weights,
        points,
        lower,
        upper,
        prior.mean,
        prior.weight,
        objective.design.reach,
    )
    return (
        handed.code,
        handed.rows,
        handed.columns,
        *(np.ascontiguousarray(values, dtype=np.float64) for values in doubles),
    )


def _numbers(objective: Objective, n_problems: int) -> tuple[int, ...]:
    return (
        objective.n_parameters,
        _hand_over(objective.design).n_groups,
        objective.design.n_rows,
        n_problems,
        LOSSES.index(objective.loss),
        SCALES.index(objective.scale),
    )


def evaluate(objective: Objective, u: Floats) -> Floats:
    """Return the objective (R,) at u (R, p), infinite outside the domain."""
    return _evaluate(objective, u, with_derivatives=False)[0]


def derivatives(objective: Objective, u: Floats) -> tuple[Floats, Floats, Floats]:
    """Return gradient (R, p), Hessian (R, p, p) and |w psi| (R,) at u (R, p)."""
    _, gradient, hessian, pull = _evaluate(objective, u, with_derivatives=True)
    return gradient, hessian, pull


def _evaluate(objective: Objective, u: Floats, *, with_derivatives: bool) -> tuple[Floats, ...]:
    from bootlaw.fitting.objective import FREEDOM

    n, p = u.shape
    shapes = [(n,), (n, p), (n, p, p), (n,)] if with_derivatives else [(n,), (0,), (0,), (0,)]
    out = tuple(np.zeros(shape) for shape in shapes)
    _module().evaluate(
        *_numbers(objective, n),
        FREEDOM,
        objective.delta,
        int(with_derivatives),
        (*_buffers(objective, np.array(u, dtype=np.float64)), *out),
    )
    return out


def minimise(
    objective: Objective,
    starts: Floats,
    stages: Sequence[tuple[float, float, int, bool]],
    damping: float,
    threads: int | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Return where the problems end, their objectives (R,) and scaled gradients (R,).

    Parameters
    ----------
    starts : (R, p).
    stages : (delta, tolerance, most iterations, whether Gauss-Newton) of each pass.
    threads : how many to use; as many as there are processors where it pays, if None.
    """
    pieces = np.array_split(np.arange(len(starts)), _n_threads(objective, len(starts), threads))
    _hand_over(objective.design)

    def run(piece: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
        return _minimise(objective.take(piece), starts[piece], stages, damping)

    if len(pieces) == 1:
        return _minimise(objective, starts, stages, damping)
    with ThreadPoolExecutor(len(pieces)) as pool:
        parts = list(pool.map(run, pieces))
    points, values, gradients = zip(*parts, strict=True)
    return np.concatenate(points), np.concatenate(values), np.concatenate(gradients)


def _minimise(
    objective: Objective,
    starts: Floats,
    stages: Sequence[tuple[float, float, int, bool]],
    damping: float,
) -> tuple[Floats, Floats, Floats]:
    from bootlaw.fitting.objective import FREEDOM

    points = np.array(starts, dtype=np.float64, order="C")
    values, gradients = np.zeros(len(points)), np.zeros(len(points))
    table = np.array(stages, dtype=np.float64)
    _module().minimise(
        *_numbers(objective, len(points)),
        FREEDOM,
        damping,
        (*_buffers(objective, points), table, values, gradients),
    )
    return points, values, gradients


def _n_threads(objective: Objective, n_problems: int, asked: int | None) -> int:
    if asked is not None:
        return max(1, min(asked, n_problems))
    if n_problems * objective.design.n_rows < WORTH_A_THREAD:
        return 1
    limit = os.environ.get("BOOTLAW_THREADS", "")
    available_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return max(1, min(int(limit) if limit.isdigit() else available_cores, n_problems))
