"""The rows of one method, and those from scratch that they can be compared with."""

from __future__ import annotations

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting.selection import BY_WHERE, Mask, Selection, distinct, filled, why
from bootlaw.laws import Law
from bootlaw.laws.average import KEY
from bootlaw.runs import RunTable

SCRATCH = "scratch"
COMPARABLE = ("params", "data2", "eval_data")
"""Columns that a scratch row shares with the reuse rows that it is compared with."""


def two_stage(selection: Selection, law: Law, method: str | None) -> str:
    """Keep the rows of one method, and its scratch rows where the law has a part for them."""
    table = selection.table
    methods = table.text("method")
    from_scratch = table.numbers("tokens_stage1") == 0
    reuse = selection.keep & ~from_scratch
    chosen = _the_method(selection, reuse, method)
    reuse &= methods == chosen
    partners = from_scratch & np.isin(methods, [chosen, SCRATCH])
    if not law.has_scratch_part:
        selection.drop(from_scratch, f"from scratch (tokens_stage1 = 0); {joint_form(law)} fits it")
    else:
        selection.drop(from_scratch & ~partners, "from scratch, of another method")
        fair = partners & _comparable(table, reuse, law)
        selection.drop(partners & ~fair, "from scratch, with other params, data2 or eval_data")
        if not (selection.keep & fair).any():
            raise InputError(
                f"{table.source}: law {law.key} needs rows from scratch (tokens_stage1 = 0) with "
                f"the params, data2 and eval_data of method {chosen!r}, and there are none"
                f"{_left_by_where(selection, from_scratch)}; "
                f"fit {law.key.removesuffix('+scratch')} or add such runs"
            )
    selection.drop(~from_scratch & ~reuse, "other methods")
    return chosen


def _left_by_where(selection: Selection, rows: Mask) -> str:
    """Return a remark on those of the rows that --where left out, nothing where it left none."""
    left = selection.left.get(BY_WHERE)
    count = 0 if left is None else _count(left, rows)
    hint = 'keep them with, say, --where "D1 == 1M or D1 == 0"'
    return f" (--where left out {count} runs from scratch: {hint})" if count else ""


def joint_form(law: Law) -> str:
    """Return what a law with the runs from scratch is called, or how a formula is written."""
    if law.key.startswith("formula:"):
        return "a formula 'reuse: ...; scratch: ...'"
    if law.key == KEY:
        return "laws to a table with runs from scratch (bootlaw compare --out)"
    return f"{law.key}+scratch"


def one_stage(selection: Selection, law: Law, method: str | None) -> str:
    """Keep the rows from scratch, of one model and text."""
    table = selection.table
    methods = table.text("method")
    from_scratch = table.numbers("tokens_stage1") == 0
    selection.drop(~from_scratch, "two stages (tokens_stage1 > 0)")
    if method is not None:
        if not (methods == method).any():
            raise no_such_method(table, method)
        reuse = (methods == method) & (table.numbers("tokens_stage1") > 0)
        if reuse.any() and law.key.startswith("formula:"):
            raise InputError(
                f"{table.source}: a formula that does not read D1 takes runs from scratch, and "
                f"{int(reuse.sum())} rows of method {method!r} have a base; write 'reuse: FORMULA' "
                "to fit it to those, or leave --method out"
            )
        own = np.isin(methods, [method, SCRATCH])
        fair = own & _comparable(table, reuse, law) if reuse.any() else methods == method
        selection.drop(~fair, f"not comparable with method {method!r}")
    for column in COMPARABLE:
        if column not in law.variables:
            require_one_value(selection, column)
    found = distinct(methods[selection.keep])
    return method or (found[0] if len(found) == 1 else SCRATCH)


def _the_method(selection: Selection, reuse: Mask, method: str | None) -> str:
    """Return the one method of the usable rows with a base, the one asked for if any."""
    table = selection.table
    methods = table.text("method")
    names = distinct(methods[reuse])
    if method is not None:
        if method not in names:
            raise _no_rows_of(selection, method)
        return method
    if not names:
        raise InputError(
            f"{table.source}: no row has tokens_stage1 > 0 and tokens_stage2 > 0, which a "
            f"two-stage law is fitted to{why(selection)}; use --law power for runs of one stage"
        )
    if len(names) > 1:
        raise InputError(
            f"{table.source}: rows of several methods ({', '.join(names)}); "
            f"choose one with --method, for example --method {names[0]}"
        )
    return names[0]


def _no_rows_of(selection: Selection, method: str) -> InputError:
    """Return the error for a method without a usable row that has a base: what became of them."""
    table = selection.table
    own = table.text("method") == method
    if not own.any():
        return no_such_method(table, method)
    n_scratch = int((selection.keep & own & (table.numbers("tokens_stage1") == 0)).sum())
    if n_scratch:
        return InputError(
            f"{table.source}: the {n_scratch} usable rows of method {method!r} are from scratch "
            "(tokens_stage1 = 0), and a two-stage law needs rows with a base; fit them with "
            "--law power"
        )
    lost = "; ".join(
        f"{count} {reason}"
        for reason, mask in selection.left.items()
        if (count := _count(mask, own))
    )
    return InputError(
        f"{table.source}: none of the {int(own.sum())} rows of method {method!r} can be used "
        f"({lost}); change --where, or choose another method: the table has {_census(table)}"
    )


def no_such_method(table: RunTable, method: str) -> InputError:
    return InputError(
        f"{table.source}: no row of method {method!r}; the table has {_census(table)}"
    )


def _census(table: RunTable) -> str:
    """Return the methods of the whole table with their numbers of rows."""
    names, counts = np.unique(table.text("method").astype(str), return_counts=True)
    pairs = zip(names.tolist(), counts.tolist(), strict=True)
    return ", ".join(f"{name} ({count} rows)" for name, count in pairs)


def _count(mask: Mask, own: Mask) -> int:
    return int((mask & own).sum())


def _comparable(table: RunTable, reference: Mask, law: Law) -> Mask:
    """Return (n,) True for rows whose params, data2 and eval_data occur in the reference rows.

    A column that the law reads may differ: the law says what it does.
    """
    same = np.ones(len(table), dtype=bool)
    for column in COMPARABLE:
        if column in table and column not in law.variables:
            values = table.columns[column]
            present = filled(values)
            known = values[reference & present]
            if known.size:
                same &= np.isin(values, known) | ~present
    return same


def require_one_value(selection: Selection, column: str) -> None:
    table = selection.table
    if column not in table:
        return
    values = table.columns[column]
    found = distinct(values[selection.keep & filled(values)])
    if len(found) > 1:
        example = found[0] if values.dtype != object else f"'{found[0]}'"
        raise InputError(
            f"{table.source}: the rows have {len(found)} values of {column} "
            f'({", ".join(found[:6])}); choose one with --where "{column} == {example}"'
        )
