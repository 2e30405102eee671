import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.training.held_out import read_held_out
from bootlaw.training.text import END_OF_DOCUMENT
from bootlaw.training.text.tokens import TOKEN_TYPE


@pytest.fixture
def counted(tmp_path):
    path = tmp_path / "held_out.bin"
    np.arange(200, dtype=TOKEN_TYPE).tofile(path)
    return path


def test_all_sequences_together_predict_every_token_once(counted):
    held_out = read_held_out(counted, 8)
    targets = held_out.sequences[:, 1:].ravel()
    assert (targets == np.arange(1, 1 + len(targets))).all()
    assert len(held_out.sequences) == (200 - 1) // 8


def test_a_smaller_set_is_spread_over_the_whole_text(counted):
    """The first part alone would be another text, with another difficulty."""
    few = read_held_out(counted, 8, tokens=40).sequences
    every = read_held_out(counted, 8).sequences
    assert few.shape == (5, 9)
    assert {tuple(row) for row in few} < {tuple(row) for row in every}
    assert (np.diff(few[:, 0]) >= 32).all()


def test_sequences_know_their_document(tmp_path):
    documents = [np.full(size, number) for number, size in enumerate((20, 9, 40))]
    tokens = np.concatenate([np.append(document, END_OF_DOCUMENT) for document in documents])
    path = tmp_path / "held_out.bin"
    tokens.astype(TOKEN_TYPE).tofile(path)
    held_out = read_held_out(path, 5)
    for sequence, document in zip(held_out.sequences, held_out.documents, strict=True):
        assert sequence[0] in (document, END_OF_DOCUMENT)


def test_too_little_text_is_refused(counted):
    with pytest.raises(InputError, match="held-out tokens"):
        read_held_out(counted, 2000)
