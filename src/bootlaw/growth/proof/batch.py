"""The fixed batch of a check: a text shipped with the package, or seeded token ids.

The same parent gets the same tokens every time, so that two receipts can be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.growth.proof.quiet import quiet_transformers

SEQUENCES = 4
LENGTH = 128
_WINDOW_MARGIN = 64
"""Tokens beyond a sliding window, so that layers with and without one differ."""
_WIDEST_WINDOW = 1024
"""Widest window that is overrun: beyond it the check would take too long."""
_LOGIT_BYTES = 128 * 2**20
"""Most memory that the logits of the batch may take in float32."""


@dataclass(frozen=True)
class Batch:
    """Token ids on which parent and grown model are compared."""

    tokens: NDArray[np.int64]
    """Shape (sequences, length)."""
    source: str
    """``text`` (the parent's tokenizer on a text) or ``seeded-ids``."""
    detail: str
    """Which text, or why there are ids instead."""

    @property
    def sha256(self) -> str:
        """Hash of the ids, row by row as little-endian 64-bit integers."""
        return hashlib.sha256(self.tokens.astype("<i8").tobytes()).hexdigest()


def fixed_batch(
    folder: Path, config: Mapping[str, Any], *, seed: int = 0, text: Path | None = None
) -> Batch:
    """Return the batch for the model in `folder`.

    Parameters
    ----------
    folder
        The parent's folder, with its tokenizer files if it has any.
    config
        The parent's ``config.json``.
    seed
        Seed of the ids where there is no tokenizer.
    text
        A UTF-8 file instead of the shipped text; it needs the tokenizer.

    Raises
    ------
    InputError
        When `text` is given and cannot be read, or there is no tokenizer for it.
    """
    vocabulary = int(config["vocab_size"])
    shape = batch_shape(config)
    words, name = _text(text)
    ids, problem = _encode(folder, words, vocabulary)
    if ids is not None:
        return Batch(np.resize(ids, shape), "text", name)
    if text is not None:
        raise InputError(f"{text} cannot be used for the check: {problem}; leave it out")
    random = np.random.default_rng(seed)
    return Batch(random.integers(0, vocabulary, shape, np.int64), "seeded-ids", problem)


def batch_shape(config: Mapping[str, Any]) -> tuple[int, int]:
    """Return (sequences, length): 4 x 128 tokens, within the context, fewer for a huge vocabulary.

    Sliding windows of up to 1024 tokens are overrun, so that the check sees them.
    """
    context = int(config.get("max_position_embeddings") or LENGTH)
    length = LENGTH
    window = window_of(config)
    if window is not None and window <= _WIDEST_WINDOW:
        length = max(length, window + _WINDOW_MARGIN)
    length = max(min(length, context), 2)
    affordable = _LOGIT_BYTES // (4 * int(config["vocab_size"]) * length)
    return max(min(affordable, SEQUENCES), 1), length


def window_of(config: Mapping[str, Any]) -> int | None:
    """Return the sliding window that some layers attend through, or none."""
    window = config.get("sliding_window")
    if not window or config.get("use_sliding_window") is False:
        return None
    return int(window)


def _text(path: Path | None) -> tuple[str, str]:
    if path is None:
        shipped = resources.files("bootlaw.growth.proof").joinpath("text.txt")
        return shipped.read_text(encoding="utf-8"), "the text shipped with bootlaw"
    try:
        words = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    if not words.strip():
        raise InputError(f"{path}: is empty; the check needs some text")
    return words, str(path)


def _encode(folder: Path, text: str, vocabulary: int) -> tuple[NDArray[np.int64] | None, str]:
    """Return the text's ids, or none and the reason in words."""
    names = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json")
    if not any((folder / name).exists() for name in names):
        return None, "the parent has no tokenizer"
    from transformers import AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            # The text is cut into sequences here; the tokenizer's own limit does not matter.
            ids = np.asarray(tokenizer(text, truncation=False)["input_ids"], np.int64)
    except Exception as error:  # whatever a tokenizer raises, seeded ids do as well
        first = str(error).strip().splitlines()
        return None, f"the parent's tokenizer cannot be loaded ({first[0] if first else error!r})"
    if ids.size < 2 or ids.min() < 0 or ids.max() >= vocabulary:
        return None, f"the parent's tokenizer gives ids outside its vocabulary of {vocabulary}"
    return ids, ""
