import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint import parse_size
from bootlaw.growth.checkpoint.dtypes import itemsize
from bootlaw.growth.checkpoint.shards import NewTensor, index_document, lay_out

TENSORS = st.lists(
    st.tuples(
        st.sampled_from(["float64", "float32", "bfloat16", "uint8"]),
        st.lists(st.integers(0, 5), max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=20,
)


@given(TENSORS, st.integers(1, 300))
def test_every_tensor_has_its_place_aligned_and_without_gaps(kinds, shard_size):
    tensors = [NewTensor(f"t{n}", dtype, shape) for n, (dtype, shape) in enumerate(kinds)]

    shards = lay_out(tensors, shard_size)

    placed = [tensor for shard in shards for tensor, _ in shard.offsets]
    assert sorted(placed, key=str) == sorted(tensors, key=str)
    for shard in shards:
        position = len(shard.head)
        for tensor, offset in shard.offsets:
            assert offset == position
            assert offset % itemsize(tensor.dtype) == 0
            position += tensor.nbytes
        assert shard.size == position
        assert len(shard.offsets) == 1 or position - len(shard.head) <= shard_size


def test_one_file_has_the_plain_name_and_several_are_counted():
    tensors = [NewTensor(f"t{n}", "float32", (4,)) for n in range(5)]
    assert [shard.file_name for shard in lay_out(tensors, 80)] == ["model.safetensors"]
    assert [shard.file_name for shard in lay_out(tensors, 32)] == [
        f"model-{n:05d}-of-00003.safetensors" for n in (1, 2, 3)
    ]


def test_the_index_says_where_everything_is():
    tensors = [NewTensor(f"t{n}", "float32", (2, n + 1)) for n in range(4)]
    shards = lay_out(tensors, 40)
    document = index_document(shards)
    assert document["metadata"] == {
        "total_parameters": sum(math.prod(tensor.shape) for tensor in tensors),
        "total_size": sum(tensor.nbytes for tensor in tensors),
    }
    assert document["weight_map"] == {
        tensor.name: shard.file_name for shard in shards for tensor, _ in shard.offsets
    }


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5GB", 5_000_000_000),
        ("1.5 GB", 1_500_000_000),
        ("500MB", 500_000_000),
        ("2GiB", 2 << 30),
        ("10kb", 10_000),
        ("123", 123),
        ("2e9", 2_000_000_000),
        (7, 7),
    ],
)
def test_a_size_is_read_as_people_write_it(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-5GB", "0", 0, -3, "five", "inf", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InputError, match="5GB or 500MB"):
        parse_size(text)
