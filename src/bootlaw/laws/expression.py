"""The formula of a law as a tree: what everything about a law is derived from.

Values, exact derivatives, plain text, LaTeX and JavaScript all walk this tree, so a law in the
catalogue and a formula typed by a user are the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Function = Literal["exp", "log", "sin", "cos", "arctan"]
FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "arctan": np.arctan,
}


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Variable:
    """A column of the run table, ``tokens_stage1``, or of the user's own."""

    name: str


@dataclass(frozen=True)
class Symbol:
    """A parameter of the law, ``a1``."""

    name: str


@dataclass(frozen=True)
class Sum:
    """The sum of two or more terms; a difference is a sum with a factor of -1."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True)
class Product:
    """The product of two or more factors; a quotient is a product with a power of -1."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Power:
    """``base ^ exponent``."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True)
class Call:
    """A function of one argument; logarithms are natural. A square root is a power of 1/2."""

    function: Function
    argument: Expression


@dataclass(frozen=True)
class Largest:
    """The larger one of two expressions, elementwise."""

    one: Expression
    other: Expression


Expression: TypeAlias = Number | Variable | Symbol | Sum | Product | Power | Call | Largest


def children(node: Expression) -> tuple[Expression, ...]:
    """Return the expressions that `node` is made of directly."""
    match node:
        case Sum(terms):
            return terms
        case Product(factors):
            return factors
        case Power(base, exponent):
            return base, exponent
        case Call(_, argument):
            return (argument,)
        case Largest(one, other):
            return one, other
        case _:
            return ()


def walk(node: Expression) -> Iterator[Expression]:
    """Yield `node` and every expression inside it, outer ones first, left to right."""
    yield node
    for child in children(node):
        yield from walk(child)


@lru_cache(maxsize=4096)
def symbols(node: Expression) -> tuple[str, ...]:
    """Return the names of the parameters in `node`, in order of appearance."""
    return tuple(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Symbol)))


@lru_cache(maxsize=4096)
def variables(node: Expression) -> tuple[str, ...]:
    """Return the names of the columns in `node`, in order of appearance."""
    return tuple(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Variable)))


def terms_of(node: Expression) -> tuple[Expression, ...]:
    """Return the summands of `node`, itself where it is no sum."""
    return node.terms if isinstance(node, Sum) else (node,)


def factors_of(node: Expression) -> tuple[Expression, ...]:
    """Return the factors of `node`, itself where it is no product."""
    return node.factors if isinstance(node, Product) else (node,)


def total(*terms: Expression) -> Expression:
    """Return the sum of `terms`, flat, constants added up, zeros left out."""
    flat = [part for term in terms for part in terms_of(term)]
    constant = sum(part.value for part in flat if isinstance(part, Number))
    others = tuple(part for part in flat if not isinstance(part, Number))
    if not others:
        return Number(constant)
    kept = (*others, Number(constant)) if constant != 0 else others
    return kept[0] if len(kept) == 1 else Sum(kept)


def product(*factors: Expression) -> Expression:
    """Return the product of `factors`, flat, constants multiplied, ones left out."""
    flat = [part for factor in factors for part in factors_of(factor)]
    constant = math.prod(part.value for part in flat if isinstance(part, Number))
    others = tuple(part for part in flat if not isinstance(part, Number))
    if constant == 0 or not others:
        return Number(constant)
    kept = (Number(constant), *others) if constant != 1 else others
    return kept[0] if len(kept) == 1 else Product(kept)


def power(base: Expression, exponent: Expression) -> Expression:
    """Return ``base ^ exponent``, with exponents 0 and 1 and constants worked out.

    Constants without a value as a real number become NaN, those too large infinity.
    """
    if isinstance(exponent, Number):
        if exponent.value == 1:
            return base
        if exponent.value == 0:
            return Number(1.0)
        if isinstance(base, Number):
            with np.errstate(all="ignore"):
                return Number(float(np.float64(base.value) ** exponent.value))
    return Power(base, exponent)


def negative(node: Expression) -> Expression:
    """Return ``-node``."""
    return product(Number(-1.0), node)


def largest(one: Expression, other: Expression) -> Expression:
    """Return the larger one of two expressions, worked out where both are constants."""
    if isinstance(one, Number) and isinstance(other, Number):
        return Number(float(np.maximum(one.value, other.value)))
    return Largest(one, other)


def call(function: Function, argument: Expression) -> Expression:
    """Return the function of `argument`, worked out where that is a constant."""
    if isinstance(argument, Number):
        with np.errstate(all="ignore"):
            return Number(float(FUNCTIONS[function](np.asarray(argument.value))))
    return Call(function, argument)


def rebuild(node: Expression, parts: tuple[Expression, ...]) -> Expression:
    """Return a node of the same kind as `node` with other children, constants worked out."""
    match node:
        case Sum():
            return total(*parts)
        case Product():
            return product(*parts)
        case Power():
            return power(*parts)
        case Call(function, _):
            return call(function, parts[0])
        case Largest():
            return largest(*parts)
        case _:
            return node


def replace(node: Expression, replaced: Mapping[Expression, Expression]) -> Expression:
    """Return `node` with some of the expressions inside it replaced by others."""
    if node in replaced:
        return replaced[node]
    parts = tuple(replace(part, replaced) for part in children(node))
    return rebuild(node, parts) if parts else node


def substitute(node: Expression, values: Mapping[str, Expression]) -> Expression:
    """Return `node` with the named variables and parameters replaced, constants worked out."""
    by_node: dict[Expression, Expression] = {Variable(n): v for n, v in values.items()}
    return replace(node, by_node | {Symbol(n): v for n, v in values.items()})


def evaluate(node: Expression, values: Mapping[str, Floats | float]) -> Floats:
    """Return the value of `node`, given arrays for its variables and parameters.

    The plain meaning of a formula, with NumPy's rules for shapes and for values that are not
    finite; the reference that the compiled program is tested against.
    """
    match node:
        case Number(value):
            return np.float64(value)  # type: ignore[return-value]
        case Variable(name) | Symbol(name):
            return np.asarray(values[name], dtype=np.float64)
        case Sum(terms):
            parts = [evaluate(term, values) for term in terms]
            return np.asarray(sum(parts[1:], start=parts[0]))
        case Product(factors):
            result = evaluate(factors[0], values)
            for factor in factors[1:]:
                result = result * evaluate(factor, values)
            return np.asarray(result)
        case Power(base, exponent):
            return np.asarray(np.power(evaluate(base, values), evaluate(exponent, values)))
        case Call(function, argument):
            return np.asarray(FUNCTIONS[function](evaluate(argument, values)))
        case Largest(one, other):
            return np.asarray(np.maximum(evaluate(one, values), evaluate(other, values)))
