"""Byte-level tokens: the UTF-8 bytes 0..255 and one mark that ends a document.

A byte-level vocabulary needs no training, so that a study is the same on every machine and
a loss in nats per token is a loss in nats per byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw.atomic import atomic_file

END_OF_DOCUMENT = 256
VOCABULARY_SIZE = 257
TOKEN_TYPE = np.dtype("<u2")


def encode(text: bytes, *, ended: bool = True) -> NDArray[np.uint16]:
    """Tokens of one document, shape (len(text) + ended,), little-endian uint16."""
    tokens = np.frombuffer(text, dtype=np.uint8).astype(TOKEN_TYPE)
    return np.append(tokens, TOKEN_TYPE.type(END_OF_DOCUMENT)) if ended else tokens


def decode(tokens: NDArray[np.uint16]) -> list[bytes]:
    """Documents in a run of tokens; a last one without its end mark is included if not empty.

    Raises
    ------
    ValueError
        If a token lies outside the vocabulary.
    """
    if tokens.size and int(tokens.max()) >= VOCABULARY_SIZE:
        raise ValueError(f"token {int(tokens.max())} is outside 0..{VOCABULARY_SIZE - 1}")
    ends = np.flatnonzero(tokens == END_OF_DOCUMENT)
    starts = np.concatenate([[0], ends + 1])
    stops = np.append(ends, tokens.size)
    documents = [
        tokens[start:stop].astype(np.uint8).tobytes()
        for start, stop in zip(starts, stops, strict=True)
    ]
    return documents if documents[-1] else documents[:-1]


def read_tokens(path: Path) -> NDArray[np.uint16]:
    """All tokens of a file, shape (tokens,)."""
    return np.fromfile(path, dtype=TOKEN_TYPE)


def write_tokens(path: Path, documents: Iterable[tuple[bytes, bool]]) -> None:
    """Write (text, ended) documents to `path`, which appears only when it is complete."""
    with atomic_file(path) as file:
        for chunk in _chunks(documents):
            file.write(chunk)


def _chunks(documents: Iterable[tuple[bytes, bool]]) -> Iterator[bytes]:
    for text, ended in documents:
        yield encode(text, ended=ended).tobytes()
