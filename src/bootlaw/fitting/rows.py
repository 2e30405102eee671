"""Which rows of a table a fit uses, and why the others are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.laws import Law
from bootlaw.runs import RunTable, known_columns

Mask = NDArray[np.bool_]

SCRATCH = "scratch"
COMPARABLE = ("params", "data2", "eval_data")
"""Columns that a scratch row shares with the reuse rows that it is compared with."""

BY_WHERE = "left out by --where"


@dataclass(frozen=True)
class FitRows:
    """The rows that a fit uses.

    Attributes
    ----------
    table : those rows.
    n_dropped : how many of the table's rows were left out.
    method : the method that was fitted.
    reasons : reason -> number of rows left out for it.
    """

    table: RunTable
    n_dropped: int
    method: str
    reasons: dict[str, int]


class _Selection:
    """The rows still in, and those left out by reason."""

    def __init__(self, table: RunTable) -> None:
        self.table = table
        self.keep = np.ones(len(table), dtype=bool)
        self.left: dict[str, Mask] = {}

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were left out for each reason."""
        return {reason: int(mask.sum()) for reason, mask in self.left.items()}

    def drop(self, mask: Mask, reason: str) -> None:
        leaving = self.keep & mask
        if leaving.any():
            self.left[reason] = self.left.get(reason, np.zeros_like(leaving)) | leaving
            self.keep &= ~mask

    def rows(self, method: str) -> FitRows:
        n_dropped = int((~self.keep).sum())
        return FitRows(self.table.select(self.keep), n_dropped, method, self.reasons)


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
    law = laws.get(law) if isinstance(law, str) else law
    if not 0 <= drop_lowest < 1:
        raise InputError(f"drop_lowest is a share of the rows from 0 to below 1, not {drop_lowest}")
    if "loss" in law.variables:
        raise InputError(
            f"law {law.key} reads the column 'loss' that it is to predict; leave it out of the "
            "formula"
        )
    selection = _Selection(table)
    if where is not None:
        kept = np.isin(table.row_numbers, table.where(where).row_numbers)
        selection.drop(~kept, BY_WHERE)
    _drop_unusable(selection)
    _drop_gaps(selection, law)
    chosen = (
        _two_stage(selection, law, method)
        if law.is_two_stage
        else _one_stage(selection, law, method)
    )
    _require_one_text(selection)
    _require_one_level(selection, law)
    _drop_lowest(selection, drop_lowest)
    if not selection.keep.any():
        raise InputError(_no_rows(selection, law))
    return selection.rows(chosen)


def _drop_unusable(selection: _Selection) -> None:
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
    selection = _Selection(table)
    if where is not None:
        kept = np.isin(table.row_numbers, table.where(where).row_numbers)
        selection.drop(~kept, BY_WHERE)
    for name in (target, *law.variables):
        selection.drop(~np.isfinite(table.numbers(name)), f"no {name}")
    _keep_method(selection, method)
    _drop_lowest(selection, drop_lowest, target)
    if not selection.keep.any():
        raise InputError(_no_rows(selection, law))
    rows = selection.rows(method or "")
    # Everything that looks at a fit's rows finds what was predicted under one name.
    columns = {**rows.table.columns, "loss": rows.table.numbers(target)}
    return replace(rows, table=replace(rows.table, columns=columns))


def _keep_method(selection: _Selection, method: str | None) -> None:
    """Keep the rows of one method, the one asked for if any."""
    table = selection.table
    if "method" not in table or table.columns["method"].dtype != object:
        if method is not None:
            raise InputError(f"{table.source}: the table has no column of methods to choose from")
        return
    methods = table.text("method")
    if method is None:
        names = _distinct(methods[selection.keep])
        if len(names) > 1:
            raise InputError(
                f"{table.source}: rows of several methods ({', '.join(names)}); "
                f"choose one with --method, for example --method {names[0]}"
            )
    elif not (methods == method).any():
        raise _no_such_method(table, method)
    else:
        selection.drop(methods != method, "other methods")


def _drop_gaps(selection: _Selection, law: Law) -> None:
    """Drop rows without a number in a variable of the law; refuse a table without the column."""
    table = selection.table
    for name in law.variables:
        if name not in table:
            found = known_columns(table.columns, near=name)
            raise InputError(f"{table.source}: law {law.key} needs a column '{name}'; {found}")
        selection.drop(~np.isfinite(table.numbers(name)), f"no {name}")


def _require_one_level(selection: _Selection, law: Law) -> None:
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


def _two_stage(selection: _Selection, law: Law, method: str | None) -> str:
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


