"""Laws of tokens with a term in the model's size, for runs of several sizes."""

from __future__ import annotations

from dataclasses import replace

from bootlaw.errors import InputError
from bootlaw.laws.expression import Expression, Symbol, terms_of, total
from bootlaw.laws.law import Law, Parameter
from bootlaw.laws.names import D1, D2
from bootlaw.laws.parser import parse

SIZE_SUFFIX = "+size"

_WITHOUT = ("bootstrapped", "cpt-dynamics")
"""The main law has its joint form in the catalogue, ``bootstrapped-joint``; with eight parameters
``cpt-dynamics`` is told by no table of pilots."""

_SIZE = (
    Parameter(
        "B_n",
        "nats per token, at N = 1 parameter",
        "coefficient",
        "loss of a model of 1 parameter",
        "B_N",
    ),
    Parameter("b_n", "per ln parameter", "exponent", "exponent of parameters", r"\beta_N"),
)


def has_size_form(law: Law) -> bool:
    """Return whether `with_size` makes a law of its own: of two stages, reading tokens alone."""
    return (
        set(law.variables) == {D1, D2}
        and not law.single_level
        and law.irreducible is not None
        and law.key not in _WITHOUT
    )


def with_size(law: Law) -> Law:
    """Return the law with + B_N N^-b_N, the term that arXiv 2203.15556 has for the size.

    What the size adds does not depend on the tokens then, as in the joint form of
    arXiv 2510.06548; without it, runs of several sizes cannot be fitted together.
    """
    if not has_size_form(law):
        raise InputError(f"law {law.key} has no form with a term in the size")
    *others, irreducible = law.parameters
    return replace(
        law,
        key=f"{law.key}{SIZE_SUFFIX}",
        title=f"{law.title}; with a term in the model's size",
        parameters=(*others, *_SIZE, irreducible),
        parts=tuple(
            replace(part, expression=_with_term(part.expression, irreducible.name))
            for part in law.parts
        ),
    )


def _with_term(formula: Expression, irreducible: str) -> Expression:
    """Return the sum with the term in the size before the constant, as formulas are written."""
    constant = Symbol(irreducible)
    others = [term for term in terms_of(formula) if term != constant]
    return total(*others, parse("B_n*N^-b_n"), constant)
