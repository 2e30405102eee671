"""A law in words: plain text and LaTeX, both from its tree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bootlaw.laws.canonical import is_divisor, is_negative
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
    product,
    replace,
    symbols,
    terms_of,
)
from bootlaw.laws.formula import latex_name
from bootlaw.laws.law import Law, Part
from bootlaw.laws.names import SHORT_NAME_OF

_WHERE = {"all": "D1 >= 0", "reuse": "D1 > 0", "scratch": "D1 = 0"}
_SHORT = {**SHORT_NAME_OF, "replay": "replay"}
"""Column -> the name it is printed with. Replay keeps its own:
r stands for the share of new text in the papers, which is the rest."""
_OUTPUTS = {"loss": "L", "critical_ratio": "R", "tokens_transferred": "D_T"}

_LEAST_FACTOR = 1e-3
"""Constant factors below it are printed as divisors: D2 / 2e+08, not 5e-09 D2."""


def plain(law: Law) -> str:
    """Return the law in plain text, ``L = A D1^-a1 D2^(-a2 + a3 ln D1) + E``."""
    writer = _Plain({column: _SHORT.get(column, column) for column in law.variables})
    formulas, defined = _formulas(law)
    if len(formulas) == 1:
        text = writer.sum(formulas[0])
    else:
        rows = [_where(part) for part in law.parts]
        pairs = zip(formulas, rows, strict=True)
        text = "; ".join(f"{writer.sum(formula)} where {row}" for formula, row in pairs)
    where = "".join(f", {name} = {writer.sum(inner)}" for name, inner in defined)
    return f"{_output(law)} = {text}{where and ' with' + where[1:]}"


def _where(part: Part) -> str:
    return _WHERE[part.rows] + ("" if part.method is None else f", method {part.method}")


def latex(law: Law) -> str:
    """Return the law in LaTeX, without dollar signs."""
    formulas, defined = _formulas(law)
    columns = {column: latex_name(_SHORT.get(column, column)) for column in law.variables}
    parameters = {parameter.name: parameter.latex for parameter in law.parameters}
    writer = _Latex({name: latex_name(name) for name, _ in defined} | columns | parameters)
    if len(formulas) == 1:
        text = writer.sum(formulas[0])
    else:
        rows = [latex_name("D1") + _where(part).removeprefix("D1") for part in law.parts]
        pairs = zip(formulas, rows, strict=True)
        cases = r" \\ ".join(f"{writer.sum(formula)} & {row}" for formula, row in pairs)
        text = rf"\begin{{cases}} {cases} \end{{cases}}"
    where = "".join(rf", \quad {latex_name(name)} = {writer.sum(inner)}" for name, inner in defined)
    return f"{latex_name(_output(law))} = {text}{where}"


def _output(law: Law) -> str:
    return _OUTPUTS.get(law.output, law.output)


def _formulas(law: Law) -> tuple[list[Expression], list[tuple[str, Expression]]]:
    """Return the law's formulas in its defined names, and those names with their formulas."""
    known: dict[Expression, Expression] = {}
    defined = []
    for definition in law.definitions:
        defined.append((definition.name, replace(definition.expression, known)))
        known[definition.expression] = Symbol(definition.name)
    formulas = [_renamed(part.expression, known) for part in law.parts]
    used = {name for formula in formulas for name in symbols(formula)}
    for name, inner in reversed(defined):
        used |= set(symbols(inner)) if name in used else set()
    return formulas, [(name, inner) for name, inner in defined if name in used]


def _renamed(expression: Expression, known: Mapping[Expression, Expression]) -> Expression:
    return replace(expression, known) if known else expression


def _constant_first(terms: Sequence[Expression]) -> Sequence[Expression]:
    """Return the terms with a positive constant in front, as in 1 - r and 1 + F D."""
    last = terms[-1]
    if isinstance(last, Number) and last.value > 0:
        return [last, *terms[:-1]]
    return terms


