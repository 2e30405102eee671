"""``bootlaw laws``: the catalogue with formulas and sources."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING, Any

from bootlaw.cli.output import add_json_option, emit

if TYPE_CHECKING:
    from bootlaw.laws import Law

_WIDTH = 96


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "laws",
        help="list the laws with formulas and sources",
        description="List the laws, or show one with its parameters, units and source.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="key of one law")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the catalogue or one law."""
    from bootlaw import laws

    if args.name is not None:
        law = laws.get(args.name)
        emit(args, law.to_json(), _card(law))
        return 0
    known = [laws.get(key) for key in laws.names()]
    emit(args, {"laws": [law.to_json() for law in known]}, _catalogue(known))
    return 0


def _catalogue(known: list[Law]) -> str:
    width = max(len(law.key) for law in known)
    lines = [f"{law.key:<{width}}  {law.formula}" for law in known]
    closing = "bootlaw laws NAME shows one with its parameters, their units and its source."
    return "\n".join([*lines, "", closing])


def _card(law: Law) -> str:
    widths = [max(len(p.name) for p in law.parameters), max(len(p.meaning) for p in law.parameters)]
    lines = [
        law.key,
        f"  {law.title}",
        "",
        f"  {law.formula}",
        "",
        *(f"  {p.name:<{widths[0]}}  {p.meaning:<{widths[1]}}  {p.unit}" for p in law.parameters),
        "",
        *textwrap.wrap(
            f"columns: {', '.join(law.variables)}; logarithms are natural, tokens raw counts",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
        ),
        *textwrap.wrap(
            f"source: {law.source}", _WIDTH, initial_indent="  ", subsequent_indent="  "
        ),
    ]
    return "\n".join(lines)
