"""A where-expression cut into words and parsed: the text half of `bootlaw.runs.where`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bootlaw.runs.quantities import parse_quantity

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>'[^']*'|"[^"]*")
      | `(?P<name>[^`]+)`
      | (?P<operator>[=!<>]=|[=<>]|&&?|\|\|?|~|[()\[\],])
      | (?P<word>[^\s()\[\],=!<>&|~'"`]+)
    )""",
    re.VERBOSE,
)
_OPERATORS = {"=": "==", "&": "and", "&&": "and", "|": "or", "||": "or", "~": "not"}
_KEYWORDS = frozenset({"and", "or", "not", "in"})
_LONGEST = 10_000


class WhereError(Exception):
    """What is wrong with an expression, and at which 0-based position."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True)
class Word:
    """A column, a number or a text as it stands in the expression."""

    text: str
    start: int
    quoted: bool = False
    """Stood in quotes: text, never a column or a number."""
    is_name: bool = False
    """Stood in backticks: the name of a column."""

    @property
    def is_number(self) -> bool:
        """Whether it spells a number."""
        try:
            parse_quantity(self.text)
        except ValueError:
            return False
        return not self.quoted and not self.is_name


@dataclass(frozen=True)
class Parsed:
    """Syntax tree over placeholders, and the words that they stand for."""

    tree: ast.expr
    words: Mapping[str, Word]
    starts: Mapping[int, int]
    """Position in the text that was parsed -> position in the expression."""

    def position(self, offset: int) -> int:
        """Return where in the expression the node at `offset` of the parsed text begins."""
        return self.starts.get(offset, 0)


def parse(expression: str) -> Parsed:
    """Return the syntax tree of an expression, with ``_0``, ``_1``, ... for its words.

    Raises
    ------
    WhereError
        When it is empty or is not an expression.
    """
    if not expression.strip():
        raise WhereError("it is empty; write a comparison, such as method == stack", 0)
    if len(expression) > _LONGEST:
        raise WhereError(f"it has over {_LONGEST} characters", _LONGEST)
    words: dict[str, Word] = {}
    starts: dict[int, int] = {}
    source = ""
    for token, start in _tokens(expression):
        starts[len(source)] = start
        if isinstance(token, Word):
            placeholder = f"_{len(words)}"
            words[placeholder] = token
            token = placeholder
        source += f"{token} "
    return Parsed(_tree(expression, source, starts), words, starts)


def _tree(expression: str, source: str, starts: Mapping[int, int]) -> ast.expr:
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        offset = (error.offset or 0) - 1  # the parser reports the end of the text as 0
        if offset < 0 or offset >= len(source.rstrip()):
            raise WhereError("it ends too early", len(expression.rstrip())) from None
        before = [start for place, start in starts.items() if place <= offset]
        # Of the parser's own messages only those on brackets speak of the expression as typed.
        about_brackets = any(word in error.msg for word in ("never closed", "unmatched"))
        usage = "expected comparisons joined by and, or, not, such as loss < 3 and D2 > 1M"
        raise WhereError(error.msg if about_brackets else usage, max(before, default=0)) from None


def _tokens(expression: str) -> list[tuple[str | Word, int]]:
    tokens: list[tuple[str | Word, int]] = []
    place, end = 0, len(expression.rstrip())
    while place < end:
        match = _TOKEN.match(expression, place)
        if match is None:
            place += len(expression[place:]) - len(expression[place:].lstrip())
            found = expression[place]
            fault = "is never closed" if found in "'\"`" else "is out of place here"
            raise WhereError(f"{found} {fault}", place)
        tokens.append(_token(match))
        place = match.end()
    return tokens


def _token(match: re.Match[str]) -> tuple[str | Word, int]:
    kind = match.lastgroup
    assert kind is not None
    text, start = match[kind], match.start(kind)
    if kind == "quoted":
        return Word(text[1:-1], start, quoted=True), start
    if kind == "name":
        return Word(text, start, is_name=True), start
    if kind == "word" and text.lower() not in _KEYWORDS:
        return Word(text, start), start
    return _OPERATORS.get(text, text.lower()), start
