"""What a study is given: two token files of a domain, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

IDENTITY_TOKENS = 65_536
"""Tokens to train on that enter the identity of a text: with fewer, it changes with the size."""


@dataclass(frozen=True)
class PreparedText:
    """Token files of one domain (raw little-endian uint16; see `tokens`).

    `fingerprint` is the identity of the text, whatever its name and its size: the SHA-256 of its
    kind, of the held-out text and of the first `IDENTITY_TOKENS` tokens to train on.
    """

    name: str
    train: Path
    held_out: Path
    train_tokens: int
    held_out_tokens: int
    train_documents: int
    held_out_documents: int
    fingerprint: str
    train_sha256: str
    held_out_sha256: str
