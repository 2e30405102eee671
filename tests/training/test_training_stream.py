import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.training.stream import TOKEN_TYPE, TokenStream


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "train.bin"
    np.arange(1000, dtype=TOKEN_TYPE).tofile(path)
    return path


def stream(path, **changes):
    values = {"start": 0, "stop": 1000, "context": 8, "batch_size": 3, "seed": 0, **changes}
    return TokenStream(path=path, **values)


@settings(deadline=None)
@given(
    start=st.integers(0, 400),
    length=st.integers(60, 600),
    context=st.integers(1, 16),
    batch_size=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_all_steps_together_read_every_sequence_once_and_stay_in_range(
    tokens, start, length, context, batch_size, seed
):
    one = stream(
        tokens,
        start=start,
        stop=start + length,
        context=context,
        batch_size=batch_size,
        seed=seed,
    )
    batches = [one.batch(step) for step in range(one.steps)]
    inputs = np.concatenate(batches)[:, :-1].ravel()

    assert len(set(inputs.tolist())) == one.steps * batch_size * context
    assert inputs.min() >= start
    assert max(batch.max() for batch in batches) < start + length
    for batch in batches:
        assert (np.diff(batch, axis=1) == 1).all()


def test_the_batch_depends_on_seed_and_step_alone(tokens):
    later = stream(tokens).batch(7)
    assert (stream(tokens).batch(7) == later).all()
    assert (stream(tokens, seed=1).batch(7) != later).any()
    assert (stream(tokens).batch(8) != later).any()


def test_text_that_is_used_up_is_an_error_and_never_repeats(tokens):
    one = stream(tokens)
    with pytest.raises(InputError, match="unique text"):
        one.batch(one.steps)
