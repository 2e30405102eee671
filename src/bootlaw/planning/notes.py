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
_OF_A_FIT = re.compile(r"(?P<subject>the .+? fits? warns?) \((?P<code>\w+)\): ")
"""What `bootlaw.planning.source` begins the diagnostics of fits with."""


def lines(warnings: Iterable[str]) -> list[str]:
    """Return warnings as indented lines; the JSON document has all of them in full.

    A statement that an earlier note has made is left out, and so are the middle ones of a long
    note, with three dots in their place. Several diagnostics of fits become a line with their
    codes: the fits have printed them.
    """
    said: set[str] = set()
    notes = (_unsaid(warning, said) for warning in _of_fits_in_one(list(dict.fromkeys(warnings))))
    return [f"  note: {_shortened(note)}" for note in notes if note]


def _of_fits_in_one(warnings: list[str]) -> list[str]:
    """Return warnings with the diagnostics of fits, where there are several, in one."""
    found = [_OF_A_FIT.match(warning) for warning in warnings]
    of_fits = [one for one in found if one is not None]
    if len(of_fits) < 2:
        return warnings
    subjects = {one["subject"] for one in of_fits}
    subject = subjects.pop() if len(subjects) == 1 else "the fits warn"
    codes = ", ".join(dict.fromkeys(one["code"] for one in of_fits))
    rest = [warning for warning, one in zip(warnings, found, strict=True) if one is None]
    return [*rest, f"{subject}: {codes} (--json says more)"]


def _unsaid(note: str, said: set[str]) -> str:
    """Return a note without the statements that were made before, and add its own to them."""
    pieces = _BETWEEN.split(note)
    clauses, separators = pieces[::2], ["", *pieces[1::2]]
    kept = [
        (separator, clause)
        for separator, clause in zip(separators, clauses, strict=True)
        if clause not in said
    ]
    only_a_name = len(kept) == 1 < len(clauses) and len(clauses[0]) < STATEMENT
    if only_a_name and kept[0][1] == clauses[0]:
        return ""
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
