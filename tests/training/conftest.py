import numpy as np
import pytest

from bootlaw.training.model import ModelSpec
from bootlaw.training.stream import TokenStream
from bootlaw.training.text.tokens import TOKEN_TYPE


@pytest.fixture(scope="session")
def tiny_model():
    return ModelSpec(hidden_size=16, layers=2, head_size=8, intermediate_size=24, context=16)


@pytest.fixture(scope="session")
def words(tmp_path_factory):
    """Tokens with structure to learn: random words of a small vocabulary."""
    rng = np.random.default_rng(0)
    vocabulary = [rng.integers(97, 123, size=rng.integers(2, 6)) for _ in range(20)]
    chosen = [np.append(vocabulary[i], 32) for i in rng.integers(0, 20, size=12_000)]
    path = tmp_path_factory.mktemp("words") / "train.bin"
    np.concatenate(chosen).astype(TOKEN_TYPE).tofile(path)
    return path


@pytest.fixture
def word_stream(words, tiny_model):
    return TokenStream(words, tiny_model.context, batch_size=8, seed=0)
