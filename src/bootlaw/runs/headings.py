"""What each header of a raw table stands for, and whether the table can be a run table."""

from __future__ import annotations

from collections.abc import Sequence

from bootlaw.errors import InputError
from bootlaw.runs.raw import RawTable
from bootlaw.runs.schema import BY_NAME, ONE_STAGE, REQUIRED, Heading, resolve

_TOKENS = ("tokens_stage1", "tokens_stage2")
_HINTS = {"loss": ("loss",), "tokens_stage1": ("tok", "sample"), "tokens_stage2": ("tok", "sample")}


def read_headings(raw: RawTable) -> tuple[Heading, ...]:
    """Return one heading for each header of `raw`, in order.

    Raises
    ------
    InputError
        When a required column is missing, two headers mean one column, or a unit is unknown.
    """
    try:
        headings = tuple(resolve(header) for header in raw.headers)
    except InputError as error:
        raise InputError(f"{raw.source}: {error}") from None
    _check_required(raw, {heading.name for heading in headings})
    _check_clashes(raw.source, headings)
    return headings


def _check_required(raw: RawTable, names: set[str]) -> None:
    one_stage = ONE_STAGE.name in names and names.isdisjoint(_TOKENS)
    missing = [
        name for name in REQUIRED if name not in names and not (one_stage and name in _TOKENS)
    ]
    if missing:
        raise InputError(
            f"{raw.source}: needs {_needed(missing)}; "
            f"found {', '.join(raw.headers)}; {_advice(raw.headers, missing)}"
        )


def _needed(missing: Sequence[str]) -> str:
    def described(name: str) -> str:
        column = BY_NAME[name]
        names = " or ".join((f"'{column.name}'", *column.aliases[:1] * (name != "loss")))
        return f"{names} ({column.meaning})"

    needed = " and ".join(described(name) for name in missing)
    return f"{needed}, or 'tokens' for one-stage runs" if set(_TOKENS) <= set(missing) else needed


def _advice(headers: Sequence[str], missing: Sequence[str]) -> str:
    candidates = [
        header
        for header in headers
        if resolve(header).column is None
        and any(hint in header.lower() for name in missing for hint in _HINTS[name])
    ]
    wanted = "tokens" if set(missing) == set(_TOKENS) else missing[0]
    if not candidates:
        return f"rename the column that holds it to '{wanted}', or add it"
    quoted = ", ".join(f"'{name}'" for name in candidates[:4])
    which = "column" if len(candidates) == 1 else "one of the columns"
    return f"rename {which} {quoted}{', ...' * (len(candidates) > 4)} if it is that"


def _check_clashes(source: str, headings: Sequence[Heading]) -> None:
    written: dict[str, str] = {}
    for heading in headings:
        if heading.name in written:
            raise InputError(
                f"{source}: columns '{written[heading.name]}' and '{heading.written}' both mean "
                f"{heading.name}; rename or remove one"
            )
        written[heading.name] = heading.written
