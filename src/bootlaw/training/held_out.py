"""Held-out text as sequences, and the documents they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.training.text.tokens import END_OF_DOCUMENT, read_tokens


@dataclass(frozen=True)
class HeldOut:
    """A fixed held-out set."""

    sequences: NDArray[np.int64]
    """Inputs and targets, shape (n, context + 1)."""
    documents: NDArray[np.int64]
    """The document in which each sequence begins, shape (n,): sequences of one document are not
    independent draws."""


def read_held_out(path: Path, context: int, tokens: int | None = None) -> HeldOut:
    """Return held-out text as sequences that do not overlap.

    Parameters
    ----------
    path
        A held-out token file.
    context
        Tokens a sequence.
    tokens
        How many targets to keep, as whole sequences spread evenly over the file, so that a
        smaller set is a sample of the larger one; all of them where None.

    Raises
    ------
    InputError
        When the file does not hold one sequence.
    """
    stored = read_tokens(path)
    count = (len(stored) - 1) // context
    if count < 1:
        raise InputError(f"{path}: {len(stored)} held-out tokens, one sequence needs {context + 1}")
    kept = count if tokens is None else min(count, max(1, tokens // context))
    starts = (np.arange(kept) * count // kept) * context
    ends = np.cumsum(stored == END_OF_DOCUMENT)
    sequences = stored[starts[:, None] + np.arange(context + 1)].astype(np.int64)
    return HeldOut(sequences, ends[starts].astype(np.int64))