class _Writer(ABC):
    """What plain text and LaTeX have in common; `names` are those of columns and parameters."""

    names: Mapping[str, str]
    greater: ClassVar[str]

    def sum(self, node: Expression, *, inside: bool = False) -> str:
        """Return the text of a whole expression, or of one inside another."""
        terms = terms_of(node)
        text = ""
        for term in _constant_first(terms) if inside or is_negative(terms[0]) else terms:
            minus = is_negative(term)
            joint = (" - " if minus else " + ") if text else ("-" if minus else "")
            text += joint + self._term(negative(term) if minus else term)
        return text

    def _term(self, node: Expression) -> str:
        above, below = [], []
        for factor in factors_of(node):
            if is_divisor(factor):
                below.append(children(factor)[0])
            elif isinstance(factor, Number) and 0 < factor.value < _LEAST_FACTOR:
                below.append(Number(1.0 / factor.value))
            else:
                above.append(factor)
        return self.product(above, below)

    def name(self, name: str) -> str:
        """Return how a column or parameter is written."""
        return self.names.get(name, name)

    @abstractmethod
    def product(self, above: Sequence[Expression], below: Sequence[Expression]) -> str:
        """Return the text of a product of factors over a product of divisors."""


@dataclass(frozen=True)
class _Plain(_Writer):
    """Writes expressions as people type them, products without a sign."""

    names: Mapping[str, str]

    def product(self, above: Sequence[Expression], below: Sequence[Expression]) -> str:
        """Return ``A B / C``."""
        text = " ".join(self._factor(factor) for factor in above) or "1"
        return text + "".join(f" / {self._factor(divisor)}" for divisor in below)

    def _factor(self, node: Expression) -> str:
        match node:
            case Number(value):
                return _number(value)
            case Variable(name) | Symbol(name):
                return self.name(name)
            case Sum() | Product():
                return f"({self.sum(node, inside=True)})"
            case Power(base, exponent):
                return f"{self._base(base)}^{self._exponent(exponent)}"
            case Call("log", Variable(name)):
                return f"ln {self.name(name)}"
            case Call(function, argument):
                word = "ln" if function == "log" else function
                return f"{word}({self.sum(argument, inside=True)})"
            case Largest(one, other):
                return f"max({self.sum(one, inside=True)}, {self.sum(other, inside=True)})"

    def _base(self, node: Expression) -> str:
        text = self._factor(node)
        bare = isinstance(node, Variable | Symbol | Sum | Product)
        return text if bare or (isinstance(node, Number) and node.value >= 0) else f"({text})"

    def _exponent(self, node: Expression) -> str:
        """Return an exponent: a sign and a name need no brackets."""
        inner = negative(node) if is_negative(node) else node
        text = self.sum(node, inside=True)
        return text if isinstance(inner, Symbol | Number | Variable) else f"({text})"


@dataclass(frozen=True)
class _Latex(_Writer):
    """Writes expressions in LaTeX."""

    names: Mapping[str, str]

    def product(self, above: Sequence[Expression], below: Sequence[Expression]) -> str:
        """Return the factors with thin spaces, as a fraction where there are divisors."""
        if not below:
            return r" \, ".join(self._factor(factor) for factor in above)
        # A fraction bar brackets what it holds.
        upper = self.sum(product(*above), inside=True) if above else "1"
        return rf"\frac{{{upper}}}{{{self.sum(product(*below), inside=True)}}}"

    def _factor(self, node: Expression) -> str:
        match node:
            case Number(value):
                return _latex_number(value)
            case Variable(name) | Symbol(name):
                return self.name(name)
            case Sum() | Product():
                return rf"\left({self.sum(node, inside=True)}\right)"
            case Power(base, exponent):
                return f"{self._base(base)}^{{{self.sum(exponent, inside=True)}}}"
            case Call("log", Variable(name)):
                return rf"\ln {self.name(name)}"
            case Call("exp", argument):
                return f"e^{{{self.sum(argument, inside=True)}}}"
            case Call(function, argument):
                command = "ln" if function == "log" else function
                return rf"\{command}\left({self.sum(argument, inside=True)}\right)"
            case Largest(one, other):
                pair = f"{self.sum(one, inside=True)}, {self.sum(other, inside=True)}"
                return rf"\max\left({pair}\right)"

    def _base(self, node: Expression) -> str:
        text = self._factor(node)
        # A second superscript on R_N^* would not be LaTeX.
        named = isinstance(node, Variable | Symbol) and "^" not in text
        bare = named or isinstance(node, Number | Sum | Product)
        return text if bare else rf"\left({text}\right)"


def _number(value: float) -> str:
    """Return the shorter of ``200000000`` and ``2e8``."""
    plain = f"{value:.15g}"
    mantissa, exponent = f"{value:.14e}".split("e")
    short = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return short if len(short) < len(plain) else plain


def _latex_number(value: float) -> str:
    mantissa, _, exponent = _number(value).partition("e")
    if not exponent:
        return mantissa
    times = "" if mantissa == "1" else rf"{mantissa} \cdot "
    return rf"{times}10^{{{exponent}}}"
