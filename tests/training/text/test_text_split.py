from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.training.text.corpus import Candidate, Corpus, digest
from bootlaw.training.text.split import (
    GAP_BYTES,
    HELD_OUT_GROUPS,
    PIECE_BYTES,
    Sizes,
    check_enough,
    is_enough,
    split_by_group,
    split_by_position,
    total_tokens,
)
from bootlaw.training.text.user import SmallestHashes, documents_needed


def corpus(texts, group=lambda number: number):
    candidates = tuple(
        Candidate("source", digest(f"g{group(n)}".encode()), digest(text), lambda text=text: text)
        for n, text in enumerate(texts)
    )
    groups = len({candidate.group_key for candidate in candidates})
    return Corpus("words", candidates, documents=len(candidates), groups=groups)


def documents(n, size=100):
    return [f"document {number} ".encode() * (size // 11 + number % 5) for number in range(n)]


def accept_all(_text):
    return True


lengths = st.lists(st.integers(1, 400), min_size=1, max_size=60)
sizes = st.builds(Sizes, held_out=st.integers(2, 900), train=st.none() | st.integers(2, 5000))


@given(lengths, sizes)
def test_no_group_is_on_both_sides_and_sizes_are_exact(lengths, sizes):
    texts = [bytes([65 + n % 26]) * length + b"%d" % n for n, length in enumerate(lengths)]
    owner = {text: n // 3 for n, text in enumerate(texts)}
    split = split_by_group(corpus(texts, lambda n: n // 3), sizes, accept_all)
    ends = [next(t for t in texts if t.startswith(s.text)) for s in split.train if s.ended]
    held = [[t for t in texts if t.startswith(s.text)] for s in split.held_out]
    unambiguous = {owner[found[0]] for found in held if len(found) == 1}
    assert not unambiguous & {owner[text] for text in ends}
    assert total_tokens(split.held_out) <= sizes.held_out
    if split.train:
        assert total_tokens(split.held_out) == sizes.held_out
    if sizes.train is not None:
        assert total_tokens(split.train) <= sizes.train


def test_the_held_out_set_covers_many_groups_and_does_not_depend_on_the_training_size():
    texts = [*documents(700), b"a huge document " * 5000]
    small = split_by_group(corpus(texts), Sizes(3200, 1000), accept_all)
    large = split_by_group(corpus(texts), Sizes(3200), accept_all)
    assert small.held_out == large.held_out
    assert len(small.held_out) >= HELD_OUT_GROUPS
    assert max(sample.tokens for sample in small.held_out) <= 3200 / HELD_OUT_GROUPS
    assert large.train[: len(small.train) - 1] == small.train[:-1]


def joined(samples):
    return b"".join(sample.text + b"\0" * sample.ended for sample in samples)


@given(lengths, st.integers(2, 900), st.tuples(st.integers(2, 5000), st.integers(2, 5000)))
def test_text_for_a_smaller_size_is_the_beginning_of_text_for_a_larger_one(
    lengths, held_out, trains
):
    """A longer level asks for more text; what was trained on must not move."""
    texts = [bytes([65 + n % 26]) * length * 30 + b"%d" % n for n, length in enumerate(lengths)]
    one = replace(corpus(texts), window=5000)
    small, large = (
        split_by_group(one, Sizes(held_out, train), accept_all) for train in sorted(trains)
    )
    assert small.held_out == large.held_out
    assert joined(large.train).startswith(joined(small.train))


def test_long_documents_are_cut_and_mixed_within_a_window():
    """In document order one book was all that a thousand steps saw."""
    books = [b"".join(b"%d%07d" % (n, i) for i in range(12_500)) for n in range(8)]
    split = split_by_group(replace(corpus(books), window=600_000), Sizes(1000), accept_all)
    assert max(len(sample.text) for sample in split.train) <= PIECE_BYTES
    starts = [{book[:1] for book in books if piece.text in book} for piece in split.train[:24]]
    assert len(set.union(*starts)) == 6
    assert sum(len(sample.text) for sample in split.train) == 7 * 100_000


def test_order_depends_on_content_only():
    texts = documents(50)
    one = split_by_group(corpus(texts, lambda n: texts[n]), Sizes(500), accept_all)
    texts = texts[::-1]
    two = split_by_group(corpus(texts, lambda n: texts[n]), Sizes(500), accept_all)
    assert one == two


@given(lengths, sizes)
def test_forgetting_what_is_not_needed_does_not_change_the_split(lengths, sizes):
    texts = {digest(t): t for t in (b"%d:" % n + b"x" * size for n, size in enumerate(lengths))}
    selection = SmallestHashes(sizes)
    for identity, text in texts.items():
        selection.add(identity, "source", text)

    def split(kept):
        candidates = tuple(Candidate("source", k, k, lambda t=texts[k]: t) for k in kept)
        return split_by_group(Corpus("", candidates, len(texts), len(texts)), sizes, accept_all)

    assert split(selection.kept) == split(texts)


def test_memory_is_bounded_by_the_sizes():
    sizes, texts = Sizes(1000, 10_000), documents(5000)
    selection = SmallestHashes(sizes)
    for text in texts:
        selection.add(digest(text), "source", text)
    assert selection.documents == 5000
    longest = max(map(len, texts))
    kept = sum(len(text) for _, text in selection.kept.values())
    assert kept <= 2 * (HELD_OUT_GROUPS * longest + 10_000) + longest


def test_documents_needed_counts_both_parts():
    assert documents_needed([99] * 100, Sizes(held_out=1600, train=1000)) == 64 + 10
    assert documents_needed([99] * 5, Sizes(held_out=1600, train=1000)) == 5
    assert documents_needed([99] * 100, Sizes(held_out=1600)) == 100


def test_a_single_document_is_split_by_position_with_a_gap():
    text = b"".join(b"%06d " % n for n in range(20_000))
    sizes = Sizes(7001)
    split = split_by_position(corpus([text]), sizes)
    assert is_enough(split, sizes)
    assert split.held_out[0].text == text[-7000:]
    head = text[: -7000 - GAP_BYTES]
    assert sorted(split.train, key=lambda piece: head.index(piece.text)) != list(split.train)
    pieces = sorted((piece.text for piece in split.train), key=head.index)
    assert b"".join(pieces) == head
    assert "position" in split.how


def test_too_little_text_is_an_input_error():
    sizes = Sizes(100_000)
    split = split_by_group(corpus(documents(20)), sizes, accept_all)
    with pytest.raises(
        InputError, match=r"books: too little text: it gave [\d,]+ of 100,000 held-out"
    ):
        check_enough(split, sizes, "books")
