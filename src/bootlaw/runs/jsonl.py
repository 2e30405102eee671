"""JSON Lines files: one object per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.runs.files import decode, read_bytes
from bootlaw.runs.raw import RawTable, raw_table


def read_jsonl(path: Path) -> RawTable:
    """Return the cells of a file with one JSON object per line; an absent key is an absent cell.

    Raises
    ------
    InputError
        When a line is not an object of numbers, texts, booleans and nulls.
    """
    text = decode(path, read_bytes(path))
    # Not splitlines: U+2028 and its like are legal inside a JSON string.
    numbered = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise InputError(f"{path}: the file is empty; write one JSON object per line")
    records = [_record(path, number, line) for number, line in numbered]
    headers = list(dict.fromkeys(key for record in records for key in record))
    columns = [[record.get(header) for record in records] for header in headers]
    lines = [number for number, _ in numbered]
    return raw_table(str(path), headers, columns, row_numbers=lines, row_word="line")


def _record(path: Path, number: int, line: str) -> dict[str, Any]:
    place = f"{path}, line {number}"
    try:
        record = json.loads(line, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: is not JSON ({error}); write one object per line") from None
    if not isinstance(record, _Pairs):
        raise InputError(f"{place}: holds {_kind(record)}; write one JSON object per line")
    cells = dict(record)
    if len(cells) != len(record):
        raise InputError(f"{place}: has one key twice; remove one of them")
    for key, value in cells.items():
        if isinstance(value, list):
            raise InputError(
                f"{place}, column '{key}': found {_kind(value)}, not a number or text; give what "
                "it holds keys of their own on the line, or leave it out"
            )
    return cells


class _Pairs(list[tuple[str, Any]]):
    """An object's keys and values, in which a key that occurs twice is still seen."""


def _kind(value: object) -> str:
    if isinstance(value, _Pairs):
        return "an object"
    return "a list" if isinstance(value, list) else f"the bare value {value!r:.40}"
