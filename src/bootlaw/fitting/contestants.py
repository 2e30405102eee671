"""Which laws enter a contest, and the rows on which they meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bootlaw import laws as catalogue
from bootlaw.errors import InputError
from bootlaw.fitting.applicability import why_not
from bootlaw.fitting.rows import select_rows
from bootlaw.fitting.selection import FitRows
from bootlaw.laws import Law, as_law
from bootlaw.runs import RunTable

REFERENCE = "bootstrapped"
"""The law whose rows a contest of two-stage laws is held on: it reads both token counts only."""


ALL = "all"
"""Stands among the names of laws for all laws of the catalogue that apply."""


@dataclass(frozen=True)
class NotApplicable:
    """A law of the catalogue that has nothing to say about these rows, and why."""

    law: str
    reason: str


@dataclass(frozen=True, eq=False)
class Field:
    """The laws of a contest and their common rows.

    Attributes
    ----------
    rows : all that every law is fitted to or scored on, of one method.
    """

    laws: tuple[Law, ...]
    rows: RunTable
    method: str
    not_applicable: tuple[NotApplicable, ...] = ()


def named_field(
    table: RunTable, names: Sequence[str | Law], method: str | None, where: str | None
) -> Field:
    """Return the contest of the laws that were asked for, on the rows that all of them can use.

    ``all`` among the names stands for the laws of `whole_field`.

    Raises
    ------
    InputError
        When a law is not known, the laws take different rows, or a column is missing.
    """
    own = [name for name in names if name != ALL]
    if len(own) < len(names):
        return _joined(whole_field(table, method, where), own)
    laws = _unique([as_law(name) for name in own])
    first = next((law for law in laws if law.is_two_stage), laws[0])
    chosen = select_rows(table, _without_scratch_part(first), method=method, where=where)
    for law in laws:
        chosen = _rows_of_both(chosen, _without_scratch_part(law), first)
    return Field(laws, chosen.table, chosen.method)


def whole_field(table: RunTable, method: str | None, where: str | None) -> Field:
    """Return the contest of all laws of the catalogue that apply to the table.

    Where it has runs with a base, of `method` and `where`, these are the rows; else the runs
    from scratch, those of the one-stage law that can use most of them.

    Raises
    ------
    InputError
        When no law finds rows to use, or the choice of a method, model or text is open.
    """
    known = [catalogue.get(key) for key in catalogue.names()]
    laws = [law for law in known if not law.has_scratch_part]
    chosen = _rows_with_a_base(table, method, where) or _rows_from_scratch(
        table, [law for law in laws if not law.is_two_stage], method, where
    )
    reasons = {law.key: why_not(law, chosen.table) for law in laws}
    return Field(
        tuple(law for law in laws if reasons[law.key] is None),
        chosen.table,
        chosen.method,
        tuple(NotApplicable(key, why) for key, why in reasons.items() if why is not None),
    )


def _joined(field: Field, names: Sequence[str | Law]) -> Field:
    """Return the contest with further laws, on those of its rows that they can use too."""
    further = [as_law(name) for name in names]
    if not further:
        return field
    laws = _unique([*field.laws, *further])
    chosen = FitRows(field.rows, 0, field.method, {})
    for law in further:
        chosen = _rows_of_both(chosen, _without_scratch_part(law), laws[0])
    return replace(field, laws=laws, rows=chosen.table)


def _unique(laws: Sequence[Law]) -> tuple[Law, ...]:
    """Return the laws without repetition; InputError where two different ones share a key."""
    by_key: dict[str, Law] = {}
    for law in laws:
        if by_key.setdefault(law.key, law) != law:
            raise InputError(f"two different laws are called {law.key!r}; rename one of them")
    if not by_key:
        raise InputError("no law was named; name one, or none at all for all that apply")
    return tuple(by_key.values())


def _without_scratch_part(law: Law) -> Law:
    if law.has_scratch_part:
        raise InputError(
            f"{law.key} cannot enter the contest: every law is scored on the same rows, so name "
            "laws without +scratch"
        )
    return law


def _rows_of_both(chosen: FitRows, law: Law, first: Law) -> FitRows:
    """Return those of the chosen rows that `law` can use as well."""
    try:
        return select_rows(chosen.table, law, method=chosen.method)
    except InputError:
        if law.is_two_stage == first.is_two_stage:
            raise
        raise InputError(
            f"{law.key} cannot enter the contest: every law is scored on the rows of {first.key}, "
            f"those with D1 > 0, and {law.key} takes runs from scratch; compare such laws apart"
        ) from None


def _rows_with_a_base(table: RunTable, method: str | None, where: str | None) -> FitRows | None:
    """Return the rows of the main law, None for a table of runs from scratch."""
    kept = table if where is None else table.where(where)
    if not (kept.numbers("tokens_stage1") > 0).any():
        return None
    return select_rows(table, REFERENCE, method=method, where=where)


def _rows_from_scratch(
    table: RunTable, laws: Sequence[Law], method: str | None, where: str | None
) -> FitRows:
    """Return the most rows that a one-stage law can use; the first law's complaint where none."""
    found: list[FitRows] = []
    complaints: list[InputError] = []
    for law in laws:
        try:
            found.append(select_rows(table, law, method=method, where=where))
        except InputError as error:
            complaints.append(error)
    if not found:
        raise complaints[-1]
    return max(found, key=lambda rows: len(rows.table))
