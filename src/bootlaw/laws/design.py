"""A law on given rows: values and derivatives for many parameter vectors at once.

Internal coordinates are the law's parameters with coefficients replaced by their logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.arguments import as_floats
from bootlaw.errors import InputError
from bootlaw.laws import tape
from bootlaw.laws.expression import (
    Expression,
    Number,
    Power,
    Symbol,
    evaluate,
    replace,
    substitute,
    symbols,
    variables,
    walk,
)
from bootlaw.laws.law import Law, Part
from bootlaw.laws.names import D1, METHOD_NUMBER
from bootlaw.laws.program import Op, Program, compile_expression

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Group:
    """Rows that share a formula and the columns in which they are zero.

    Attributes
    ----------
    rows : (m,) their numbers.
    expression : their formula, with zeros filled in.
    columns : name -> (m,).
    """

    rows: Numbers
    expression: Expression
    columns: Mapping[str, Floats]
    program: Program


class Design:
    """A law on given rows, ready to be evaluated at many parameter vectors.

    Parameters
    ----------
    law : the law.
    columns : arrays (n,) or scalars for each of the law's variables.

    Raises
    ------
    InputError
        When a column is missing, or a row lies where the law has no value.
    """

    def __init__(self, law: Law, columns: Mapping[str, ArrayLike]) -> None:
        self.law = law
        self.columns = _as_columns(law, columns)
        self.n_rows = next(iter(self.columns.values())).shape[0] if self.columns else 1
        self.groups = _groups(law, self.columns, self.n_rows)
        self.irreducible = None if law.irreducible is None else law.index(law.irreducible)

    def loss(self, u: Floats) -> Floats:
        """Return the loss (..., n) at internal coordinates u (..., p)."""
        total = np.empty((*u.shape[:-1], self.n_rows))
        for group in self.groups:
            total[..., group.rows] = tape.run(group.program, u, order=0).value
        return total

    def loss_and_jacobian(self, u: Floats) -> tuple[Floats, Floats]:
        """Return the loss (..., n) and its derivatives (..., n, p) in internal coordinates."""
        losses = np.empty((*u.shape[:-1], self.n_rows))
        slopes = np.zeros((*losses.shape, u.shape[-1]))
        for group in self.groups:
            jet = tape.run(group.program, u, order=1)
            losses[..., group.rows] = jet.value
            for parameter, values in jet.slopes.items():
                slopes[..., group.rows, parameter] = values
        return losses, slopes

    def weighted_derivatives(
        self, u: Floats, first: Floats, second: Floats
    ) -> tuple[Floats, Floats]:
        """Return two sums over rows: of ``first * L'``, and of ``first * L'' + second * L' L'^T``.

        `first` and `second` are (..., n), primes are derivatives by u (..., p); the results are
        (..., p) and (..., p, p).
        """
        size = u.shape[-1]
        gradient = np.zeros(u.shape)
        hessian = np.zeros((*u.shape, size))
        for group in self.groups:
            jet = tape.run(group.program, u, order=2)
            one, two = first[..., group.rows], second[..., group.rows]
            for j, slope in jet.slopes.items():
                gradient[..., j] += (one * slope).sum(axis=-1)
                for k, other in jet.slopes.items():
                    if k <= j:
                        hessian[..., j, k] += (two * slope * other).sum(axis=-1)
            for (j, k), curve in jet.curves.items():
                hessian[..., k, j] += (one * curve).sum(axis=-1)
        lower = np.tril(np.ones((size, size), dtype=bool), -1)
        return gradient, np.where(lower, hessian, np.swapaxes(hessian, -1, -2))

    @cached_property
    def reach(self) -> Floats:
        """(p, p) sum over rows and linear predictors x . u inside exponentials of x x^T.

        How far a step of the parameters moves the logarithms of the formula's powers: a measure
        of a step that depends neither on where the parameters are nor on the unit of losses.
        """
        size = self.n_parameters
        total = np.zeros((size, size))
        for group in self.groups:
            shape = (size, group.rows.size)
            inside = {a for op, a, _ in group.program.nodes if op == Op.EXP}
            for number, (op, start, count) in enumerate(group.program.nodes):
                slopes = np.zeros(shape)
                if op == Op.LINEAR and number in inside:
                    for parameter, column in group.program.linear[start : start + count]:
                        if parameter >= 0:
                            slopes[parameter] = group.program.columns[column]
                    total += slopes @ slopes.T
        return total

    @cached_property
    def n_parameters(self) -> int:
        """The number of the law's parameters."""
        return len(self.law.parameters)


