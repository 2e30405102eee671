"""Files of the running environment: the standard library and the packages of the `train` extra.

Nothing here imports a package; files are found through the import system's finders only.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from importlib.util import decode_source, find_spec
from pathlib import Path

STDLIB = "Python standard library"

PACKAGES: tuple[tuple[str, str], ...] = (
    ("numpy", "numpy"),
    ("scipy", "scipy"),
    ("matplotlib", "matplotlib"),
    ("jinja2", "jinja2"),
    ("narwhals", "narwhals"),
    ("pyarrow", "pyarrow"),
    ("torch", "torch"),
    ("transformers", "transformers"),
    ("huggingface_hub", "huggingface_hub"),
    ("tokenizers", "tokenizers"),
    ("safetensors", "safetensors"),
    ("sympy", "sympy"),
    ("networkx", "networkx"),
    ("mpmath", "mpmath"),
    ("fsspec", "fsspec"),
    ("filelock", "filelock"),
    ("packaging", "packaging"),
    ("fonttools", "fontTools"),
    ("pillow", "PIL"),
    ("contourpy", "contourpy"),
    ("cycler", "cycler"),
    ("pyparsing", "pyparsing"),
    ("python-dateutil", "dateutil"),
    ("tqdm", "tqdm"),
    ("typer", "typer"),
    ("click", "click"),
    ("rich", "rich"),
)
"""Distribution and import name of what the core and the `train` extra install."""

_NOT_PYTHON = ("__pycache__", "lib-dynload", "include", "share", "bin")
_NOT_SOURCE = frozenset((*_NOT_PYTHON, "site-packages", "dist-packages", "pydoc_data"))
_NOT_PROSE = frozenset(
    ("test", "tests", "testing", "idlelib", "turtledemo", "_vendor", "vendor", "externals")
)
_OF_THE_MACHINE = ("_sysconfigdata", "config-", "sitecustomize", "usercustomize")
MAX_FILE_BYTES = 600_000
"""Larger source files are tables or generated code."""


def stdlib_files() -> list[tuple[str, Path]]:
    """Python files of the standard library by name, its tests included where present."""
    root = Path(sysconfig.get_path("stdlib"))
    return sorted(
        (name, path)
        for name, path in _walk(root, "", _NOT_SOURCE, (".py",))
        if not name.startswith(_OF_THE_MACHINE)
    )


def documentation_files(package: str) -> list[tuple[str, Path]]:
    """Python, reStructuredText and Markdown files of an installed package by name; tests not."""
    spec = find_spec(package)
    roots = (spec.submodule_search_locations if spec else None) or []
    skip = _NOT_SOURCE | _NOT_PROSE
    return sorted(
        item for root in roots for item in _walk(Path(root), "", skip, (".py", ".rst", ".md"))
    )


def is_prose_path(name: str) -> bool:
    """Whether the docstrings of a file count as documentation (tests and the like do not)."""
    return _NOT_PROSE.isdisjoint(name.split("/"))


def installed_packages() -> Iterator[tuple[str, str, metadata.Distribution]]:
    """Distribution name, import name and distribution of each of `PACKAGES` that is present."""
    for name, package in PACKAGES:
        try:
            yield name, package, metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue


def long_description(distribution: metadata.Distribution) -> str:
    """The README that a distribution carries in its metadata; empty if there is none."""
    document = distribution.read_text("METADATA") or ""
    return document.partition("\n\n")[2]


def read_source(path: Path) -> str | None:
    """Text of a source file in its declared encoding; None if it is huge or does not decode."""
    try:
        source = path.read_bytes()
        return decode_source(source) if len(source) <= MAX_FILE_BYTES else None
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
        return None


def _walk(
    folder: Path, prefix: str, skip: frozenset[str], suffixes: tuple[str, ...]
) -> Iterator[tuple[str, Path]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in skip and not entry.name.startswith("."):
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", skip, suffixes)
        elif entry.name.endswith(suffixes):
            yield prefix + entry.name, Path(entry.path)
