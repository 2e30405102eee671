"""The columns of a run table, the names they go by and the units they may come in.

A header is resolved in this order:

1. the name of a column, or one of its exact, case-sensitive aliases (``D1``, ``N``, ``lr``);
2. such a name with a unit, as ``name[unit]`` or ``name_unit``: counts (parameters, tokens,
   FLOPs) take k, M, B, T; losses take nats, bits (per token). ``tokens_stage1_B``, ``D1[B]``
   and ``loss_bits`` are converted to raw tokens and nats on reading;
3. anything else is a column of the user's own, which is kept under its name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bootlaw.errors import InputError

Domain = Literal["any", "non-negative", "positive", "share"]

COUNT_UNITS: Mapping[str, float] = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
LOSS_UNITS: Mapping[str, float] = {
    "nats": 1.0,
    "bits": math.log(2.0),
    "nats/token": 1.0,
    "bits/token": math.log(2.0),
}
_UNITS: Mapping[str, Mapping[str, float]] = {
    "parameters": COUNT_UNITS,
    "tokens": COUNT_UNITS,
    "FLOPs": COUNT_UNITS,
    "nats per token": LOSS_UNITS,
}
_BRACKETED = re.compile(r"(?P<stem>.+?)\s*\[(?P<unit>[^\[\]]*)\]")


@dataclass(frozen=True)
class Column:
    """A column of the schema."""

    name: str
    kind: Literal["number", "text"]
    meaning: str
    unit: str = ""
    """Unit of the stored values: raw counts, nats per token; empty where there is none."""
    aliases: tuple[str, ...] = ()
    """Other exact names of the column; each is reported when it is used."""
    domain: Domain = "any"
    """Which finite numbers make sense; checked on reading."""

    @property
    def units(self) -> Mapping[str, float]:
        """Units that a header may name, each with its factor to the stored unit."""
        return _UNITS.get(self.unit, {})

    @property
    def is_count(self) -> bool:
        """Whether the column counts parameters, tokens or FLOPs, so that 1.3B makes sense."""
        return self.units is COUNT_UNITS


def _text(name: str, meaning: str, *aliases: str) -> Column:
    return Column(name, "text", meaning, aliases=aliases)


def _number(name: str, meaning: str, unit: str, domain: Domain, *aliases: str) -> Column:
    return Column(name, "number", meaning, unit, aliases, domain)


COLUMNS: tuple[Column, ...] = (
    _text("run", "id of the run; two rows with one run differ in eval_data", "run_id"),
    _text("method", "scratch, cpt, stack, ...; default scratch where D1 = 0, else reuse"),
    _number(
        "params",
        "non-embedding parameters of the evaluated model",
        "parameters",
        "positive",
        "N",
        "n_params",
        "non_embedding_params",
    ),
    _number("params_total", "all parameters", "parameters", "positive", "total_params"),
    _number("params_base", "non-embedding parameters of the base", "parameters", "positive", "N1"),
    _number(
        "tokens_stage1",
        "tokens the base was trained on; 0 for scratch",
        "tokens",
        "non-negative",
        "D1",
        "stage1_tokens",
    ),
    _number(
        "tokens_stage2",
        "tokens of the second stage, or of the only one",
        "tokens",
        "non-negative",
        "D2",
        "stage2_tokens",
    ),
    _number(
        "loss",
        "nats per token on the held-out eval_data",
        "nats per token",
        "positive",
        "val_loss",
        "eval_loss",
    ),
    _number(
        "loss_se",
        "sampling standard error of loss",
        "nats per token",
        "non-negative",
        "loss_stderr",
    ),
    _number(
        "loss_base",
        "the base's own loss on the same held-out text when stage 2 began",
        "nats per token",
        "positive",
    ),
    _text("schedule_state", "learning-rate state of the evaluated model: stable, cooled or mid"),
    _text("lr_policy", "rewarmed or carried"),
    _number("peak_lr", "peak learning rate of stage 2", "", "non-negative", "lr", "learning_rate"),
    _number("replay", "share of stage-1 text in stage 2", "", "share"),
    _text("data1", "text of stage 1"),
    _text("data2", "text of stage 2"),
    _text("eval_data", "the held-out text of this row", "eval_set"),
    _text("tokenizer", "name of the tokenizer"),
    _number("bytes_per_token", "bytes of held-out text per token", "bytes", "positive"),
    _number("seed", "random seed", "", "any"),
    _text("trunk", "id shared by the rows that branch off one second-stage trunk"),
    _number("unique_tokens", "distinct tokens in the second stage's corpus", "tokens", "positive"),
    _number("flops", "training FLOPs, both stages", "FLOPs", "non-negative", "FLOPs"),
)

ONE_STAGE = _number(
    "tokens",
    "tokens of the only stage: read as tokens_stage1 = 0, tokens_stage2 = tokens",
    "tokens",
    "non-negative",
    "D",
    "n_tokens",
)
"""Not a column of its own: shorthand for a table of one-stage runs."""

REQUIRED = ("tokens_stage1", "tokens_stage2", "loss")
BY_NAME: Mapping[str, Column] = {column.name: column for column in (*COLUMNS, ONE_STAGE)}
_BY_ANY_NAME: Mapping[str, Column] = {
    name: column for column in (*COLUMNS, ONE_STAGE) for name in (column.name, *column.aliases)
}


@dataclass(frozen=True)
class Heading:
    """One header of a table: as written, and what it stands for."""

    written: str
    column: Column | None
    """None for a column of the user's own."""
    unit: str = ""
    """Unit that the header names; empty where it names none."""

    @property
    def name(self) -> str:
        """Name of the column in the table that is read."""
        return self.column.name if self.column else self.written

    @property
    def factor(self) -> float:
        """Factor from the header's unit to the stored one."""
        return self.column.units[self.unit] if self.column and self.unit else 1.0

    @property
    def note(self) -> str:
        """What was done to the name and the unit, for people; empty where nothing was."""
        if self.name == self.written:
            return ""
        conversion = f", {self.unit} times {self.factor:g}" if self.factor != 1.0 else ""
        return f"column '{self.written}' read as {self.name}{conversion}"


def column_named(name: str) -> Column | None:
    """Return the schema's column with this exact name or alias, None for any other name."""
    return _BY_ANY_NAME.get(name)


def resolve(header: str) -> Heading:
    """Return what a header stands for, by the three rules at the top of this module.

    Raises
    ------
    InputError
        When ``name[unit]`` names a column of the schema and a unit that it cannot have.
    """
    if column := column_named(header):
        return Heading(header, column)
    if match := _BRACKETED.fullmatch(header):
        return _with_unit(header, match["stem"], match["unit"].strip())
    stem, _, unit = header.rpartition("_")
    column = column_named(stem)
    return (
        Heading(header, column, unit) if column and unit in column.units else Heading(header, None)
    )


def _with_unit(header: str, stem: str, unit: str) -> Heading:
    column = column_named(stem)
    if column is None:
        return Heading(header, None)
    if unit not in column.units:
        known = ", ".join(column.units) or "none"
        raise InputError(
            f"column '{header}': {column.name} cannot be in '{unit}' "
            f"(units it may name: {known}); convert it to {column.unit or 'a plain number'}"
        )
    return Heading(header, column, unit)
