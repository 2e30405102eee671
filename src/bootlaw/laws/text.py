"""A law in words: plain text and LaTeX, both from its declaration."""

from __future__ import annotations

from collections.abc import Callable

from bootlaw.laws.features import CurvedFeature, Feature
from bootlaw.laws.law import Factor, Law, Term

_WHERE = {"all": "", "reuse": "D1 > 0", "scratch": "D1 = 0"}
_WHERE_LATEX = {"all": "", "reuse": "D_1 > 0", "scratch": "D_1 = 0"}


def plain(law: Law) -> str:
    """Return the law in plain text, ``A D1^-a1 D2^(-a2 + a3 ln D1) + E``."""
    parts = _parts(law)
    if len(parts) == 1:
        return f"L = {_sum(parts[0][1], _plain_term)} + {law.irreducible}"
    pieces = [
        f"{_sum(terms, _plain_term)} + {law.irreducible} where {_WHERE[rows]}"
        for rows, terms in parts
    ]
    return "L = " + "; ".join(pieces)


def latex(law: Law) -> str:
    """Return the law in LaTeX, without dollar signs."""
    symbols = {parameter.name: parameter.latex for parameter in law.parameters}

    def write(term: Term) -> str:
        return _latex_term(term, symbols)

    parts = _parts(law)
    constant = symbols[law.irreducible]
    if len(parts) == 1:
        return f"L = {_sum(parts[0][1], write)} + {constant}"
    lines = [rf"{_sum(terms, write)} + {constant} & {_WHERE_LATEX[rows]}" for rows, terms in parts]
    return r"L = \begin{cases} " + r" \\ ".join(lines) + r" \end{cases}"


def _parts(law: Law) -> list[tuple[str, list[Term]]]:
    """Return the terms grouped by the rows that have them."""
    groups: dict[str, list[Term]] = {}
    for term in law.terms:
        groups.setdefault(term.rows, []).append(term)
    return list(groups.items())


def _sum(terms: list[Term], write: Callable[[Term], str]) -> str:
    text = ""
    for term in terms:
        operator = " - " if term.sign < 0 else " + "
        text += (operator if text or term.sign < 0 else "") + write(term)
    return text.strip()


def _powers(term: Term) -> list[tuple[Feature | CurvedFeature, list[Factor]]]:
    """Return the factors grouped by the base that they are an exponent of."""
    groups: dict[str, tuple[Feature | CurvedFeature, list[Factor]]] = {}
    for factor in term.factors:
        feature = factor.feature
        if feature.base:
            groups.setdefault(feature.base, (feature, []))[1].append(factor)
    return list(groups.values())


def _coefficients(term: Term) -> list[str]:
    return [factor.parameter for factor in term.factors if not factor.feature.base]


def _plain_term(term: Term) -> str:
    words = _coefficients(term)
    for feature, factors in _powers(term):
        exponent = ""
        for factor in factors:
            sign = "-" if factor.sign < 0 else "+"
            amount = f"{factor.parameter} {factor.feature.multiplier}".strip()
            exponent += f" {sign} {amount}" if exponent else f"{sign.strip('+')}{amount}"
        words.append(
            f"{feature.base}^({exponent})" if len(factors) > 1 else f"{feature.base}^{exponent}"
        )
    return " ".join(words)


def _latex_term(term: Term, symbols: dict[str, str]) -> str:
    words = [symbols[name] for name in _coefficients(term)]
    for feature, factors in _powers(term):
        exponent = ""
        for factor in factors:
            sign = "-" if factor.sign < 0 else "+"
            amount = f"{symbols[factor.parameter]} {factor.feature.multiplier_latex}".strip()
            exponent += f" {sign} {amount}" if exponent else f"{sign.strip('+')}{amount}"
        words.append(f"{feature.base_latex}^{{{exponent}}}")
    return r" \, ".join(words)
