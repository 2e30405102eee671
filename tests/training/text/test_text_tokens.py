import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.training.text import END_OF_DOCUMENT, VOCABULARY_SIZE, decode, encode
from bootlaw.training.text.tokens import read_tokens, write_tokens


@given(st.lists(st.text(min_size=1)))
def test_tokens_give_the_text_back(texts):
    documents = [text.encode("utf-8", "surrogatepass") for text in texts]
    tokens = np.concatenate([encode(b""[:0], ended=False), *map(encode, documents)])
    assert decode(tokens) == documents


@given(st.binary(min_size=1))
def test_a_cut_document_has_no_end_mark(text):
    assert END_OF_DOCUMENT not in encode(text, ended=False)
    assert decode(encode(text, ended=False)) == [text]


def test_files_are_little_endian_16_bit(tmp_path):
    path = tmp_path / "train.bin"
    write_tokens(path, [(b"a\xff", True), (b"b", False)])
    assert path.read_bytes() == b"a\0\xff\0\x00\x01b\0"
    assert decode(read_tokens(path)) == [b"a\xff", b"b"]


def test_a_failed_write_leaves_nothing(tmp_path):
    def documents():
        yield b"text", True
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tokens(tmp_path / "train.bin", documents())
    assert list(tmp_path.iterdir()) == []


def test_tokens_outside_the_vocabulary_are_refused():
    with pytest.raises(ValueError, match="257"):
        decode(np.array([1, VOCABULARY_SIZE], dtype=np.uint16))
