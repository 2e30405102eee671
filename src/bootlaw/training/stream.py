"""Token streams: the batch of a step is a pure function of (text, share, seed, step).

Because a batch depends on nothing else, a resumed run, a branch and a run on another number of
workers all see the same data, and two runs with one seed see the same second stage.

The order is prefix-stable: sequences are shuffled inside chunks of fixed size, the chunks in
order, and only whole chunks are read. So text that is appended later changes no batch, and a study
that gains a longer run keeps its old ones. (A permutation of the whole file would give every
sequence another place.) The preparation mixes the documents, so that a chunk is a fair sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.training.text.tokens import TOKEN_TYPE

CHUNK = 512
"""Sequences that are shuffled together."""
_PERIOD = 4


class Share(Enum):
    """Which of every four chunks of a text a stream reads: shares never overlap."""

    ALL = "all"
    BASES = "bases"
    """Three of four, for the bases."""
    SECOND = "second"
    """The fourth, for second stages on the text of the bases."""

    @property
    def places(self) -> tuple[int, ...]:
        """Its places in a period of four chunks."""
        return {Share.ALL: (0, 1, 2, 3), Share.BASES: (0, 1, 2), Share.SECOND: (3,)}[self]

    def chunk(self, number: int) -> int:
        """Return where in the text the share's chunk `number` lies, counted in chunks."""
        period, place = divmod(number, len(self.places))
        return period * _PERIOD + self.places[place]

    def sequences(self, tokens: int, context: int) -> int:
        """Return how many sequences of a text of `tokens` belong to the share, in whole chunks."""
        # The last target of a chunk is the token after it.
        chunks = max(0, tokens - 1) // (context * CHUNK)
        return CHUNK * sum(len(range(place, chunks, _PERIOD)) for place in self.places)

    def tokens_of_text(self, sequences: int, context: int) -> int:
        """Return how many tokens a text needs for the share to hold `sequences`."""
        chunks = -(-sequences // CHUNK)
        return (self.chunk(chunks - 1) + 1) * CHUNK * context + 1 if chunks else 0


@dataclass(frozen=True)
class TokenStream:
    """Sequences of a share of one token file, shuffled by `seed`, each used once."""

    path: Path
    """Raw little-endian uint16 tokens."""
    context: int
    """Tokens a sequence; a sequence of inputs and targets spans context + 1 tokens."""
    batch_size: int
    """Sequences a step."""
    seed: int
    share: Share = Share.ALL

    @cached_property
    def steps(self) -> int:
        """How many full steps the share holds without repeating a token."""
        return self.share.sequences(self._tokens.size, self.context) // self.batch_size

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
        places = range(step * self.batch_size, (step + 1) * self.batch_size)
        first = np.array([self._sequence(place) for place in places])[:, None] * self.context
        tokens: NDArray[np.int64] = self._tokens[first + np.arange(self.context + 1)].astype(
            np.int64
        )
        return tokens

    def _sequence(self, place: int) -> int:
        """Return which sequence of the text is at `place` of the stream."""
        number, within = divmod(place, CHUNK)
        chunk = self.share.chunk(number)
        return chunk * CHUNK + int(_order(self.seed, chunk)[within])

    @cached_property
    def _tokens(self) -> NDArray[np.uint16]:
        return np.memmap(self.path, dtype=TOKEN_TYPE, mode="r")


@lru_cache(maxsize=16)
def _order(seed: int, chunk: int) -> NDArray[np.int64]:
    """Return a permutation of a chunk's sequences.

    Sorted raw words of Philox (Salmon et al. 2011), a published algorithm whose raw output numpy
    guarantees; `Generator.permutation` may give another order in another version of numpy, and
    the same run would then see other data.
    """
    words = np.random.Philox(key=np.array([seed, chunk], dtype=np.uint64)).random_raw(CHUNK)
    return np.argsort(words, kind="stable")
