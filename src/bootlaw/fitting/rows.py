"""Which rows of a table a fit uses, and why the others are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bootlaw.arguments import require_kind, require_text_or_none
from bootlaw.errors import InputError
from bootlaw.fitting.comparable import (
    no_such_method,
    one_stage,
    require_one_value,
    two_stage,
)
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.fitting.selection import BY_WHERE, FitRows, Selection, distinct, why
from bootlaw.laws import Law, as_law
from bootlaw.laws.formula import USER
from bootlaw.runs import RunTable, known_columns
from bootlaw.runs.schema import column_named


def select_rows(
    table: RunTable,
    law: str | Law,
    *,
    method: str | None = None,
    where: str | None = None,
    drop_lowest: float = 0.0,
) -> FitRows:
    """Return the rows that `law` is fitted to.

    Two-stage laws take the rows of one method with tokens_stage1 > 0 and tokens_stage2 > 0;
    those with a scratch part also the rows from scratch with the same params, data2 and
    eval_data. One-stage laws take the rows with tokens_stage1 = 0.

    Parameters
    ----------
    drop_lowest : share of the rows, those with the lowest losses, to leave out at the end.

    Raises
    ------
    InputError
        When no row is left, or the choice of a method, model or text is open.
    """
    law = as_law(law)
    require_kind(RunTable, table=table)
    require_text_or_none(method=method, where=where)
    _require_share(drop_lowest)
    if "loss" in law.variables:
        raise InputError(
            f"law {law.key} reads the column 'loss' that it is to predict; leave it out of the "
            "formula"
        )
    _require_no_column(law, table)
    selection = Selection(table)
    if where is not None:
        kept = np.isin(table.row_numbers, table.where(where).row_numbers)
        selection.drop(~kept, BY_WHERE)
    _drop_unusable(selection)
    _drop_gaps(selection, law)
    chosen = (
        two_stage(selection, law, method) if law.is_two_stage else one_stage(selection, law, method)
    )
    _require_one_text(selection)
    _require_one_level(selection, law)
    selection.drop_lowest(drop_lowest)
    if not selection.keep.any():
        raise InputError(_no_rows(selection, law))
    return selection.rows(chosen)


def _require_no_column(law: Law, table: RunTable) -> None:
    """Refuse a parameter of a user's formula that is called as a column of the table is."""
    for name in law.names if law.source == USER else ():
        known = column_named(name)
        column = name if name in table else known.name if known else ""
        if column in table:
            also = "" if column == name else f" ({name})"
            raise InputError(
                f"{table.source}: {name} is a parameter of the formula, and the table has a "
                f"column {column}{also}: write `{column}` in backquotes for the column, or give "
                f"the parameter another name, such as {name}0"
            )


def _require_share(drop_lowest: object) -> None:
    if not (isinstance(drop_lowest, int | float) and 0 <= drop_lowest < 1):
        raise InputError(
            f"drop_lowest is a share of the rows from 0 to below 1, not {drop_lowest!r}"
        )


def _drop_unusable(selection: Selection) -> None:
    """Drop rows without a loss or a second stage, and other evaluations of the same run."""
    table = selection.table
    losses, stage2 = table.numbers("loss"), table.numbers("tokens_stage2")
    selection.drop(~(np.isfinite(losses) & (losses > 0)), "no loss")
    selection.drop(~(stage2 > 0), "no second stage (tokens_stage2 = 0)")
    selection.drop(~np.isfinite(table.numbers("tokens_stage1")), "no tokens_stage1")
    if "eval_data" in table and "data2" in table:
        evaluated, trained = table.text("eval_data"), table.text("data2")
        other = (evaluated != "") & (trained != "") & (evaluated != trained)
        selection.drop(other, "evaluated on another text than data2")


def complete_rows(
    table: RunTable,
    law: Law,
    target: str,
    *,
    method: str | None = None,
    where: str | None = None,
    drop_lowest: float = 0.0,
) -> FitRows:
    """Return the rows that have a number in `target` and in every variable of the law.

    Parameters
    ----------
    method : the rows of this method; a table without a column ``method`` has one.
    drop_lowest : share of the rows, those with the lowest targets, to leave out at the end.

    Raises
    ------
    InputError
        When a column is missing or holds text, the law reads its own target, the choice of a
        method is open, or no row is left.
    """
    if target in law.variables:
        raise InputError(
            f"law {law.key} reads the column '{target}' that it is to predict; leave it out of the "
            "formula"
        )
    _require_no_column(law, table)
    selection = Selection(table)
    if where is not None:
        kept = np.isin(table.row_numbers, table.where(where).row_numbers)
        selection.drop(~kept, BY_WHERE)
    for name in (target, *law.variables):
        selection.drop(~np.isfinite(table.numbers(name)), f"no {name}")
    _keep_method(selection, method)
    selection.drop_lowest(drop_lowest, target)
    if not selection.keep.any():
        raise InputError(_no_rows(selection, law))
    rows = selection.rows(method or "")
    # Everything that looks at a fit's rows finds what was predicted under one name.
    columns = {**rows.table.columns, "loss": rows.table.numbers(target)}
    return replace(rows, table=replace(rows.table, columns=columns))


def _keep_method(selection: Selection, method: str | None) -> None:
    """Keep the rows of one method, the one asked for if any."""
    table = selection.table
    if "method" not in table or table.columns["method"].dtype != object:
        if method is not None:
            raise InputError(f"{table.source}: the table has no column of methods to choose from")
        return
    methods = table.text("method")
    if method is None:
        names = distinct(methods[selection.keep])
        if len(names) > 1:
            raise InputError(
                f"{table.source}: rows of several methods ({', '.join(names)}); "
                f"choose one with --method, for example --method {names[0]}"
            )
    elif not (methods == method).any():
        raise no_such_method(table, method)
    else:
        selection.drop(methods != method, "other methods")


def _drop_gaps(selection: Selection, law: Law) -> None:
    """Drop rows without a number in a variable of the law; refuse a table without the column."""
    table = selection.table
    for name in law.variables:
        if name not in table:
            found = known_columns(table.columns, near=name)
            raise InputError(f"{table.source}: law {law.key} needs a column '{name}'; {found}")
        selection.drop(~np.isfinite(table.numbers(name)), f"no {name}")


def _require_one_level(selection: Selection, law: Law) -> None:
    """Refuse several levels of the variable that a law takes for given, such as one base's D1."""
    for name in law.single_level:
        values = selection.table.numbers(name)[selection.keep]
        levels = np.unique(values[values > 0])
        if levels.size and levels[-1] > levels[0] * (1 + SAME_LEVEL):
            shown = ", ".join(f"{level:.6g}" for level in levels[:4])
            raise InputError(
                f"{selection.table.source}: law {law.key} is for one level of {name} and the rows "
                f'have several ({shown}); choose one with --where "{name} == {levels[0]:.10g}", '
                "or fit --law bootstrapped to all of them"
            )


def _require_one_text(selection: Selection) -> None:
    """Refuse losses on several texts: they are not measurements of one quantity."""
    require_one_value(selection, "eval_data")


def _no_rows(selection: Selection, law: Law) -> str:
    advice = ""
    if not law.is_two_stage and any("two stages" in reason for reason in selection.left):
        advice = (
            f"; law {law.key} takes runs from scratch: fit runs with a base with --law "
            "bootstrapped, or choose runs with tokens_stage1 = 0"
        )
    source = selection.table.source
    return f"{source}: no row is left to fit law {law.key} to{why(selection)}{advice}"
