"""Warnings as lines for people: each thing once, and none longer than the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 240
"""Characters of a note beyond which its middle clauses are left to the document."""

STATEMENT = 40
"""Characters from which on a clause says something of its own, that need not be said twice."""

_BETWEEN = re.compile(r"(; |: )(?![^(]*\))")
_CLAUSES = re.compile(r"; (?![^(]*\))")
"""Between clauses, and not inside parentheses."""
_OF_A_FIT = re.compile(r"(the \S+ fit warns) \((\w+)\): ")
"""What `bootlaw.planning.source` begins the diagnostics of a fit with."""


def lines(warnings: Iterable[str]) -> list[str]:
    """Return warnings as indented lines; the JSON document has all of them in full.

    A statement that an earlier note has made is left out, and so are the middle ones of a long
    note, with three dots in their place. Several diagnostics of one fit become a line with their
    codes: the fit has printed them.
    """
    said: set[str] = set()
    notes = (_unsaid(warning, said) for warning in _by_fit(list(dict.fromkeys(warnings))))
    return [f"  note: {_shortened(note)}" for note in notes if note]


def _by_fit(warnings: list[str]) -> list[str]:
    """Return warnings with the diagnostics of each fit that has several in one."""
    codes: dict[str, list[str]] = {}
    for warning in warnings:
        if found := _OF_A_FIT.match(warning):
            codes.setdefault(found[1], []).append(found[2])
    notes = []
    for warning in warnings:
        found = _OF_A_FIT.match(warning)
        if found is None or len(codes[found[1]]) == 1:
            notes.append(warning)
        elif found[2] == codes[found[1]][0]:
            notes.append(f"{found[1]}: {', '.join(codes[found[1]])} (see what bootlaw fit said)")
    return notes


def _unsaid(note: str, said: set[str]) -> str:
    """Return a note without the statements that were made before, and add its own to them."""
    pieces = _BETWEEN.split(note)
    clauses, separators = pieces[::2], ["", *pieces[1::2]]
    kept = [
        (separator, clause)
        for separator, clause in zip(separators, clauses, strict=True)
        if clause not in said
    ]
    said.update(clause for clause in clauses if len(clause) >= STATEMENT)
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
