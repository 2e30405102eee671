"""Which rows an expression keeps: ``method == stack and 250k <= D2 < 1.3B``.

Comparisons (``==`` or ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, chained, ``in [a, b]``,
``not in``) of columns, numbers and text, joined by ``and``, ``or``, ``not`` (or ``&``, ``|``,
``~``) and parentheses. Columns go by their names and aliases; a name with blanks or operators in
it stands in backticks. Numbers may end in k, M, B or T. A word that is neither a column nor a
number is text; quotes make it text in any case. Beside a column of numbers, true and false are
1 and 0. Every comparison with an absent number is false.

The words are replaced by placeholders, Python's parser sorts out precedence, and only the few
kinds of node named here are evaluated: nothing in an expression is ever executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.arguments import require_text
from bootlaw.errors import InputError
from bootlaw.runs.cells import truth_value
from bootlaw.runs.quantities import parse_quantity
from bootlaw.runs.schema import column_named
from bootlaw.runs.table import RunTable, known_columns
from bootlaw.runs.words import Parsed, WhereError, Word, parse

Mask = NDArray[np.bool_]

_MOST_VALUES = 12
"""Values of a column of text that a message lists."""

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def matching_rows(expression: str, table: RunTable) -> Mask:
    """Return for each row of `table`, shape (n,), whether `expression` holds for it.

    Raises
    ------
    InputError
        When the expression cannot be read; names the position and the known columns.
    """
    require_text(where=expression)
    one_line = " ".join(expression.splitlines())
    try:
        parsed = parse(one_line)
        return _Evaluation(parsed, table).mask(parsed.tree)
    except WhereError as error:
        raise InputError(
            f"{table.source}: cannot read '{one_line:.200}' at position {error.position + 1}: "
            f"{error}"
        ) from None
    except (RecursionError, MemoryError):
        raise InputError(f"{table.source}: '{one_line:.60}...' is nested too deeply") from None


def values_compared(expression: str, table: RunTable) -> list[str]:
    """Return for each column in a readable `expression` a phrase with what it holds in `table`."""
    parsed = parse(" ".join(expression.splitlines()))
    names = (_column_of(word, table) for word in parsed.words.values() if not word.quoted)
    return [_contents(name, table.columns[name]) for name in dict.fromkeys(names) if name]


def _contents(name: str, values: NDArray[Any]) -> str:
    if values.dtype != object:
        present = values[~np.isnan(values)]
        if not present.size:
            return f"{name} is empty"
        return f"{name} is from {present.min():g} to {present.max():g}"
    found = sorted(set(values.tolist()) - {""})
    shown = ", ".join(found[:_MOST_VALUES]) or "empty"
    more = len(found) - _MOST_VALUES
    return f"{name} is {shown}" + (f" and {more} more" if more > 0 else "")


def _column_of(word: Word, table: RunTable) -> str | None:
    """Return the name of the column that a word stands for, None where it is not one here."""
    column = column_named(word.text)
    names = (word.text, column.name if column else word.text)
    return next((name for name in names if name in table), None)


@dataclass(frozen=True)
class _Operand:
    """One side of a comparison: a column, or a literal (then `values` is None)."""

    word: Word
    values: NDArray[Any] | None = None

    @property
    def is_numbers(self) -> bool:
        return self.values is not None and self.values.dtype != object

    def numbers(self) -> NDArray[np.float64] | float:
        """The column, or the number that the literal spells."""
        if self.values is not None:
            if not self.is_numbers:
                raise WhereError(f"'{self.word.text}' is a column of text", self.word.start)
            return self.values
        truth = truth_value(self.word.text)
        if truth is not None:
            return truth
        try:
            return parse_quantity("" if self.word.quoted else self.word.text)
        except ValueError:
            raise WhereError(
                f"'{self.word.text}' is neither a column nor a number", self.word.start
            ) from None

    def text(self) -> NDArray[Any] | str:
        """The column, or the literal as it was typed."""
        return self.word.text if self.values is None else self.values


@dataclass(frozen=True)
class _Evaluation:
    parsed: Parsed
    table: RunTable

    def mask(self, node: ast.expr) -> Mask:
        match node:
            case ast.BoolOp(op=op, values=values):
                combine = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return np.asarray(combine.reduce([self.mask(value) for value in values]), bool)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.mask(operand)
            case ast.Compare():
                return self._comparison(node)
        raise WhereError("expected a comparison, such as loss < 3", self._start(node))

    def _comparison(self, node: ast.Compare) -> Mask:
        sides = [node.left, *node.comparators]
        keep = np.ones(len(self.table), dtype=bool)
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            keep &= self._pair(left, op, right)
        return keep

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Mask:
        if not isinstance(op, ast.In | ast.NotIn):
            return self._compare(self._operand(left), op, self._operand(right))
        options = right.elts if isinstance(right, ast.List | ast.Tuple) else [right]
        equals = [
            self._compare(self._operand(left), ast.Eq(), self._operand(option))
            for option in options
        ]
        found: Mask = np.zeros(len(self.table), dtype=bool)
        for equal in equals:
            found |= equal
        if isinstance(op, ast.In):
            return found
        return np.logical_and(~found, self._present(self._operand(left)))

    def _compare(self, left: _Operand, op: ast.cmpop, right: _Operand) -> Mask:
        if left.values is None and right.values is None:
            raise self._no_column(left.word, right.word)
        compare = _COMPARISONS[type(op)]
        if left.is_numbers or right.is_numbers:
            result = compare(left.numbers(), right.numbers())
            return np.asarray(result) & self._present(left) & self._present(right)
        if not isinstance(op, ast.Eq | ast.NotEq):
            raise WhereError("text has no order: use ==, != or in", left.word.start)
        return np.asarray(compare(left.text(), right.text()), dtype=bool)

    def _present(self, operand: _Operand) -> Mask:
        if operand.values is None or not operand.is_numbers:
            return np.ones(len(self.table), dtype=bool)
        return np.asarray(~np.isnan(operand.values), dtype=bool)

    def _operand(self, node: ast.expr) -> _Operand:
        if not isinstance(node, ast.Name):
            raise WhereError("expected a column, a number or a text", self._start(node))
        word = self.parsed.words[node.id]
        if word.quoted:
            return _Operand(word)
        name = _column_of(word, self.table)
        if name is not None:
            return _Operand(word, self.table.columns[name])
        if word.is_name or column_named(word.text):
            raise self._no_column(word)
        return _Operand(word)

    def _no_column(self, *words: Word) -> WhereError:
        """The error for words of which one should have been a column."""
        named = [word for word in words if not word.is_number] or list(words)
        texts = " nor ".join(f"'{word.text}'" for word in named)
        known = known_columns(self.table.columns, near=named[0].text)
        fault = f"neither {texts} is a column" if len(named) > 1 else f"no column {texts}"
        return WhereError(f"{fault}; {known}", named[0].start)

    def _start(self, node: ast.expr) -> int:
        return self.parsed.position(node.col_offset)
