"""A corpus: documents that can be read, in no order of their own, and where they come from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Candidate:
    """A document that may enter a split; it is read only when its turn comes.

    Documents with one `group_key` are never divided between training and held-out text;
    `group_key` and `key` fix the pseudo-random order of groups and of documents. `read` returns
    UTF-8, or None where nothing usable is left.
    """

    source: str
    group_key: bytes
    key: bytes
    read: Callable[[], bytes | None]


@dataclass(frozen=True)
class Corpus:
    """The documents of one domain, with the words that describe them in the data card.

    `documents` and `groups` count all of the corpus, `candidates` may be the part that is needed.
    `window` is the size in bytes of the stretch of documents whose pieces are mixed (see `split`).
    `dropped` counts, by reason, what reading left out so far.
    """

    description: str
    candidates: tuple[Candidate, ...]
    documents: int
    groups: int
    window: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)


def digest(text: bytes) -> bytes:
    """SHA-256 of the text: the identity of a document, and its place in the hash order."""
    return hashlib.sha256(text).digest()


def named_candidate(
    source: str, name: str, group: str, read: Callable[[], bytes | None]
) -> Candidate:
    """A candidate whose place in the order depends on its name below `source` only."""
    return Candidate(
        source=source,
        group_key=digest(f"{source}/{group}".encode()),
        key=digest(f"{source}/{name}".encode()),
        read=read,
    )
