"""The corpora that are on every machine: English documentation and Python code.

`prose` is what the standard library and the installed packages say in English; `code` is the
standard library without that English (its docstrings), so that no text of one is in the other.
"""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from bootlaw.errors import InputError
from bootlaw.training.text import environment as env
from bootlaw.training.text.corpus import Candidate, Corpus, named_candidate
from bootlaw.training.text.docstrings import (
    DOCSTRING,
    DOCSTRING_OR_ARGUMENT,
    docstrings,
    without_docstrings,
)
from bootlaw.training.text.prose import ProseCleaner

MIN_CODE_CHARACTERS = 200
WINDOW_BYTES = 2**20
"""Mixed together: a hundred files or more, read in a few seconds."""
TOPICS = "pydoc topics"
_GENERATED = re.compile(r"\bgenerated\b.{0,40}\b(?:by|from|with|automatically)\b", re.IGNORECASE)


def versions(role: str) -> dict[str, str]:
    """Version of the interpreter and, for `prose`, of each package that is read."""
    found = {env.STDLIB: platform.python_version()}
    if role == "prose":
        found |= {name: dist.version for name, _, dist in env.installed_packages()}
    return found


def code_corpus() -> Corpus:
    """The standard library's Python files without docstrings, grouped by package."""
    dropped: Counter[str] = Counter()
    candidates = tuple(
        named_candidate(env.STDLIB, name, code_group(name), _code_reader(path, dropped))
        for name, path in env.stdlib_files()
    )
    if not candidates:
        raise InputError(
            "no .py files of the standard library are installed: give code with --cpt-text"
        )
    description = (
        "Python code: the standard library of the running interpreter with its tests, docstrings "
        "removed, comments kept; held out by top-level package or module, in test/ by file or "
        "subfolder"
    )
    return _corpus("code", description, candidates, dropped)


def prose_corpus() -> Corpus:
    """English documentation of the standard library and the installed packages, one by file."""
    dropped: Counter[str] = Counter()
    clean = ProseCleaner(dropped).clean
    candidates = [
        named_candidate(source, name, name, _prose_reader(read, clean, dropped))
        for source, name, read in _documentation()
    ]
    description = (
        "English: docstrings, READMEs and help topics of the standard library and of the "
        "installed packages, code and tables removed, each paragraph once; held out by file"
    )
    return _corpus("prose", description, candidates, dropped)


def _corpus(
    role: str, description: str, candidates: Sequence[Candidate], dropped: Counter[str]
) -> Corpus:
    return Corpus(
        description,
        tuple(candidates),
        documents=len(candidates),
        groups=len({candidate.group_key for candidate in candidates}),
        window=WINDOW_BYTES,
        versions=versions(role),
        dropped=dropped,
    )


def code_group(name: str) -> str:
    """What a file must not be separated from: its top-level package; in `test` its subfolder."""
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] == "test" else parts[0]


def _documentation() -> Iterator[tuple[str, str, Callable[[], str | None]]]:
    for name, path in env.stdlib_files():
        if env.is_prose_path(name):
            yield env.STDLIB, name, _file_reader(path, DOCSTRING)  # arguments stay in `code`
    for topic, text in _topics():
        yield TOPICS, topic, _constant(text)
    for distribution, package, found in env.installed_packages():
        yield distribution, "README", _readme_reader(found)
        for name, path in env.documentation_files(package):
            yield distribution, name, _file_reader(path, DOCSTRING_OR_ARGUMENT)


def _topics() -> list[tuple[str, str]]:
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some distributions ship the documentation separately
        return []
    return sorted(topics.items())


def _file_reader(path: Path, pattern: re.Pattern[str]) -> Callable[[], str | None]:
    def read() -> str | None:
        text = env.read_source(path)
        if text is None or path.suffix != ".py":
            return text
        return "\n\n".join(docstrings(text, pattern))

    return read


def _readme_reader(distribution: metadata.Distribution) -> Callable[[], str | None]:
    return lambda: env.long_description(distribution)


def _constant(text: str) -> Callable[[], str | None]:
    return lambda: text


def _prose_reader(
    read: Callable[[], str | None], clean: Callable[[str], str | None], dropped: Counter[str]
) -> Callable[[], bytes | None]:
    def prose() -> bytes | None:
        text = read()
        if text is None:
            dropped["unreadable or huge files"] += 1
            return None
        document = clean(text)
        return None if document is None else document.encode()

    return prose


def _code_reader(path: Path, dropped: Counter[str]) -> Callable[[], bytes | None]:
    def code() -> bytes | None:
        text = env.read_source(path)
        if text is None:
            dropped["unreadable or huge files"] += 1
            return None
        if _GENERATED.search(text, 0, 1000):
            dropped["generated files"] += 1
            return None
        try:
            text = without_docstrings(text).strip("\n") + "\n"
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            dropped["files that do not parse"] += 1
            return None
        if len(text) < MIN_CODE_CHARACTERS:
            dropped["too short files"] += 1
            return None
        return text.encode()

    return code


EMBEDDED: Mapping[str, Callable[[], Corpus]] = {"prose": prose_corpus, "code": code_corpus}
