"""Formulas as people type them -> expression trees, by recursive descent and without eval.

    sum     = product { ("+" | "-") product }
    product = unary { ("*" | "/") unary }
    unary   = ("-" | "+") unary | power
    power   = atom [ ("^" | "**") unary ]
    atom    = number | name | name "(" sum { "," sum } ")" | "(" sum ")"

so that ``-a^b`` is ``-(a^b)``, ``D1^-a1`` needs no brackets and ``a^b^c`` is ``a^(b^c)``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from bootlaw.arguments import require_text
from bootlaw.errors import InputError
from bootlaw.laws.expression import (
    Expression,
    Function,
    Number,
    Symbol,
    Variable,
    call,
    children,
    largest,
    negative,
    power,
    product,
    total,
)
from bootlaw.laws.names import SHORT_NAMES, USUAL_PARAMETERS

LONGEST = 2000
DEEPEST = 50
"""Formulas beyond these many characters or levels (brackets, powers of powers, signs of signs)
are refused: no law needs them, and a deeper one would exhaust the stack."""

_FUNCTIONS: Mapping[str, Function] = {
    "exp": "exp",
    "log": "log",
    "ln": "log",
    "sin": "sin",
    "cos": "cos",
    "arctan": "arctan",
    "atan": "arctan",
}
_KNOWN = (*_FUNCTIONS, "sqrt", "max")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|`(?P<quoted>[^`]+)`|(?P<sign>\*\*|[-+*/^(),]))"
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def _quotient(one: Expression, other: Expression) -> Expression:
    return product(one, power(other, Number(-1.0)))


def parse(text: str, columns: Collection[str] = ()) -> Expression:
    """Return the tree of a formula.

    Parameters
    ----------
    text : the right-hand side, ``A*D1^-a1*D2^(-a2+a3*log(D1)) + E``. Short names such as D1
        (`bootlaw.laws.names`), names of `columns` and names in backquotes are columns of the
        table, every other name is a parameter. A column of the table goes before a short name.
    columns : names of the table's columns of numbers. One that is called as parameters are,
        such as A or E, is a column in backquotes only, and refused without.

    Raises
    ------
    InputError
        Where the text is no formula; the message shows the place.
    """
    require_text(text=text)
    if len(text) > LONGEST:
        raise InputError(f"the formula has {len(text)} characters; at most {LONGEST} are read")
    return _Parser(re.sub(r"\s", " ", text), frozenset(columns)).whole()


class _Parser:
    def __init__(self, text: str, columns: frozenset[str]) -> None:
        self.text, self.columns = text, columns
        self.tokens = self._tokens()
        self.at, self.depth = 0, 0

    def whole(self) -> Expression:
        if not self.tokens[:-1]:
            raise InputError("the formula is empty; write one like A*D1^-a1*D2^-a2 + E")
        tree = self.sum()
        if self.token.kind != "end":
            raise self._error("an operator such as * or + is missing before this")
        return tree

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def sum(self) -> Expression:
        return self._chain(self.product, {"+": total, "-": lambda a, b: total(a, negative(b))})

    def product(self) -> Expression:
        return self._chain(self.unary, {"*": product, "/": _quotient})

    def _chain(
        self,
        part: Callable[[], Expression],
        operators: Mapping[str, Callable[[Expression, Expression], Expression]],
    ) -> Expression:
        tree = part()
        while self.token.kind == "sign" and self.token.text in operators:
            place = self._next()
            tree = self._finite(operators[place.text](tree, part()), place)
        return tree

    def unary(self) -> Expression:
        for sign in "-+":
            if self._take(sign):
                with self._deeper():
                    return negative(self.unary()) if sign == "-" else self.unary()
        return self.power()

    def power(self) -> Expression:
        base = self.atom()
        if not (self._take("^") or self._take("**")):
            return base
        place = self.tokens[self.at - 1]
        with self._deeper():
            return self._finite(power(base, self.unary()), place)

    def atom(self) -> Expression:
        token = self._next()
        if token.kind == "number":
            return self._finite(Number(float(token.text)), token)
        if token.kind == "quoted":
            known = token.text in self.columns
            return Variable(token.text if known else SHORT_NAMES.get(token.text, token.text))
        if token.kind == "name":
            return self._function(token) if self._take("(") else self._name(token)
        if token.text == "(" and token.kind == "sign":
            tree = self._argument()
            self._close()
            return tree
        raise self._error("a number, a name or a bracket is missing here", token)

    def _name(self, token: _Token) -> Expression:
        if token.text in self.columns:
            if token.text in USUAL_PARAMETERS and token.text not in SHORT_NAMES:
                raise self._error(
                    f"{token.text} is a usual name of a parameter, and the table has a column of "
                    f"this name: write `{token.text}` in backquotes for the column, or give the "
                    f"parameter another name, such as {token.text}0",
                    token,
                )
            return Variable(token.text)
        if token.text in SHORT_NAMES:
            return Variable(SHORT_NAMES[token.text])
        if token.text in SHORT_NAMES.values():
            return Variable(token.text)
        if token.text in _KNOWN:
            raise self._error(f"{token.text} needs its argument in brackets", token)
        return Symbol(token.text)

    def _function(self, token: _Token) -> Expression:
        arguments = [self._argument()]
        while self._take(","):
            arguments.append(self._argument())
        self._close()
        if token.text not in _KNOWN:
            hint = "" if len(arguments) > 1 else f", and a product is written {token.text}*(...)"
            known = ", ".join(_KNOWN)
            raise self._error(f"no function is called {token.text}: there are {known}{hint}", token)
        if token.text == "max":
            if len(arguments) < 2:
                raise self._error("max takes two arguments or more", token)
            return reduce(largest, arguments)
        if len(arguments) > 1:
            raise self._error(f"{token.text} takes one argument", token)
        if token.text == "sqrt":
            return self._finite(power(arguments[0], Number(0.5)), token)
        return self._finite(call(_FUNCTIONS[token.text], arguments[0]), token)

    def _argument(self) -> Expression:
        with self._deeper():
            return self.sum()

    def _close(self) -> None:
        if not self._take(")"):
            raise self._error("a closing bracket is missing here")

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"more than {DEEPEST} levels of brackets, powers and signs")
        yield
        self.depth -= 1

    def _finite(self, tree: Expression, place: _Token) -> Expression:
        """Return `tree`; refuse it where a constant in it has become infinite or no number."""
        for part in (tree, *children(tree)):
            if isinstance(part, Number) and not math.isfinite(part.value):
                raise self._error("this constant has no finite value", place)
        return tree

    def _take(self, text: str) -> bool:
        found = self.token.kind == "sign" and self.token.text == text
        self.at += found
        return found

    def _next(self) -> _Token:
        token = self.token
        self.at += token.kind != "end"
        return token

    def _tokens(self) -> list[_Token]:
        tokens, at, end = [], 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if match is None:
                start = at + len(self.text[at:]) - len(self.text[at:].lstrip())
                raise self._error("not part of a formula", _Token("", self.text[start], start))
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        return [*tokens, _Token("end", "", len(self.text))]

    def _error(self, what: str, token: _Token | None = None) -> InputError:
        place = (token or self.token).position
        before, after = self.text[max(0, place - 30) : place], self.text[place : place + 30]
        shown = f"{before}>>>{after}" if after else f"{before}>>>(end)"
        return InputError(f"formula, character {place + 1}: {what}: {shown}")
