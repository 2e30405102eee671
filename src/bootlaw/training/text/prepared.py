"""What a study is given: two token files of a domain, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PreparedText:
    """Token files of one domain (raw little-endian uint16; see `tokens`).

    `fingerprint` is the SHA-256 of both files, training text first.
    """

    name: str
    train: Path
    held_out: Path
    train_tokens: int
    held_out_tokens: int
    train_documents: int
    held_out_documents: int
    fingerprint: str
