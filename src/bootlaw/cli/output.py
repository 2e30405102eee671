"""What a command prints: one JSON document with ``--json``, text for people otherwise."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``, which every command takes."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document on standard output"
    )


def emit(args: argparse.Namespace, document: Mapping[str, Any], text: str) -> None:
    """Print `document` where ``--json`` was given, else `text`."""
    print(dumps(document) if args.json else text)


def say(message: str) -> None:
    """Print a note for people on standard error."""
    print(message, file=sys.stderr, flush=True)


def dumps(document: Mapping[str, Any]) -> str:
    """Return `document` as JSON text in which NaN and infinities are null."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return value
