"""A formula on given rows as a list of instructions, for the solver's kernel and for NumPy.

Compiling knows what parameters and columns are, which a tree of expressions does not:

* whatever holds no parameter is worked out once, to a column of numbers;
* sums of parameters times columns become one LINEAR instruction;
* products of powers with positive bases become one exponential of a LINEAR instruction, so that
  ``A D1^-a1 D2^(-a2 + a3 ln D1)`` costs one exponential a row whatever its length.

Coefficients enter by their logarithms (internal coordinates), so they are positive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.expression import (
    Call,
    Expression,
    Largest,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    evaluate,
    symbols,
)

Floats = NDArray[np.float64]

LARGEST_WHOLE_POWER = 8
"""Whole powers up to this are products; larger ones take a logarithm."""


class Op(IntEnum):
    """Instructions; the numbers are those of ``csrc/program.h``."""

    COLUMN = 0
    LINEAR = 1
    EXP = 2
    LOG = 3
    ADD = 4
    MULTIPLY = 5
    INVERSE = 6
    SINE = 7
    COSINE = 8
    ARCTAN = 9
    LARGEST = 10


_OPS = {"exp": Op.EXP, "log": Op.LOG, "sin": Op.SINE, "cos": Op.COSINE, "arctan": Op.ARCTAN}


@dataclass(frozen=True)
class Program:
    """Instructions whose last one is the value of the formula.

    Attributes
    ----------
    nodes : (op, a, b): operands are numbers of earlier nodes; COLUMN has the column in a;
        LINEAR adds b entries of `linear` from a on.
    linear : (parameter or -1 for no parameter, column) pairs.
    columns : (c, n) numbers that depend on the rows alone.
    """

    nodes: tuple[tuple[int, int, int], ...]
    linear: tuple[tuple[int, int], ...]
    columns: Floats


@dataclass(frozen=True)
class _Linear:
    """``offset + sum of slopes[p] * u[p]``, columns (n,); the offset 0 stands for zeros."""

    offset: Floats
    slopes: Mapping[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class _Node:
    number: int


_Value: TypeAlias = _Linear | _Node


def compile_expression(
    expression: Expression,
    columns: Mapping[str, Floats],
    parameters: Sequence[str],
    logged: Sequence[bool],
) -> Program:
    """Return the program of `expression` on rows given by `columns`, arrays (n,).

    Parameters
    ----------
    parameters, logged : names of the internal coordinates in order, and which are logarithms.
    """
    compiler = _Compiler(columns, parameters, logged)
    compiler.node(compiler.value(expression))
    return Program(
        tuple(compiler.nodes), tuple(compiler.linear), np.array(compiler.columns, dtype=np.float64)
    )


class _Compiler:
    """The program under construction."""

    def __init__(
        self, columns: Mapping[str, Floats], parameters: Sequence[str], logged: Sequence[bool]
    ) -> None:
        self.table = columns
        self.position = {name: number for number, name in enumerate(parameters)}
        self.logged = {name for name, log in zip(parameters, logged, strict=True) if log}
        self.shape = next(iter(columns.values())).shape if columns else (1,)
        self.nodes: list[tuple[int, int, int]] = []
        self.linear: list[tuple[int, int]] = []
        self.columns: list[Floats] = []
        self._column_numbers: dict[bytes, int] = {}
        self._node_numbers: dict[tuple[int, int, int], int] = {}
        self._values: dict[Expression, _Value] = {}

    def value(self, expression: Expression) -> _Value:
        """Return what `expression` compiles to; equal expressions share their nodes."""
        if expression not in self._values:
            self._values[expression] = self._value(expression)
        return self._values[expression]

    def _value(self, expression: Expression) -> _Value:
        if not symbols(expression):
            return _Linear(self._known(expression))
        match expression:
            case Symbol(name):
                own = _Linear(np.zeros(self.shape), {self.position[name]: np.ones(self.shape)})
                return self._apply(Op.EXP, own) if name in self.logged else own
            case Sum(terms):
                return self._add([self.value(term) for term in terms])
            case Product(factors):
                return self._product(factors)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Call(function, argument):
                if function == "log":
                    return self._logarithm(argument) or self._apply(Op.LOG, self.value(argument))
                return self._apply(_OPS[function], self.value(argument))
            case Largest(one, other):
                return self._apply(Op.LARGEST, self.value(one), self.value(other))
        raise TypeError(f"{expression!r} is no expression")

    def _known(self, expression: Expression) -> Floats:
        with np.errstate(all="ignore"):
            value = evaluate(expression, self.table)
        return np.broadcast_to(value, self.shape).astype(np.float64)

    def _logarithm(self, expression: Expression) -> _Value | None:
        """Return the logarithm of `expression`, None where it may not be positive."""
        if not symbols(expression):
            known = self._known(expression)
            return _Linear(np.log(known)) if (known > 0).all() else None
        match expression:
            case Symbol(name) if name in self.logged:
                return _Linear(np.zeros(self.shape), {self.position[name]: np.ones(self.shape)})
            case Product(factors):
                logs = [self._logarithm(factor) for factor in factors]
                there = [log for log in logs if log is not None]
                return self._add(there) if len(there) == len(logs) else None
            case Power(base, exponent):
                log = self._logarithm(base)
                return None if log is None else self._multiply(self.value(exponent), log)
            case Call("exp", argument):
                return self.value(argument)
            case Sum(terms) if all(self._logarithm(term) is not None for term in terms):
                return self._apply(Op.LOG, self.value(expression))
        return None

    def _product(self, factors: Sequence[Expression]) -> _Value:
        """Return the product; factors with parameters in logarithms share one exponential."""
        logs = {factor: self._logarithm(factor) for factor in factors}
        curved = [f for f in factors if symbols(f) and logs[f] is not None]
        if not curved:
            return self._multiply_all([self.value(factor) for factor in factors])
        inside = [f for f in factors if logs[f] is not None]
        exponent = self._add([log for f in inside if (log := logs[f]) is not None])
        others = [self.value(factor) for factor in factors if factor not in inside]
        return self._multiply_all([self._apply(Op.EXP, exponent), *others])

    def _power(self, base: Expression, exponent: Expression) -> _Value:
        log = self._logarithm(base)
        if log is not None:
            return self._apply(Op.EXP, self._multiply(self.value(exponent), log))
        if isinstance(exponent, Number) and exponent.value == int(exponent.value):
            times = int(abs(exponent.value))
            if 0 < times <= LARGEST_WHOLE_POWER:
                whole = self._multiply_all([self.value(base)] * times)
                return whole if exponent.value > 0 else self._apply(Op.INVERSE, whole)
        # The base may turn out negative for some parameters: then the law has no value there.
        log = self._apply(Op.LOG, self.value(base))
        return self._apply(Op.EXP, self._multiply(self.value(exponent), log))

    def _add(self, values: Sequence[_Value]) -> _Value:
        linear = [value for value in values if isinstance(value, _Linear)]
        rest: list[_Value] = [value for value in values if isinstance(value, _Node)]
        if linear:
            offset = np.sum([value.offset for value in linear], axis=0)
            slopes: dict[int, Floats] = {}
            for value in linear:
                for parameter, slope in value.slopes.items():
                    slopes[parameter] = slopes.get(parameter, 0.0) + slope
            together = _Linear(offset, slopes)
            if not rest:
                return together
            if slopes or offset.any():
                rest.append(together)
        result: _Value = rest[0]
        for term in rest[1:]:
            result = self._apply(Op.ADD, result, term)
        return result

    def _multiply_all(self, values: Sequence[_Value]) -> _Value:
        result = values[0]
        for value in values[1:]:
            result = self._multiply(result, value)
        return result

    def _multiply(self, one: _Value, other: _Value) -> _Value:
        for first, second in ((one, other), (other, one)):
            if isinstance(first, _Linear) and not first.slopes:
                if isinstance(second, _Linear):
                    scaled = {p: slope * first.offset for p, slope in second.slopes.items()}
                    return _Linear(second.offset * first.offset, scaled)
                if (first.offset == 1.0).all():
                    return second
        return self._apply(Op.MULTIPLY, one, other)

    def _apply(self, op: Op, one: _Value, other: _Value | None = None) -> _Node:
        a = self.node(one)
        return _Node(self._push(op, a, 0 if other is None else self.node(other)))

    def node(self, value: _Value) -> int:
        """Return the number of the node that holds `value`, written if it is new."""
        if isinstance(value, _Node):
            return value.number
        if not value.slopes:
            return self._push(Op.COLUMN, self._column(value.offset), 0)
        entries = [(p, self._column(slope)) for p, slope in sorted(value.slopes.items())]
        if value.offset.any():
            entries.append((-1, self._column(value.offset)))
        start = self._find_entries(entries)
        return self._push(Op.LINEAR, start, len(entries))

    def _find_entries(self, entries: list[tuple[int, int]]) -> int:
        for start in range(len(self.linear) - len(entries) + 1):
            if self.linear[start : start + len(entries)] == entries:
                return start
        self.linear += entries
        return len(self.linear) - len(entries)

    def _column(self, values: Floats) -> int:
        key = values.tobytes()
        if key not in self._column_numbers:
            self._column_numbers[key] = len(self.columns)
            self.columns.append(np.asarray(values, dtype=np.float64))
        return self._column_numbers[key]

    def _push(self, op: Op, a: int, b: int) -> int:
        node = (int(op), a, b)
        if node not in self._node_numbers:
            self._node_numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return self._node_numbers[node]
