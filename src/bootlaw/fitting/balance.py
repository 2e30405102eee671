"""How large a parameter inside a formula has to be for it to matter.

A coefficient inside a sum, such as k in D2 + k D1^c, has a scale that depends on the table: at
one end of it its term vanishes, at the other it swallows the rest. Starts put it where its term
is between a fiftieth and fifty times the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.expression import (
    Call,
    Expression,
    Number,
    Power,
    Sum,
    Symbol,
    factors_of,
    product,
    substitute,
    symbols,
    total,
    variables,
    walk,
)

Floats = NDArray[np.float64]

EXPONENTS = (0.03, 0.1, 0.2, 0.4, 0.8, 1.3)
"""Grid of exponents; published token exponents are 0.04 to 0.8, those of effective data to 1."""

RATIOS = (-4.0, -2.0, -0.7, 0.7, 2.0, 4.0)
"""Grid of the logarithm of a term inside a sum over the rest of the sum."""


@dataclass(frozen=True)
class Ratio:
    """A parameter's value, given as the size of its term relative to the rest."""

    log: float


def choices(term: Expression, name: str, logged: set[str]) -> tuple[object, ...]:
    """Return the grid of a parameter: numbers, or `Ratio` where its scale depends on the table."""
    if name in logged or _in_function(term, name):
        return tuple(Ratio(log) for log in RATIOS)
    return EXPONENTS


def amount_of(term: Expression) -> str | None:
    """Return the parameter that is a plain factor of `term`, None where there is none."""
    for factor in factors_of(term):
        if isinstance(factor, Symbol):
            return factor.name
    return None


def signed(term: Expression) -> tuple[float, Expression]:
    """Return the sign of a term's constant factor, and the term without that sign."""
    constant = next((f.value for f in factors_of(term) if isinstance(f, Number)), 1.0)
    return (1.0, term) if constant >= 0 else (-1.0, product(Number(-1.0), term))


def inner_parameters(term: Expression) -> list[str]:
    """Return the parameters inside sums, functions or bases of powers of `term`."""
    found: list[str] = []
    for factor in factors_of(term):
        if isinstance(factor, Power):
            found += symbols(factor.base)
        elif not isinstance(factor, Symbol | Number):
            found += symbols(factor)
    return list(dict.fromkeys(found))


def resolve(
    term: Expression,
    given: dict[str, object],
    value: Callable[[Expression], Floats],
) -> dict[str, float]:
    """Return numbers for all the parameters in `given`, ratios worked out on the table's rows."""
    known = {name: float(v) for name, v in given.items() if isinstance(v, int | float)}
    for name, wanted in given.items():
        if isinstance(wanted, Ratio):
            known[name] = _from_ratio(term, name, wanted.log, known, value)
    return known


def _from_ratio(
    term: Expression,
    name: str,
    log: float,
    known: dict[str, float],
    value: Callable[[Expression], Floats],
) -> float:
    own, rest, degree = _surroundings(term, name)
    numbers: dict[str, Expression] = {n: Number(v) for n, v in known.items()}
    unknown: dict[str, Expression] = dict.fromkeys(set(symbols(term)) - set(known), Number(1.0))
    numbers |= unknown
    size = _size(value(substitute(own, numbers)))
    others = _size(value(substitute(rest, numbers))) if rest != Number(0.0) else 1.0
    ratio = np.exp(log) * others / size if size > 0 else np.exp(log)
    return float(ratio ** (1.0 / degree))


def _size(values: Floats) -> float:
    """Return the typical size of a quantity over the rows where it is there at all."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    return float(np.exp(np.log(sizes).mean())) if sizes.size else 1.0


@lru_cache(maxsize=1024)
def _surroundings(term: Expression, name: str) -> tuple[Expression, Expression, float]:
    """Return the term of the innermost sum or function that `name` scales, the rest, the degree.

    The parameter itself is replaced by 1. In a function the rest is 1: its argument is compared
    with 1.
    """
    best: tuple[Expression, Expression, float] = (Number(1.0), Number(0.0), 1.0)
    for node in walk(term):
        addends: Iterable[Expression]
        if isinstance(node, Sum):
            addends, rest_of = node.terms, node.terms
        elif isinstance(node, Call):
            addends, rest_of = (node.argument,), ()
        else:
            continue
        for addend in addends:
            degree = _degree(addend, name)
            if degree:
                rest = [other for other in rest_of if other is not addend]
                one = substitute(addend, {name: Number(1.0)})
                best = one, total(*rest) if rest else Number(0.0), degree
    return best


def _degree(addend: Expression, name: str) -> float:
    """Return the power with which `name` is a factor of `addend`, 0 where it is none."""
    for factor in factors_of(addend):
        if factor == Symbol(name):
            return 1.0
        if isinstance(factor, Power) and factor.base == Symbol(name):
            return factor.exponent.value if isinstance(factor.exponent, Number) else 0.0
    return 0.0


def _in_function(term: Expression, name: str) -> bool:
    """Return whether `name` scales columns inside a function other than a logarithm."""
    return any(
        isinstance(node, Call)
        and node.function != "log"
        and name in symbols(node)
        and variables(node)
        for node in walk(term)
    )
