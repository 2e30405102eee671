"""A user's own text as a corpus: read in one pass, keeping only what the sizes ask for.

The documents wanted are those of smallest SHA-256. While reading, the text beyond what would fill
the split is forgotten; of every document its hash is kept, to know it again. So memory is set by
the sizes and the number of documents, not by their length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bootlaw.training.text.corpus import Candidate, Corpus, digest
from bootlaw.training.text.domains import Domain
from bootlaw.training.text.files import file_hash, input_files
from bootlaw.training.text.readers import read_documents
from bootlaw.training.text.split import HELD_OUT_GROUPS, Sizes

WINDOW_BYTES = 32 * 2**20
"""Mixed together: a hundred books. All of the text is read in any case."""


@dataclass
class SmallestHashes:
    """The documents of smallest hash that fill a split of given sizes.

    Forgetting is exact: another document can only move the last one that is needed forward in
    the hash order, never back.
    """

    sizes: Sizes
    kept: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    documents: int = 0
    _bytes: int = 0
    _limit: int | None = None
    _bound: bytes | None = None

    def __post_init__(self) -> None:
        if self.sizes.train is not None:
            self._limit = 2 * (self.sizes.train + self.sizes.held_out)

    def add(self, identity: bytes, source: str, text: bytes) -> None:
        """Offer a document that was not offered before."""
        self.documents += 1
        if self._bound is not None and identity >= self._bound:
            return
        self.kept[identity] = (source, text)
        self._bytes += len(text)
        if self._limit is not None and self._bytes > self._limit:
            self._forget()

    def _forget(self) -> None:
        order = sorted(self.kept)
        needed = documents_needed((len(self.kept[key][1]) for key in order), self.sizes)
        if needed < len(order):
            self._bound = order[needed]
        self.kept = {key: self.kept[key] for key in order[:needed]}
        self._bytes = sum(len(text) for _, text in self.kept.values())
        self._limit = max(self._limit or 0, 2 * self._bytes)


def documents_needed(lengths: Iterable[int], sizes: Sizes) -> int:
    """How many documents, in order, fill the held-out and then the training text."""
    cap = -(-sizes.held_out // HELD_OUT_GROUPS)
    held_out, train, needed = sizes.held_out, sizes.train, 0
    for length in lengths:
        needed += 1
        if held_out > 0:
            held_out -= min(length + 1, cap)
        elif train is not None:
            train -= length + 1
        if held_out <= 0 and train is not None and train <= 0:
            break
    return needed


def user_corpus(domain: Domain, seen: set[bytes]) -> Corpus:
    """The part of a user's text that its sizes need; `seen` documents are left out.

    Raises
    ------
    InputError
        If a path is missing or a file cannot be read.
    """
    dropped: Counter[str] = Counter()
    selection = SmallestHashes(_with_window(domain.sizes))
    for file in input_files(domain.paths, dropped):
        for text in read_documents(file, dropped):
            identity = digest(text)
            if not text.strip():
                dropped["empty documents"] += 1
            elif identity in seen:
                dropped["duplicate documents"] += 1
            else:
                seen.add(identity)
                selection.add(identity, file.source, text)
    return Corpus(
        description=f"text given with {domain.option}; one document by file, line or row",
        candidates=tuple(
            Candidate(source, key, key, _constant(text))
            for key, (source, text) in selection.kept.items()
        ),
        documents=selection.documents,
        groups=selection.documents,
        window=WINDOW_BYTES,
        dropped=dropped,
    )


def _with_window(sizes: Sizes) -> Sizes:
    """The sizes with the text that completes the last window."""
    return sizes if sizes.train is None else Sizes(sizes.held_out, sizes.train + WINDOW_BYTES)


def content_hashes(domain: Domain) -> list[list[str]]:
    """Name below the given path and SHA-256 of every file of a user's text."""
    files = input_files(domain.paths, Counter())
    return [[file.name, file_hash(file)] for file in files]


def _constant(text: bytes) -> Callable[[], bytes | None]:
    return lambda: text
