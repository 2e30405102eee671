"""A head that is its embedding is one tensor, also where a file holds it twice."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.header import Stored
from bootlaw.growth.families import families

_PAIRS = (
    ("lm_head.weight", "model.embed_tokens.weight"),
    ("embed_out.weight", "gpt_neox.embed_in.weight"),
)
_BLOCK = 1 << 24


def without_tied_head(
    stored: Mapping[str, Stored], config: Mapping[str, Any], origin: str, *, compare: bool = True
) -> dict[str, Stored]:
    """Return `stored` without a head that the configuration ties to the embedding.

    `compare` says whether the files are there, so that the two can be held side by side.

    Raises
    ------
    InputError
        When such a head differs from the embedding, so that one of the two says wrong.
    """
    kept = dict(stored)
    family = families().get(str(config.get("model_type")))
    tied = config.get("tie_word_embeddings", family and family.value(config, "tie_word_embeddings"))
    if not tied:
        return kept
    for head, embedding in _PAIRS:
        if head in kept and embedding in kept:
            if compare and not _same_bytes(kept[head], kept[embedding]):
                raise InputError(
                    f"{origin}: config.json says tie_word_embeddings, but {head} differs from "
                    f"{embedding}; set it to false, or remove {head}, whichever is true"
                )
            del kept[head]
    return kept


def _same_bytes(one: Stored, other: Stored) -> bool:
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    with one.file.open("rb") as first, other.file.open("rb") as second:
        for offset in range(0, one.nbytes, _BLOCK):
            length = min(_BLOCK, one.nbytes - offset)
            left = os.pread(first.fileno(), length, one.start + offset)
            if left != os.pread(second.fileno(), length, other.start + offset):
                return False
    return True
