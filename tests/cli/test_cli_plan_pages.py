"""The commands on the pages of the docs print what the pages show."""

import re
import shlex
from pathlib import Path

import pytest

from bootlaw.cli.main import main

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = re.compile(r"```\n\$ bootlaw (?P<command>[^\n]+)\n(?P<output>.*?)\n```", re.DOTALL)
EXAMPLES = [
    pytest.param(found["command"], found["output"], id=f"{page.stem}-{number}")
    for page in (DOCS / "planning-checkpoints.md", DOCS / "planning-mixture.md")
    for number, found in enumerate(SHOWN.finditer(page.read_text("utf-8")))
]


def test_the_pages_have_examples():
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_commands_print_what_the_pages_show(command, output, capsys):
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out.rstrip("\n") == output


PARTS = re.compile(r"```sh\n(?P<commands>.*?)\n```\n(?P<after>.*?)(?=```sh\n|\Z)", re.DOTALL)
SHOWN_AFTER = [
    pytest.param(part["commands"], part["after"], id=f"{page.stem}-{number}")
    for page in (DOCS / "planning-upcycle.md",)
    for number, part in enumerate(PARTS.finditer(page.read_text("utf-8")))
]


@pytest.mark.parametrize(("commands", "after"), SHOWN_AFTER)
def test_what_a_page_shows_after_its_commands_is_what_they_print(
    commands, after, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for command in commands.replace("\\\n", " ").splitlines():
        assert main(shlex.split(command)[1:]) in (0, 3)
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    shown = [line.strip() for line in after.splitlines() if line.startswith("    ")]
    assert [line for line in shown if line and line not in printed] == []
