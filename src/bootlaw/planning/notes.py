"""Warnings as lines for people: each thing once, and none longer than the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 240
"""Characters of a note beyond which its middle clauses are left to the document."""

_BETWEEN = re.compile(r"(; |: )(?![^(]*\))")
_CLAUSES = re.compile(r"; (?![^(]*\))")
"""Between clauses, and not inside parentheses."""


def lines(warnings: Iterable[str]) -> list[str]:
    """Return warnings as indented lines.

    A clause that an earlier note has said already is left out, and so are middle ones of a long
    note, with three dots in their place; the JSON document has all of them.
    """
    said: set[str] = set()
    notes = (_unsaid(warning, said) for warning in dict.fromkeys(warnings))
    return [f"  note: {_shortened(note)}" for note in notes if note]


def _unsaid(note: str, said: set[str]) -> str:
    """Return a note without the clauses that were said before, and add its own to them."""
    pieces = _BETWEEN.split(note)
    clauses, separators = pieces[::2], ["", *pieces[1::2]]
    kept = [
        (separator, clause)
        for separator, clause in zip(separators, clauses, strict=True)
        if clause not in said
    ]
    said.update(clauses)
    return "".join(separator + clause for separator, clause in kept).lstrip(";: ")


def _shortened(note: str) -> str:
    """Return a note within `LONGEST` where its middle clauses can be left out."""
    clauses = _CLAUSES.split(note)
    if len(note) <= LONGEST or len(clauses) < 3:
        return note
    first, *middle, last = clauses
    while middle and len("; ".join([first, *middle, "...", last])) > LONGEST:
        middle.pop()
    return "; ".join([first, *middle, "...", last])
