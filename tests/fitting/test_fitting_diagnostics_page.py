"""``docs/diagnostics.md`` lists every code that the source can give, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bootlaw
from bootlaw.fitting.diagnostics.mixtures import MIXED

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
SOURCE = Path(bootlaw.__file__).parent
NAME = re.compile(r"[a-z0-9_]+")


def codes_in_source() -> set[str]:
    """Return the constant first arguments of calls of Diagnostic, and the codes of mixtures."""
    calls = (
        node
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Diagnostic" and node.args
    )
    first = (call.args[0] for call in calls)
    constant = {str(arg.value) for arg in first if isinstance(arg, ast.Constant)}
    return constant | {code for code, _ in MIXED.values()}


def rows_of_page() -> dict[str, list[str]]:
    """Return code -> the other cells of its row."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip(" `"): row[1:] for row in cells}


def test_the_page_and_the_source_name_the_same_codes() -> None:
    assert set(rows_of_page()) == codes_in_source()
    assert all(NAME.fullmatch(code) for code in codes_in_source())


def test_every_code_has_its_meaning_number_and_advice() -> None:
    for code, cells in rows_of_page().items():
        assert len(cells) == 4, code
        assert set(re.split(", | or ", cells[0])) <= {"error", "warning", "info"}, code
        assert all(cells), code