def _as_columns(law: Law, columns: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    if not isinstance(columns, Mapping):
        raise InputError(f"columns are a dictionary by name, not {columns!r:.100}")
    found = {}
    for name in law.variables:
        if name not in columns:
            raise InputError(f"law {law.key} needs the column {name!r}")
        found[name] = np.atleast_1d(as_floats(name, columns[name]))
    arrays = np.broadcast_arrays(*found.values())
    return {name: np.array(array) for name, array in zip(found, arrays, strict=True)}


def _groups(law: Law, columns: Mapping[str, Floats], n_rows: int) -> tuple[Group, ...]:
    groups = []
    for part in law.parts:
        rows = _rows_of(part, columns, n_rows)
        names = variables(part.expression)
        zero = np.stack([columns[name][rows] == 0 for name in names]) if names else None
        for pattern, members in _patterns(zero, rows):
            zeros = [name for name, is_zero in zip(names, pattern, strict=True) if is_zero]
            groups.append(_group(law, part.expression, members, zeros, columns))
    return tuple(groups)


def _rows_of(part: Part, columns: Mapping[str, Floats], n_rows: int) -> Numbers:
    chosen = np.ones(n_rows, dtype=bool)
    if part.rows != "all":
        chosen = (columns[D1] == 0) == (part.rows == "scratch")
    if part.method is not None:
        chosen &= columns[METHOD_NUMBER] == part.method
    return np.flatnonzero(chosen)


def _patterns(
    zero: NDArray[np.bool_] | None, rows: Numbers
) -> list[tuple[NDArray[np.bool_], Numbers]]:
    """Return each pattern of zero columns with the rows that have it."""
    if rows.size == 0:
        return []
    if zero is None or not zero.any():
        return [(np.zeros(0 if zero is None else zero.shape[0], dtype=bool), rows)]
    patterns, which = np.unique(zero, axis=1, return_inverse=True)
    which = which.reshape(-1)
    return [(patterns[:, number], rows[which == number]) for number in range(patterns.shape[1])]


def _group(
    law: Law, expression: Expression, rows: Numbers, zeros: list[str], columns: Mapping[str, Floats]
) -> Group:
    here = {name: values[rows] for name, values in columns.items()}
    without_zeros = _without(expression, tuple(zeros))
    if zeros and not _has_value(without_zeros):
        raise InputError(_no_value(law, zeros[0]))
    _check_columns(law, without_zeros, here)
    program = compile_expression(without_zeros, here, law.names, law.logged.tolist())
    return Group(rows, without_zeros, here, program)


@lru_cache(maxsize=1024)
def _without(expression: Expression, zeros: tuple[str, ...]) -> Expression:
    """Return the formula where the named columns are zero."""
    if not zeros:
        return expression
    return substitute(_vanish(expression, zeros), {name: Number(0.0) for name in zeros})


def _vanish(expression: Expression, zeros: tuple[str, ...]) -> Expression:
    """Return the formula with ``x ^ c`` replaced by 0 where x is zero and c a bare parameter.

    Such an exponent is written without a sign because it is positive: no tokens of stage 1 are
    worth nothing. Other powers of zero have no value, or one that depends on the parameters.
    """
    replaced: dict[Expression, Expression] = {}
    for part in walk(expression):
        if isinstance(part, Power) and isinstance(part.exponent, Symbol):
            base = substitute(part.base, {name: Number(0.0) for name in zeros})
            if base == Number(0.0):
                replaced[part] = Number(0.0)
    return replace(expression, replaced)


def _has_value(expression: Expression) -> bool:
    """Return whether no constant in the formula is infinite or not a number."""
    numbers = [part for part in walk(expression) if isinstance(part, Number)]
    powers_of_zero = any(
        isinstance(part, Power) and part.base == Number(0.0) for part in walk(expression)
    )
    return not powers_of_zero and all(np.isfinite(number.value) for number in numbers)


def _check_columns(law: Law, expression: Expression, columns: Mapping[str, Floats]) -> None:
    """Refuse rows where a part without parameters is not finite, or is no base of a power.

    Parameters as exponents ask for a base above 0; `_vanish` has dealt with columns of zeros.
    """
    for part, is_base in _known_parts(expression):
        with np.errstate(all="ignore"):
            value = np.broadcast_to(evaluate(part, columns), columns_shape(columns))
        bad = ~np.isfinite(value)
        if is_base:
            bad |= ~(value > 0)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            found = ", ".join(f"{name} = {columns[name][row]:g}" for name in variables(part))
            raise InputError(f"law {law.key} has no value at {found}")


@lru_cache(maxsize=1024)
def _known_parts(expression: Expression) -> tuple[tuple[Expression, bool], ...]:
    """Return the parts that columns alone decide, and which are bases with a parameter above."""
    powers = [part for part in walk(expression) if isinstance(part, Power)]
    bases = {part.base for part in powers if symbols(part.exponent)}
    known = dict.fromkeys(p for p in walk(expression) if variables(p) and not symbols(p))
    return tuple((part, part in bases) for part in known)


def columns_shape(columns: Mapping[str, Floats]) -> tuple[int, ...]:
    """Return the shape (n,) of the columns."""
    return next(iter(columns.values())).shape


def _no_value(law: Law, name: str) -> str:
    advice = ""
    if name == D1 and not law.has_scratch_part and law.irreducible is not None:
        joint = f"use {law.key}+scratch, or " if not law.key.startswith("formula:") else ""
        advice = f"; {joint}leave out the runs from scratch"
    return f"law {law.key} has no value at {name} = 0{advice}"
