"""The rows of several methods that share an irreducible loss, and why methods cannot share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting.comparable import COMPARABLE
from bootlaw.fitting.rows import select_rows
from bootlaw.fitting.selection import FitRows, Selection
from bootlaw.laws import Law
from bootlaw.laws.names import D1, METHOD_NUMBER
from bootlaw.runs import RunTable


@dataclass(frozen=True)
class JointRows:
    """The rows of a joint fit.

    Attributes
    ----------
    together : all of them, with the column ``method_number``.
    of_method : method -> its own rows and those from scratch.
    """

    together: FitRows
    of_method: Mapping[str, FitRows]


def joint_rows(
    table: RunTable,
    law: Law,
    methods: Sequence[str],
    *,
    where: str | None = None,
    drop_lowest: float = 0.0,
) -> JointRows:
    """Return the rows to which `law` is fitted for every one of the methods.

    Each method's are those of `select_rows`. Runs from scratch are shared. With `drop_lowest`
    the lowest losses of all rows together are left out.

    Raises
    ------
    InputError
        When a method has no rows, or the methods differ in model, second text or the text that
        they are evaluated on: then what more tokens cannot remove is not one number.
    """
    own = {name: select_rows(table, law, method=name, where=where) for name in methods}
    _require_one_constant(own, law, table.source)
    used = [np.isin(table.row_numbers, rows.table.row_numbers) for rows in own.values()]
    number = np.zeros(len(table))
    for position, mask in enumerate(used, 1):
        number[mask & (table.numbers(D1) > 0)] = position
    labelled = replace(table, columns={**table.columns, METHOD_NUMBER: number})
    together = Selection(labelled)
    together.drop(~np.any(used, axis=0), "other methods, not comparable or without a value")
    together.drop_lowest(drop_lowest)
    of_method = {}
    for name, mask in zip(methods, used, strict=True):
        single = Selection(labelled)
        single.drop(~(together.keep & mask), "not of this method")
        of_method[name] = single.rows(name)
    return JointRows(together.rows(" and ".join(methods)), of_method)


def _require_one_constant(own: Mapping[str, FitRows], law: Law, source: str) -> None:
    for column in COMPARABLE:
        if column in law.variables:
            continue
        found = {name: _values(rows.table, column) for name, rows in own.items()}
        known = [values for values in found.values() if values]
        if any(values != known[0] for values in known[1:]):
            said = "; ".join(f"{name}: {_listed(values)}" for name, values in found.items())
            raise InputError(
                f"{source}: the methods differ in {column} ({said}), so they have no irreducible "
                "loss in common; choose rows with --where, or fit each method by itself"
            )


def _values(table: RunTable, column: str) -> list[object]:
    """Return the distinct values of a column, over the runs with a base."""
    if column not in table:
        return []
    values = table.columns[column][table.numbers(D1) > 0].tolist()
    return sorted({value for value in values if value not in ("",) and value == value})


def _listed(values: Sequence[object]) -> str:
    shown = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in values[:4]]
    return ", ".join([*shown, "..."] if len(values) > 4 else shown) or "none given"
