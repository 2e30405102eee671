"""Tables of checkpoints as CSV files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.planning.checkpoints import KINDS, STATES, Checkpoint
from bootlaw.planning.cost import ModelShape
from bootlaw.runs import RunTable, read_numbers

_POSITIVE = (
    "params_total",
    "params_non_embedding",
    "params_active",
    "tokens",
    "unique_tokens",
    "peak_lr",
)
_WHOLE = (
    "vocab_size",
    "hidden_size",
    "layers",
    "heads",
    "kv_heads",
    "head_size",
    "intermediate_size",
)
_WHOLE_OR_NONE = ("positions", "experts", "experts_active")
_FLAGS = ("gated", "tied")
_TEXT = ("hub_id", "data1", "tokenizer", "licence", "source", "date", "note")
_CHOICES: Mapping[str, tuple[str, ...]] = {"kind": KINDS, "schedule_state": STATES}
_REQUIRED = ("name", "tokens")
COLUMNS = (
    *("name", *_POSITIVE, "final_lr", *_WHOLE, *_WHOLE_OR_NONE),
    *(*_FLAGS, *_TEXT, *_CHOICES),
)


def read_table(path: Path) -> tuple[Checkpoint, ...]:
    """Return the checkpoints in a table; see `bootlaw.planning.checkpoints.read_checkpoints`."""
    table = read_numbers(path)
    _check_columns(table)
    found = tuple(_checkpoint(_Row(table, index)) for index in range(len(table)))
    seen: dict[str, int] = {}
    for index, checkpoint in enumerate(found):
        first = seen.setdefault(checkpoint.name.lower(), index)
        if first != index:
            raise InputError(
                f"{table.place(index)}, column 'name': {checkpoint.name!r} is also in "
                f"{table.row_word} {table.row_numbers[first]}; give each checkpoint its own name"
            )
    return found


def _check_columns(table: RunTable) -> None:
    from difflib import get_close_matches

    for name in _REQUIRED:
        if name not in table:
            raise InputError(
                f"{table.source}: no column '{name}'; a table of checkpoints needs "
                f"{' and '.join(_REQUIRED)}, and may have {', '.join(COLUMNS)}"
            )
    for name in table.columns:
        near = get_close_matches(name, COLUMNS, n=1, cutoff=0.8)
        if name not in COLUMNS and near:
            raise InputError(
                f"{table.source}: column '{name}' is not known; did you mean '{near[0]}'?"
            )


class _Row:
    """One row, whose cells are read with their place in the file at hand."""

    def __init__(self, table: RunTable, index: int) -> None:
        self.table = table
        self.index = index

    def text(self, column: str) -> str:
        if column not in self.table:
            return ""
        value: Any = self.table.columns[column][self.index]
        if isinstance(value, str):
            return value.strip()
        return "" if math.isnan(value) else f"{value:.17g}"

    def number(self, column: str, *, zero_allowed: bool = False) -> float | None:
        """Return a cell's number, None where it is empty."""
        text = self.text(column)
        if not text:
            return None
        from bootlaw.runs.quantities import parse_quantity

        try:
            value = parse_quantity(text)
        except ValueError:
            raise self.error(
                column, f"{text!r} is not a number; write it like 1.3B or 300e9"
            ) from None
        if not math.isfinite(value) or value < 0 or (value == 0 and not zero_allowed):
            raise self.error(column, f"{text} must be above zero; leave it empty if not known")
        return value

    def whole(self, column: str, *, zero_allowed: bool = False) -> int | None:
        """Return a cell's whole number, None where it is empty."""
        value = self.number(column, zero_allowed=zero_allowed)
        if value is not None and not value.is_integer():
            raise self.error(column, f"{value:g} is not a whole number")
        return None if value is None else int(value)

    def choice(self, column: str, allowed: tuple[str, ...]) -> str:
        text = self.text(column)
        if text and text not in allowed:
            known = ", ".join(value for value in allowed if value)
            raise self.error(column, f"{text!r} is none of {known}")
        return text

    def error(self, column: str, what: str) -> InputError:
        return InputError(f"{self.table.place(self.index)}, column '{column}': {what}")


def _checkpoint(row: _Row) -> Checkpoint:
    name = row.text("name")
    if not name:
        raise row.error("name", "is empty; every checkpoint needs a name")
    fields: dict[str, Any] = {column: row.number(column) for column in _POSITIVE}
    fields |= {c: row.choice(c, allowed) for c, allowed in _CHOICES.items()}
    fields |= {column: row.text(column) for column in _TEXT}
    fields["kind"] = fields["kind"] or "base"
    shape = _shape(row)
    total = fields.pop("params_total")
    params = fields.pop("params_non_embedding")
    if params is None and shape is not None:
        embeddings = shape.params_total - shape.params
        params = float(shape.params if total is None else total - embeddings)
    _check_sizes(row, total, params, fields["params_active"])
    idle = 0 if shape is None else shape.params - shape.params_active
    fields["params_active"] = fields["params_active"] or (None if params is None else params - idle)
    return Checkpoint(
        name=name,
        params_total=total,
        params=params,
        shape=shape,
        final_lr=row.number("final_lr", zero_allowed=True),
        **fields,
    )


def _check_sizes(
    row: _Row, total: float | None, params: float | None, active: float | None
) -> None:
    if total is not None and params is not None and not 0 < params <= total:
        raise row.error(
            "params_non_embedding", f"{params:.6g} is not between 0 and the {total:.6g} in all"
        )
    if active is not None and params is not None and active > params:
        raise row.error("params_active", f"{active:.6g} is more than the {params:.6g} there are")


def _shape(row: _Row) -> ModelShape | None:
    """Return the shape, None where a part of it is not given."""
    whole = {column: row.whole(column) for column in _WHOLE}
    flags = {column: row.choice(column, ("yes", "no")) for column in _FLAGS}
    extra = {column: row.whole(column, zero_allowed=True) or 0 for column in _WHOLE_OR_NONE}
    known: dict[str, Any] = {column: value for column, value in whole.items() if value is not None}
    if len(known) < len(whole) or not all(flags.values()):
        return None
    width = known.pop("intermediate_size")
    sparse = extra["experts"] > 0
    try:
        return ModelShape(
            **known,
            intermediate_size=0 if sparse else width,
            gated=flags["gated"] == "yes",
            tied=flags["tied"] == "yes",
            positions=extra["positions"],
            experts=extra["experts"],
            experts_per_token=extra["experts_active"],
            expert_intermediate_size=width if sparse else 0,
        )
    except InputError as error:
        raise InputError(f"{row.table.place(row.index)}: {error}") from None
