"""From a raw table to a run table: schema names, schema units, every cell checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.runs.cells import (
    Problem,
    absent_text,
    cell_text,
    number_array,
    own_array,
    text_array,
    truth_notes,
)
from bootlaw.runs.headings import read_headings
from bootlaw.runs.raw import RawTable
from bootlaw.runs.schema import BY_NAME, COLUMNS, ONE_STAGE, REQUIRED, Heading
from bootlaw.runs.table import RunTable

Arrays = dict[str, NDArray[Any]]


def run_table(raw: RawTable) -> RunTable:
    """Return the run table that `raw` holds.

    Raises
    ------
    InputError
        For the first cell, in the order of the rows, that is wrong, and how many more are.
    """
    headings = read_headings(raw)
    positions = {heading.name: place for place, heading in enumerate(headings)}
    arrays, problems = _arrays(raw, headings)
    problems += _fill_from_one_stage(arrays, positions)
    unread = {(problem.row, problem.position) for problem in problems}
    problems += [
        problem
        for problem in _absent_required(raw, arrays, positions)
        if (problem.row, problem.position) not in unread
    ]
    _raise_first(raw, headings, problems)
    notes = [*raw.notes, *(heading.note for heading in headings if heading.note)]
    if "tokens_stage1" not in positions:
        notes.append("column 'tokens' read as one stage: tokens_stage1 = 0, tokens_stage2 = tokens")
    own = zip(headings, raw.columns, strict=True)
    notes += truth_notes((head.written, cells) for head, cells in own if head.column is None)
    notes += _default_methods(arrays)
    columns = _in_schema_order(arrays)
    return RunTable(columns, raw.source, raw.row_numbers, tuple(notes), raw.row_word)


def _arrays(raw: RawTable, headings: Sequence[Heading]) -> tuple[Arrays, list[Problem]]:
    arrays: Arrays = {}
    problems: list[Problem] = []
    for position, (heading, cells) in enumerate(zip(headings, raw.columns, strict=True)):
        if heading.column is None:
            arrays[heading.name] = own_array(cells)
        elif heading.column.kind == "text":
            arrays[heading.name] = text_array(cells)
        else:
            arrays[heading.name], found = number_array(cells, heading, position)
            problems += found
    return arrays, problems


def _fill_from_one_stage(arrays: Arrays, positions: Mapping[str, int]) -> list[Problem]:
    """Take D1 = 0, D2 = tokens where a row gives only `tokens`; return rows that contradict it."""
    if ONE_STAGE.name not in arrays:
        return []
    tokens = arrays[ONE_STAGE.name]
    absent = np.full_like(tokens, np.nan)
    stage1 = arrays.get("tokens_stage1", absent)
    stage2 = arrays.get("tokens_stage2", absent)
    given = ~np.isnan(tokens)
    fill = given & np.isnan(stage1) & np.isnan(stage2)
    arrays["tokens_stage1"] = np.where(fill, 0.0, stage1)
    arrays["tokens_stage2"] = np.where(fill, tokens, stage2)
    contradicted = given & ~fill & ~((stage1 == 0) & (stage2 == tokens))
    return [
        Problem(
            int(row),
            positions[ONE_STAGE.name],
            f"found {cell_text(tokens[row])}, which means tokens_stage1 = 0 and tokens_stage2 = "
            f"{cell_text(tokens[row])}, but the row has tokens_stage1 = {cell_text(stage1[row])} "
            f"and tokens_stage2 = {cell_text(stage2[row])}; remove or rename one of the columns",
        )
        for row in np.flatnonzero(contradicted)
    ]


def _absent_required(raw: RawTable, arrays: Arrays, positions: Mapping[str, int]) -> list[Problem]:
    problems = []
    for name in REQUIRED:
        position = positions.get(name, positions.get(ONE_STAGE.name, 0))
        advice = "write 0 for a run from scratch" if name == "tokens_stage1" else "fill it in"
        problems += [
            Problem(
                int(row),
                position,
                f"is {absent_text(raw.columns[position][int(row)])}; {advice}, or remove the row",
            )
            for row in np.flatnonzero(np.isnan(arrays[name]))
            # A table of one-stage runs has one empty cell, not two.
            if name in positions or name == "tokens_stage2"
        ]
    return problems


def _raise_first(raw: RawTable, headings: Sequence[Heading], problems: Sequence[Problem]) -> None:
    if not problems:
        return
    first = min(problems)
    more = len(problems) - 1
    others = f" ({more} more problem{'s' * (more > 1)} in this table)" if more else ""
    raise InputError(
        f"{raw.source}, {raw.row_word} {raw.row_numbers[first.row]}, "
        f"column '{headings[first.position].written}': {first.message}{others}"
    )


def _default_methods(arrays: Arrays) -> list[str]:
    """Fill in `method` where a row does not say; return the note that says so."""
    default = np.where(arrays["tokens_stage1"] == 0, "scratch", "reuse").astype(object)
    given = arrays.get("method")
    arrays["method"] = default if given is None else np.where(given == "", default, given)
    filled = len(default) if given is None else int(np.sum(given == ""))
    if not filled:
        return []
    where = "no column 'method'" if given is None else f"{filled} rows without a method"
    return [f"{where}: scratch where tokens_stage1 = 0, else reuse"]


def _in_schema_order(arrays: Arrays) -> Arrays:
    known = {column.name: arrays[column.name] for column in COLUMNS if column.name in arrays}
    return (
        known
        | {name: values for name, values in arrays.items() if name not in BY_NAME}
        | ({ONE_STAGE.name: arrays[ONE_STAGE.name]} if ONE_STAGE.name in arrays else {})
    )