def _left_by_where(selection: _Selection, rows: Mask) -> str:
    """Return a remark on those of the rows that --where left out, nothing where it left none."""
    left = selection.left.get(BY_WHERE)
    count = 0 if left is None else _count(left, rows)
    hint = 'keep them with, say, --where "D1 == 1M or D1 == 0"'
    return f" (--where left out {count} runs from scratch: {hint})" if count else ""


def joint_form(law: Law) -> str:
    """Return what a law with the runs from scratch is called, or how a formula is written."""
    if law.key.startswith("formula:"):
        return "a formula 'reuse: ...; scratch: ...'"
    return f"{law.key}+scratch"


def _one_stage(selection: _Selection, law: Law, method: str | None) -> str:
    """Keep the rows from scratch, of one model and text."""
    table = selection.table
    methods = table.text("method")
    from_scratch = table.numbers("tokens_stage1") == 0
    selection.drop(~from_scratch, "two stages (tokens_stage1 > 0)")
    if method is not None:
        if not (methods == method).any():
            raise _no_such_method(table, method)
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
            _require_one_value(selection, column)
    found = _distinct(methods[selection.keep])
    return method or (found[0] if len(found) == 1 else SCRATCH)


def _the_method(selection: _Selection, reuse: Mask, method: str | None) -> str:
    """Return the one method of the usable rows with a base, the one asked for if any."""
    table = selection.table
    methods = table.text("method")
    names = _distinct(methods[reuse])
    if method is not None:
        if method not in names:
            raise _no_rows_of(selection, method)
        return method
    if not names:
        raise InputError(
            f"{table.source}: no row has tokens_stage1 > 0 and tokens_stage2 > 0, which a "
            f"two-stage law is fitted to{_why(selection)}; use --law power for runs of one stage"
        )
    if len(names) > 1:
        raise InputError(
            f"{table.source}: rows of several methods ({', '.join(names)}); "
            f"choose one with --method, for example --method {names[0]}"
        )
    return names[0]


def _no_rows_of(selection: _Selection, method: str) -> InputError:
    """Return the error for a method without a usable row that has a base: what became of them."""
    table = selection.table
    own = table.text("method") == method
    if not own.any():
        return _no_such_method(table, method)
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


def _no_such_method(table: RunTable, method: str) -> InputError:
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
            present = _filled(values)
            known = values[reference & present]
            if known.size:
                same &= np.isin(values, known) | ~present
    return same


def _require_one_value(selection: _Selection, column: str) -> None:
    table = selection.table
    if column not in table:
        return
    values = table.columns[column]
    found = _distinct(values[selection.keep & _filled(values)])
    if len(found) > 1:
        example = found[0] if values.dtype != object else f"'{found[0]}'"
        raise InputError(
            f"{table.source}: the rows have {len(found)} values of {column} "
            f'({", ".join(found[:6])}); choose one with --where "{column} == {example}"'
        )


def _require_one_text(selection: _Selection) -> None:
    """Refuse losses on several texts: they are not measurements of one quantity."""
    _require_one_value(selection, "eval_data")


def _drop_lowest(selection: _Selection, share: float, target: str = "loss") -> None:
    kept = np.flatnonzero(selection.keep)
    lowest = kept[np.argsort(selection.table.numbers(target)[kept], kind="stable")]
    mask = np.zeros(len(selection.table), dtype=bool)
    mask[lowest[: int(np.ceil(share * kept.size))]] = True
    selection.drop(mask, f"lowest losses (--drop-lowest {share:g})")


def _no_rows(selection: _Selection, law: Law) -> str:
    advice = ""
    if not law.is_two_stage and any("two stages" in reason for reason in selection.left):
        advice = (
            f"; law {law.key} takes runs from scratch: fit runs with a base with --law "
            "bootstrapped, or choose runs with tokens_stage1 = 0"
        )
    source = selection.table.source
    return f"{source}: no row is left to fit law {law.key} to{_why(selection)}{advice}"


def _why(selection: _Selection) -> str:
    """Return what was left out and why, in brackets; nothing where nothing was."""
    why = "; ".join(f"{count} {reason}" for reason, count in selection.reasons.items())
    return f" ({why})" if why else ""


def _filled(values: NDArray[np.generic]) -> Mask:
    return np.asarray(values != "") if values.dtype == object else np.asarray(values == values)


def _distinct(values: Sequence[object] | NDArray[np.generic]) -> list[str]:
    return [f"{v:.10g}" if isinstance(v, float) else str(v) for v in sorted(set(values))]
