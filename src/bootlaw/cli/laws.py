"""``bootlaw laws``: the catalogue with formulas, sources and published coefficients."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING, Any

from bootlaw.cli.output import add_json_option, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootlaw.laws import Law, Preset

_WIDTH = 96


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "laws",
        help="list the laws and their published coefficients",
        description="List the laws and the published coefficients (presets), or show one with "
        "its parameters, units, columns and source. With --json also LaTeX and JavaScript.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="key of one law or preset")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the catalogue, one law or one preset."""
    from bootlaw import laws

    if args.name in laws.preset_names():
        preset = laws.preset(args.name)
        emit(args, preset.to_json(), _preset_card(preset))
        return 0
    presets = [laws.preset(name) for name in laws.preset_names()]
    if args.name is not None:
        _require_known(args.name)
        law = laws.get(args.name)
        own = [preset for preset in presets if preset.law_key == law.key]
        document = {**law.to_json(), "presets": [preset.key for preset in own]}
        emit(args, document, _law_card(law, own))
        return 0
    known = [laws.get(key) for key in laws.names()]
    document = {"laws": [one.to_json() for one in known], "presets": [p.to_json() for p in presets]}
    emit(args, document, _catalogue(known, presets))
    return 0


def _require_known(name: str) -> None:
    """Raise InputError with the nearest preset where a name is nearer to one than to a law."""
    from difflib import get_close_matches

    from bootlaw import laws

    everything = [*laws.names(), *laws.preset_names()]
    near = get_close_matches(name.lower().replace("_", "-"), everything, n=1, cutoff=0.5)
    if near and near[0] in laws.preset_names():
        laws.preset(name)


def _catalogue(known: Sequence[Law], presets: Sequence[Preset]) -> str:
    rows = [(law.key, law.formula) for law in known]
    published = [(preset.key, f"{preset.law_key}, {preset.source}") for preset in presets]
    closing = (
        "bootlaw laws NAME shows one with its parameters, their units and its source; "
        "a formula of your own is written --formula 'A*D1^-a1*D2^-a2 + E'."
    )
    return "\n".join(
        [*_columns(rows), "", "Published coefficients:", *_columns(published), "", closing]
    )


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in rows)
    return [f"{left:<{width}}  {right}" for left, right in rows]


def _law_card(law: Law, presets: Sequence[Preset]) -> str:
    widths = [max(len(p.name) for p in law.parameters), max(len(p.meaning) for p in law.parameters)]
    lines = [
        law.key,
        *_paragraph(law.title),
        "",
        f"  {law.formula}",
        "",
        *(f"  {p.name:<{widths[0]}}  {p.meaning:<{widths[1]}}  {p.unit}" for p in law.parameters),
        "",
        *_paragraph(_about_columns(law)),
        *_paragraph(f"source: {law.source}"),
    ]
    if presets:
        lines += _paragraph(f"published coefficients: {', '.join(p.key for p in presets)}")
    return "\n".join(lines)


def _about_columns(law: Law) -> str:
    from bootlaw.laws.names import SHORT_NAME_OF

    written = [
        f"{name} ({short})" if (short := SHORT_NAME_OF.get(name)) else name
        for name in law.variables
    ]
    predicted = "" if law.output == "loss" else f"; predicts {law.output}"
    return f"columns: {', '.join(written)}{predicted}; logarithms are natural, tokens raw counts"


def _preset_card(preset: Preset) -> str:
    law = preset.law
    width = max(len(name) for name in law.names)
    lines = [preset.key, *_paragraph(law.title), "", f"  {law.formula}", ""]
    for parameter in law.parameters:
        error = preset.standard_errors.get(parameter.name)
        spread = "" if error is None else f" (standard error {error:g})"
        value = f"{preset.values[parameter.name]:.7g}{spread}"
        lines.append(f"  {parameter.name:<{width}}  {value}  {parameter.unit}")
    lines += ["", *_paragraph(f"law: {preset.law_key}"), *_paragraph(_about_columns(law))]
    lines += _paragraph(f"source: {preset.source}")
    if preset.note:
        lines += _paragraph(f"note: {preset.note}")
    return "\n".join(lines)


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
