"""Where a fit starts: points derived from the data, for any formula from its tree.

A product of powers is linear in its parameters after taking logarithms. So with the irreducible
loss E, the parameters inside sums and functions, and all terms but one given, the parameters of
that one term follow by linear least squares in ln(L - E - other terms). What has to be given goes
over a grid: E as shares of the lowest loss, exponents over those that are published, amounts
inside a sum such that they are about as large as the rest of it, and other terms such that they
make up shares of the reducible loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting import balance
from bootlaw.laws import Design, Law
from bootlaw.laws.design import Group
from bootlaw.laws.expression import (
    Expression,
    Number,
    Symbol,
    evaluate,
    substitute,
    symbols,
    terms_of,
)
from bootlaw.laws.program import Op, compile_expression

Floats = NDArray[np.float64]
Values: TypeAlias = tuple[tuple[str, float], ...]
Linear: TypeAlias = tuple[Floats, Floats]

SHARES = np.array([0.0, 0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995, 0.9995])
"""Grid of E as shares of the lowest loss."""

TERM_SHARES = (0.1, 0.3, 0.6, 0.9)
"""Grid of what one of the other terms makes up of the reducible loss in the middle row."""

MOST_COMBINATIONS = 16
"""Points of the grid per value of E; a larger grid is sampled evenly."""

MOST_ROWS = 120
"""Rows that starts are derived from; more are sampled evenly in the order of their losses."""

_STEP = 0.01
"""Step of the differences that give the slopes of a linear function: any would do, and this one
keeps D^(ln D) within floats."""

_LEAST_LEFT = 0.02
"""Least share of a row's reducible loss that is left to the main term."""


def starting_points(design: Design, losses: Floats, constants: Floats | None = None) -> Floats:
    """Return starts (S, p) in internal coordinates for the losses (n,) in nats.

    Parameters
    ----------
    constants : values of E, each with the same number of starts in a row; `SHARES` of the lowest
        loss if None. Laws without E take no notice of them.
    """
    rng = np.random.default_rng(0)
    grid = SHARES * losses.min() if constants is None else constants
    if design.irreducible is None:
        grid = np.zeros(1)
    parts = [_part_starts(design, groups, losses, grid) for groups in _parts(design)]
    combinations = _sampled([range(part.shape[1]) for part in parts], rng)
    points = np.zeros((grid.size, len(combinations), len(design.law.parameters)))
    for number, combination in enumerate(combinations):
        for part, which in zip(parts, combination, strict=True):
            own = part[:, which]
            points[:, number] = np.where(np.isnan(own), points[:, number], own)
    if design.irreducible is not None:
        points[:, :, design.irreducible] = grid[:, None]
    return points.reshape(-1, points.shape[2])


