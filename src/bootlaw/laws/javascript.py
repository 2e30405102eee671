"""A law as a JavaScript function, for pages that plan without a server."""

from __future__ import annotations

import json

from bootlaw.laws.expression import (
    Call,
    Expression,
    Largest,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    Variable,
)
from bootlaw.laws.law import Law
from bootlaw.laws.names import D1

_FUNCTIONS = {"exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "arctan": "atan"}


def javascript(law: Law) -> str:
    """Return ``(p, x) => loss``: p holds the parameters by name, x the columns by name.

    Numbers are doubles and functions those of Math, so that results are Python's to rounding.
    """
    if len(law.parts) == 1:
        return f"(p, x) => {_write(law.parts[0].expression)}"
    by_rows = {part.rows: _write(part.expression) for part in law.parts}
    return f"(p, x) => {_member('x', D1)} === 0 ? {by_rows['scratch']} : {by_rows['reuse']}"


def _member(owner: str, name: str) -> str:
    return (
        f"{owner}.{name}"
        if name.isidentifier() and name.isascii()
        else f"{owner}[{json.dumps(name)}]"
    )


def _write(node: Expression) -> str:
    match node:
        case Number(value):
            return f"({value!r})" if value < 0 else repr(value)
        case Variable(name):
            return _member("x", name)
        case Symbol(name):
            return _member("p", name)
        case Sum(terms):
            return f"({' + '.join(_write(term) for term in terms)})"
        case Product(factors):
            return f"({' * '.join(_write(factor) for factor in factors)})"
        case Power(base, exponent):
            return f"Math.pow({_write(base)}, {_write(exponent)})"
        case Call(function, argument):
            return f"Math.{_FUNCTIONS[function]}({_write(argument)})"
        case Largest(one, other):
            return f"Math.max({_write(one)}, {_write(other)})"
