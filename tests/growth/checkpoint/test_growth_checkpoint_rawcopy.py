import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import BootlawError
from bootlaw.growth.checkpoint import rawcopy
from bootlaw.growth.checkpoint.rawcopy import Span, copy_spans, joined


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "source"
    file.write_bytes(os.urandom(3 * (1 << 20) + 17))
    return file


def copied(spans, target):
    seen = []
    with target.open("w+b") as file:
        count = copy_spans(spans, file.fileno(), seen.append)
    return count, target.read_bytes(), seen


@pytest.mark.parametrize("length", [0, 1, 1 << 20, (1 << 20) + 1, 3 * (1 << 20) + 12])
def test_the_bytes_arrive_where_they_should(source, tmp_path, length):
    data = source.read_bytes()
    count, found, seen = copied([Span(source, 5, 11, length)], tmp_path / "target")
    assert count == sum(seen) == length
    assert found == (bytes(11) + data[5 : 5 + length] if length else b"")


def test_a_system_that_does_a_little_at_a_time_gets_there(source, tmp_path, monkeypatch):
    pwrite, preadv = os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: pwrite(file, data[:70_001], at))
    monkeypatch.setattr(os, "preadv", lambda file, into, at: preadv(file, [into[0][:90_001]], at))
    data = source.read_bytes()
    _, found, _ = copied([Span(source, 0, 0, len(data))], tmp_path / "target")
    assert found == data


def test_a_source_that_ends_too_early_is_named(source, tmp_path):
    with pytest.raises(BootlawError, match="source: became shorter"):
        copied([Span(source, 0, 0, 1 << 22)], tmp_path / "target")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=12))
def test_joining_copies_the_same_bytes_in_no_more_spans(pieces):
    spans, target = [], 0
    for start, length in pieces:
        spans.append(Span(rawcopy.Path("a"), start, target, length))
        target += length

    together = list(joined(spans))

    def bytes_of(spans):
        return [(s.start + i, s.target + i) for s in spans for i in range(s.length)]

    assert bytes_of(together) == bytes_of(spans)
    assert len(together) <= len(spans)


def test_what_follows_in_both_files_becomes_one_span():
    file = rawcopy.Path("a")
    spans = [Span(file, 0, 10, 4), Span(file, 4, 14, 6), Span(file, 10, 20, 1)]
    assert list(joined(spans)) == [Span(file, 0, 10, 11)]
    apart = [Span(file, 0, 10, 4), Span(rawcopy.Path("b"), 4, 14, 6)]
    assert list(joined(apart)) == apart