def _sampled(grids: Sequence[Sequence[Any]], rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Return all combinations of one item from each grid, or a random sample of them."""
    if prod(len(grid) for grid in grids) <= MOST_COMBINATIONS:
        return list(product(*grids))
    picks = [rng.integers(len(grid), size=MOST_COMBINATIONS) for grid in grids]
    return [
        tuple(grid[i] for grid, i in zip(grids, row, strict=True))
        for row in zip(*picks, strict=True)
    ]


def _parts(design: Design) -> list[list[Group]]:
    """Return the groups by the set of parameters of their formula, the largest set first.

    Groups whose formula is another's with a zero filled in are left to the other.
    """
    by_symbols: dict[frozenset[str], list[Group]] = {}
    for group in design.groups:
        by_symbols.setdefault(frozenset(symbols(group.expression)), []).append(group)
    order = sorted(by_symbols, key=len, reverse=True)
    kept = [s for i, s in enumerate(order) if not any(s < other for other in order[:i])]
    return [by_symbols[names] for names in kept]


@dataclass(frozen=True)
class _Rows:
    """One group's sampled rows and, for each E, what is left of their losses above it (e, n)."""

    law: Law
    columns: dict[str, Floats]
    losses: Floats
    reducible: Floats

    def value(self, expression: Expression) -> Floats:
        with np.errstate(all="ignore"):
            return np.broadcast_to(evaluate(expression, self.columns), self.losses.shape)

    def logged(self, names: Sequence[str]) -> list[bool]:
        kinds = {p.name: p.kind for p in self.law.parameters}
        return [kinds[name] == "coefficient" for name in names]

    def internal(self, name: str, value: Floats | float) -> Floats:
        if not self.logged([name])[0]:
            return np.asarray(value, dtype=np.float64)
        return np.log(np.maximum(value, 1e-300))


def _rows(law: Law, group: Group, losses: Floats, grid: Floats) -> _Rows:
    own = losses[group.rows]
    order = np.argsort(own, kind="stable")
    picked = order[np.unique(np.linspace(0, own.size - 1, min(own.size, MOST_ROWS)).astype(int))]
    columns = {name: values[picked] for name, values in group.columns.items()}
    return _Rows(law, columns, own[picked], own[picked] - grid[:, None])


def _part_starts(design: Design, groups: list[Group], losses: Floats, grid: Floats) -> Floats:
    """Return points (e, k, p), NaN for parameters that are not in these groups' formula."""
    group = max(groups, key=lambda one: one.rows.size)
    rows = _rows(design.law, group, losses, grid)
    constant = Symbol(design.law.irreducible or "")
    terms = [t for t in terms_of(group.expression) if t != constant and symbols(t)]
    known = [t for t in terms_of(group.expression) if not symbols(t)]
    if known:
        rows = replace(rows, reducible=rows.reducible - sum(rows.value(t) for t in known))
    if not terms:
        return np.full((grid.size, 1, len(design.law.parameters)), np.nan)
    most = max(len(symbols(term)) for term in terms)
    points = []
    for main in [term for term in terms if len(symbols(term)) == most]:
        points += _main_term_starts(rows, main, [term for term in terms if term is not main])
    return np.stack(points, axis=1)


def _main_term_starts(rows: _Rows, main: Expression, others: list[Expression]) -> list[Floats]:
    """Return points (e, p), one per combination of what has to be given."""
    logged = {name for name in rows.law.names if rows.logged([name])[0]}
    inside = balance.inner_parameters(main)
    grids = [balance.choices(main, name, logged) for name in inside]
    given = [_other_choices(term, logged) for term in others]
    points = []
    logs: dict[Values, Linear] | None = {} if _is_linear_in_logs(rows, main, inside) else None
    for combination in _sampled([*grids, *given], np.random.default_rng(1)):
        inner, outer = combination[: len(grids)], combination[len(grids) :]
        values = balance.resolve(main, dict(zip(inside, inner, strict=True)), rows.value)
        point = np.full((len(rows.reducible), len(rows.law.parameters)), np.nan)
        left = rows.reducible
        for term, (share, choice) in zip(others, outer, strict=True):
            left = left - _other_term(rows, term, share, choice, point)
        for name, value in values.items():
            point[:, rows.law.index(name)] = rows.internal(name, value)
        _solve_main(rows, main, values, left, point, logs)
        points.append(point)
    return points


def _other_choices(term: Expression, logged: set[str]) -> list[tuple[float, dict[str, object]]]:
    names = [n for n in symbols(term) if n != balance.amount_of(term)]
    grids = [balance.choices(term, name, logged) for name in names]
    shares = TERM_SHARES if balance.amount_of(term) else (1.0,)
    return [
        (share, dict(zip(names, choice, strict=True)))
        for share, *choice in _sampled([shares, *grids], np.random.default_rng(2))
    ]


def _other_term(
    rows: _Rows, term: Expression, share: float, choice: dict[str, object], point: Floats
) -> Floats:
    """Fill in the parameters of a term that makes up `share`; return its value (e, n)."""
    values = balance.resolve(term, choice, rows.value)
    for name, value in values.items():
        point[:, rows.law.index(name)] = rows.internal(name, value)
    amount = balance.amount_of(term)
    if amount is None:
        return rows.value(substitute(term, _numbers(values)))
    unit = rows.value(substitute(term, _numbers(values | {amount: 1.0})))
    middle = float(np.median(unit))
    wanted = share * np.median(rows.reducible, axis=1)
    size = wanted / middle if middle else np.ones(wanted.shape)
    point[:, rows.law.index(amount)] = rows.internal(amount, size)
    return size[:, None] * unit


def _numbers(values: dict[str, float]) -> dict[str, Expression]:
    return {name: Number(value) for name, value in values.items()}


def _solve_main(
    rows: _Rows,
    main: Expression,
    values: dict[str, float],
    left: Floats,
    point: Floats,
    logs: dict[Values, Linear] | None,
) -> None:
    """Fill in the parameters with which the main term fits `left` (e, n).

    `logs` keeps the term's logarithm for the values inside it; None where it is not linear.
    """
    unknown = [name for name in symbols(main) if name not in values]
    if not unknown:
        return
    if logs is None:
        _solve_levels(rows, main, values, unknown, point)
        return
    sign, body = balance.signed(main)
    left = np.maximum(sign * left, _LEAST_LEFT * np.abs(rows.reducible) + 1e-12)
    key = tuple(values.items())
    if key not in logs:
        logs[key] = _in_logs(rows, substitute(body, _numbers(values)), unknown)
    matrix, offset = logs[key]
    if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
        return
    # A relative error of the loss is L / (L - E - others) times as large in its logarithm.
    weights = left / rows.losses
    solution = _least_squares(matrix, np.log(left) - offset, weights)
    for number, name in enumerate(unknown):
        point[:, rows.law.index(name)] = solution[:, number]


def _is_linear_in_logs(rows: _Rows, main: Expression, inside: list[str]) -> bool:
    """Return whether the logarithm of a term is linear in all but the parameters `inside`."""
    unknown = [name for name in symbols(main) if name not in inside]
    if not unknown:
        return True
    _, body = balance.signed(main)
    bound = substitute(body, dict.fromkeys(inside, Number(1.0)))
    program = compile_expression(bound, rows.columns, unknown, rows.logged(unknown))
    return [op for op, _, _ in program.nodes] == [Op.LINEAR, Op.EXP]


def _in_logs(rows: _Rows, body: Expression, unknown: list[str]) -> tuple[Floats, Floats]:
    """Return matrix (n, k) and offset (n,) of the logarithm of a term that is linear in it."""

    def logarithm(moved: str | None) -> Floats:
        at = [_STEP if name == moved else 0.0 for name in unknown]
        pairs = zip(unknown, at, rows.logged(unknown), strict=True)
        values = {name: float(np.exp(u)) if log else u for name, u, log in pairs}
        with np.errstate(all="ignore"):
            return np.log(rows.value(substitute(body, _numbers(values))))

    offset = logarithm(None)
    with np.errstate(all="ignore"):
        return np.stack([(logarithm(n) - offset) / _STEP for n in unknown], axis=1), offset


def _least_squares(matrix: Floats, targets: Floats, weights: Floats) -> Floats:
    """Return weighted solutions (e, k) for one matrix (n, k) and several targets (e, n)."""
    size = np.maximum(np.sqrt((matrix**2).sum(axis=0)), 1e-300)
    scaled = matrix / size
    weighted = weights[:, :, None] * scaled
    normal = np.swapaxes(weighted, 1, 2) @ weighted
    right = np.swapaxes(weighted, 1, 2) @ (weights * targets)[:, :, None]
    # Of collinear columns the ridge gives each a share of what they explain.
    held = 1e-11 * np.trace(normal, axis1=1, axis2=2) + 1e-300
    solved = np.linalg.solve(normal + held[:, None, None] * np.eye(size.size), right)
    return np.asarray(solved[:, :, 0] / size)


def _solve_levels(
    rows: _Rows, main: Expression, values: dict[str, float], unknown: list[str], point: Floats
) -> None:
    """Fill in ones, and a plain factor of the term by least squares on the losses themselves."""
    for name in unknown:
        point[:, rows.law.index(name)] = rows.internal(name, 1.0)
    amount = balance.amount_of(main)
    if amount not in unknown:
        return
    unit = rows.value(substitute(main, _numbers(dict.fromkeys(unknown, 1.0) | values)))
    size = float(unit @ unit)
    if np.isfinite(size) and size > 0:
        point[:, rows.law.index(amount)] = rows.internal(amount, rows.reducible @ unit / size)
