"""Which rows of a run table a choice of the replay share reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting.levels import SAME_LEVEL, level_numbers
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity, words
from bootlaw.planning.share_curves import REPLAY
from bootlaw.planning.share_table import DIGITS
from bootlaw.runs import RunTable


def usable_rows(table: RunTable, texts: Sequence[str], method: str | None) -> RunTable:
    """Return the usable rows of one method and one base on the two texts.

    Raises
    ------
    InputError
        When the table lacks a column or a text, or holds several methods or bases.
    """
    for name in (REPLAY, "eval_data"):
        if name not in table:
            raise InputError(
                f"{table.source}: no column '{name}'; a mixture is chosen from runs with the "
                "share of replayed text (replay) and a row for each held-out text (eval_data)"
            )
    on = table.text("eval_data")
    for text in texts:
        if not (on == text).any():
            known = ", ".join(sorted({str(value) for value in on if value}))
            raise InputError(
                f"{table.source}: no row has eval_data {text!r}; the table has {known}"
            )
    if texts[0] == texts[1]:
        raise InputError(f"the new and the old text are both {texts[0]!r}; name two texts")
    usable = np.isin(on, list(texts)) & (table.numbers("loss") > 0) & (table.numbers(D1) > 0)
    usable &= (table.numbers(D2) > 0) & np.isfinite(table.numbers(REPLAY))
    return _of_one_base(_of_method(table.select(usable), method))


def _of_method(rows: RunTable, method: str | None) -> RunTable:
    methods = rows.text("method")
    known = sorted({str(value) for value in methods})
    if method is None and len(known) > 1:
        raise InputError(
            f"{rows.source}: rows of several methods ({', '.join(known)}); choose one with "
            f"--method, for example --method {known[0]}"
        )
    if not known or (method is not None and method not in known):
        asked = f" of method {method!r}" if method else ""
        raise InputError(
            f"{rows.source}: no row{asked} has a base, a second stage, a replay share and a loss "
            f"on one of the two texts{'; there are ' + ', '.join(known) if known else ''}"
        )
    return rows if method is None else rows.select(np.asarray(methods == method))


def _of_one_base(rows: RunTable) -> RunTable:
    found = levels(rows, D1)
    if len(found) > 1:
        shown = ", ".join(words.tokens(value) for value in found[:4])
        raise InputError(
            f"{rows.source}: bases of several D1 ({shown}), which change the loss like the share "
            f'does; choose one with --where "D1 == {found[-1]:.10g}"'
        )
    return rows


def of_text(rows: RunTable, text: str) -> RunTable:
    """Return the rows on one text; the text of stage 2 is left out, which may be another."""
    part = rows.select(np.asarray(rows.text("eval_data") == text))
    return replace(part, columns={k: v for k, v in part.columns.items() if k != "data2"})


def of_size(part: RunTable, size: float | None) -> RunTable:
    """Return the rows of one size; all of them where no size is known."""
    return part if size is None or N not in part else near(part, N, size)


def near(part: RunTable, name: str, value: float) -> RunTable:
    """Return the rows within 1 % of a value."""
    return part.select(np.abs(part.numbers(name) / value - 1) <= SAME_LEVEL)


def asked_size(rows: RunTable, params: float | None) -> float | None:
    """Return N: the one asked about, or the only one there is."""
    if params is not None:
        return validity.check_tokens("params", params)
    found = levels(rows, N) if N in rows else []
    if len(found) > 1:
        shown = ", ".join(words.tokens(value) for value in found[:4])
        raise InputError(
            f"{rows.source}: runs of several sizes ({shown}); say which with params (--params)"
        )
    return found[0] if found else None


def levels(rows: RunTable, name: str) -> list[float]:
    """Return the distinct levels of a column, ascending; values within 1 % are one."""
    values = rows.numbers(name)
    values = values[np.isfinite(values)]
    if not values.size:
        return []
    numbers = level_numbers(values)
    return [float(values[numbers == number].max()) for number in range(int(numbers.max()) + 1)]


def tried_shares(rows: RunTable) -> tuple[float, float]:
    """Return the least and the greatest replay share; InputError where there is only one."""
    shares = np.round(rows.numbers(REPLAY), DIGITS)
    low, high = float(shares.min()), float(shares.max())
    if low == high:
        raise InputError(
            f"{rows.source}: all runs replay {words.per_cent(low)}; a share is chosen between "
            "several, so run others"
        )
    return low, high
