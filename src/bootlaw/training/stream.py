"""Token streams: the batch of a step is a pure function of (text, seed, step).

Because a batch depends on nothing else, a resumed run, a branch and a run on another number of
workers all see the same data, and two runs with one seed see the same second stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError

TOKEN_TYPE = np.dtype("<u2")


@dataclass(frozen=True)
class TokenStream:
    """Sequences of one token file, shuffled by `seed`, each used once."""

    path: Path
    """Raw little-endian uint16 tokens."""
    start: int
    """First token of the range this stream may read."""
    stop: int
    """End of that range (exclusive)."""
    context: int
    """Tokens a sequence; a sequence of inputs and targets spans context + 1 tokens."""
    batch_size: int
    """Sequences a step."""
    seed: int

    @property
    def sequences(self) -> int:
        """How many sequences the range holds; the last target needs one token more."""
        return max(0, (self.stop - self.start - 1) // self.context)

    @property
    def steps(self) -> int:
        """How many full steps the range holds without repeating a token."""
        return self.sequences // self.batch_size

    def batch(self, step: int) -> NDArray[np.int64]:
        """Return the sequences of step `step`, shape (batch_size, context + 1).

        Raises
        ------
        InputError
            When the text is used up: nothing is ever repeated in silence.
        """
        if not 0 <= step < self.steps:
            raise InputError(
                f"{self.path}: step {step} asks for more than the {self.steps} steps of unique "
                "text; give more text or ask for fewer tokens"
            )
        chosen = self._order[step * self.batch_size : (step + 1) * self.batch_size]
        first = self.start + chosen[:, None] * self.context
        tokens: NDArray[np.int64] = self._tokens[first + np.arange(self.context + 1)].astype(
            np.int64
        )
        return tokens

    @cached_property
    def _tokens(self) -> NDArray[np.uint16]:
        return np.memmap(self.path, dtype=TOKEN_TYPE, mode="r")

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.random.default_rng(self.seed).permutation(self.sequences)
