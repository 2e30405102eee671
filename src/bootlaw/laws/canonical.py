"""An expression as the text that the parser reads back as the same tree."""

from __future__ import annotations

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
    children,
    factors_of,
    negative,
    terms_of,
)
from bootlaw.laws.names import SHORT_NAME_OF


def canonical(node: Expression) -> str:
    """Return the formula of `node`, ``A*D1^-a1 + E``; numbers keep every digit.

    Columns without a short name stand in backquotes, so that the text needs no table.
    """
    text = ""
    for term in terms_of(node):
        minus = is_negative(term)
        sign = "-" if minus else "+" if text else ""
        text += f" {sign} " if text else sign
        text += _product(negative(term) if minus else term)
    return text


def is_negative(term: Expression) -> bool:
    """Return whether `term` is written with a minus: its constant factor is below 0."""
    return any(isinstance(f, Number) and f.value < 0 for f in factors_of(term))


def is_divisor(factor: Expression) -> bool:
    """Return whether `factor` is written below a fraction bar."""
    return isinstance(factor, Power) and factor.exponent == Number(-1.0)


def _product(node: Expression) -> str:
    text = ""
    for factor in factors_of(node):
        if is_divisor(factor):
            text = f"{text or '1'}/{_atom(children(factor)[0])}"
        else:
            text += ("*" if text else "") + _factor(factor)
    return text


def _factor(node: Expression) -> str:
    match node:
        case Power(base, exponent):
            return f"{_atom(base)}^{_exponent(exponent)}"
        case _:
            return _atom(node)


def _exponent(node: Expression) -> str:
    """Return an exponent: a sign and a name or number need no brackets."""
    minus = is_negative(node)
    inner = negative(node) if minus else node
    return ("-" if minus else "") + _atom(inner)


def _atom(node: Expression) -> str:
    match node:
        case Number(value) if value >= 0:
            return f"{value!r}".removesuffix(".0")
        case Symbol(name):
            return name
        case Variable(name):
            return SHORT_NAME_OF.get(name, f"`{name}`")
        case Call(function, argument):
            return f"{function}({canonical(argument)})"
        case Largest(one, other):
            return f"max({canonical(one)}, {canonical(other)})"
        case Number() | Sum() | Product() | Power():
            return f"({canonical(node)})"
