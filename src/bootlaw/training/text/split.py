"""Division of a corpus into held-out and training text, by whole groups, in hash order.

The order is that of SHA-256 of names or contents, so that it depends on no machine path, and so
that any prefix of the training text is a sample of the whole (a study reads prefixes). For that,
documents to train on are cut into pieces, and the pieces are mixed within windows of documents: a
book of half a megabyte would otherwise be all that a thousand steps see. A window is read whole
even where only its beginning is wanted: the text for a smaller size is the beginning of the text
for a larger one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from bootlaw.errors import InputError
from bootlaw.training.text.corpus import Candidate, Corpus, digest

HELD_OUT_GROUPS = 64
"""A held-out set is spread over at least this many groups where the corpus is large enough."""
GROUPS_PER_HELD_OUT_GROUP = 10
"""At most one group in this many is spent on spreading the held-out set."""
MIN_TRAIN_TOKENS = 1024
PIECE_BYTES = 4096
"""Longest piece of a document to train on."""
GAP_BYTES = 4096
"""Text left out between the two parts of a document that is split by position."""


@dataclass(frozen=True)
class Sizes:
    """Tokens wanted: exactly `held_out`, and up to `train` (None: all there is)."""

    held_out: int
    train: int | None = None


@dataclass(frozen=True)
class Sample:
    """A document, or a piece of one, as it stands in a token file."""

    source: str
    text: bytes
    ended: bool = True

    @property
    def tokens(self) -> int:
        return len(self.text) + self.ended


@dataclass(frozen=True)
class Split:
    """Held-out and training samples in file order, and how they were chosen, in words."""

    held_out: tuple[Sample, ...]
    train: tuple[Sample, ...]
    how: str


Accept = Callable[[bytes], bool]
"""Whether a document may be used; called once for each document that is read."""


def group_cap(n_groups: int, held_out: int) -> int:
    """Tokens that one group may give to a held-out set of `held_out` tokens."""
    groups = max(1, min(HELD_OUT_GROUPS, n_groups // GROUPS_PER_HELD_OUT_GROUP))
    return math.ceil(held_out / groups)


def split_by_group(corpus: Corpus, sizes: Sizes, accept: Accept) -> Split:
    """Split in which no group gives text to both sides; may lack text (see `check_enough`)."""
    groups = _in_group_order(corpus.candidates)
    cap = group_cap(corpus.groups, sizes.held_out)
    held_out: list[Sample] = []
    missing, used = sizes.held_out, 0
    while missing > 0 and used < len(groups):
        samples = _from_group(groups[used], min(cap, missing), accept)
        held_out += samples
        missing -= total_tokens(samples)
        used += 1
    rest = sorted((c for group in groups[used:] for c in group), key=lambda c: c.key)
    train = _up_to(sizes.train, _mixed(_accepted(rest, accept), corpus.window))
    return Split(tuple(held_out), tuple(train), _how(cap, sizes.held_out))


def split_by_position(corpus: Corpus, sizes: Sizes) -> Split:
    """Split of a corpus of too few documents: the tail of the longest is held out, after a gap."""
    samples = sorted(_accepted(corpus.candidates, lambda _: True), key=lambda s: -len(s.text))
    longest = samples[0]
    cut = max(0, longest.tokens - sizes.held_out)
    head = Sample(longest.source, longest.text[: max(0, cut - GAP_BYTES)])
    tail = Sample(longest.source, longest.text[cut:])
    rest = (sample for sample in (head, *samples[1:]) if sample.text)
    train = _up_to(sizes.train, _mixed(rest, corpus.window))
    how = (
        f"by position, for want of documents: the last {sizes.held_out:,} tokens of the longest "
        f"document are held out, the {GAP_BYTES:,} bytes before them are left out"
    )
    return Split((tail,), tuple(train), how)


def is_enough(split: Split, sizes: Sizes) -> bool:
    """Whether the held-out set is complete and something is left to train on."""
    held_out, train = total_tokens(split.held_out), total_tokens(split.train)
    wanted = MIN_TRAIN_TOKENS if sizes.train is None else min(MIN_TRAIN_TOKENS, sizes.train)
    return held_out == sizes.held_out and train >= wanted


def check_enough(split: Split, sizes: Sizes, where: str) -> None:
    """Raise an `InputError` that says what the text was enough for, unless `is_enough`."""
    if not is_enough(split, sizes):
        raise InputError(
            f"{where}: too little text: it gave {total_tokens(split.held_out):,} of "
            f"{sizes.held_out:,} held-out tokens and left {total_tokens(split.train):,} to train "
            f"on (at least {MIN_TRAIN_TOKENS:,} are needed); give more text"
        )


def total_tokens(samples: Iterable[Sample]) -> int:
    """Tokens of the samples together."""
    return sum(sample.tokens for sample in samples)


def _in_group_order(candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    ordered = sorted(candidates, key=lambda c: (c.group_key, c.key))
    return [list(group) for _, group in groupby(ordered, key=lambda c: c.group_key)]


def _accepted(candidates: Iterable[Candidate], accept: Accept) -> Iterator[Sample]:
    for candidate in candidates:
        text = candidate.read()
        if text is not None and accept(text):
            yield Sample(candidate.source, text)


def _mixed(samples: Iterable[Sample], window: int) -> Iterator[Sample]:
    """The pieces of `samples`, in hash order within every `window` bytes of samples."""
    pieces: list[Sample] = []
    size = 0
    for sample in samples:
        pieces += _pieces(sample)
        size += len(sample.text)
        if size >= window:
            yield from sorted(pieces, key=lambda piece: digest(piece.text))
            pieces, size = [], 0
    yield from sorted(pieces, key=lambda piece: digest(piece.text))


def _pieces(sample: Sample) -> list[Sample]:
    """Pieces of about the same size, each with an end mark."""
    text = sample.text
    count = max(1, math.ceil(len(text) / PIECE_BYTES))
    cuts = [len(text) * number // count for number in range(count + 1)]
    return [Sample(sample.source, text[i:j]) for i, j in pairwise(cuts)]


def _from_group(group: list[Candidate], cap: int, accept: Accept) -> list[Sample]:
    """Samples of one group, `cap` tokens at most; a document that is cut keeps its end mark."""
    samples: list[Sample] = []
    left = cap
    for sample in _accepted(group, accept):
        samples.append(_beginning(sample, left))
        left -= samples[-1].tokens
        if left <= 1:  # no room for a byte and an end mark
            break
    return samples


def _beginning(sample: Sample, limit: int) -> Sample:
    if sample.tokens <= limit:
        return sample
    if limit == 1:
        return Sample(sample.source, sample.text[:1], ended=False)
    return Sample(sample.source, sample.text[: limit - 1])


def _up_to(limit: int | None, samples: Iterable[Sample]) -> Iterator[Sample]:
    """The samples until `limit` tokens; the last one is cut so that the total is exact."""
    left = math.inf if limit is None else limit
    for sample in samples:
        if sample.tokens > left:
            yield Sample(sample.source, sample.text[: int(left)], ended=False)
            return
        yield sample
        left -= sample.tokens
        if left <= 0:
            return


def _how(cap: int, held_out: int) -> str:
    share = "whole" if cap >= held_out else f"{cap:,} tokens at most from each"
    return f"by group in hash order, the first groups held out ({share}), the others to train"
