import json

import pytest
import torch
from safetensors.torch import save_file

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.header import read_header


def write_raw(path, head, data=b""):
    text = json.dumps(head).encode() if isinstance(head, dict) else head
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_a_head_says_what_the_library_wrote(tmp_path):
    written = {
        "a": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "b": torch.zeros(4, dtype=torch.bfloat16),
        "scalar": torch.tensor(7, dtype=torch.int64),
        "mask": torch.ones(3, dtype=torch.bool),
    }
    file = tmp_path / "model.safetensors"
    save_file(written, file, metadata={"format": "pt"})

    found = read_header(file)

    assert {name: (e.dtype, e.shape) for name, e in found.items()} == {
        name: (str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in written.items()
    }
    starts = [e.start for e in found.values()]
    assert starts == sorted(starts)
    a = found["a"]
    assert file.read_bytes()[a.start : a.end] == written["a"].numpy().tobytes()


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_a_file_cut_short_is_named(tmp_path, kept):
    file = tmp_path / "model-00002-of-00003.safetensors"
    save_file({"a": torch.zeros(64)}, file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"model-00002-of-00003\.safetensors: damaged"):
        read_header(file)


@pytest.mark.parametrize(
    ("head", "data", "words"),
    [
        (b"{not json}", b"", "not JSON"),
        (b"[1, 2]", b"", "not a JSON object"),
        ({"a": {"dtype": "F32", "shape": [1]}}, b"0000", "no dtype, shape or data_offsets"),
        ({"a": entry([2], 0, 4)}, b"0000", "does not fill bytes"),
        ({"a": entry([1], 0, 4), "b": entry([1], 2, 6)}, b"000000", "b begins at byte"),
        ({"a": entry([1], 4, 8)}, b"00000000", "a begins at byte"),
        ({"a": entry([1], 0, 4)}, b"00000000", "its head promises"),
        ({"a": entry([-1, -1], 0, 4)}, b"0000", "does not fill bytes"),
    ],
)
def test_a_head_that_contradicts_itself_is_refused(tmp_path, head, data, words):
    with pytest.raises(InputError, match=words):
        read_header(write_raw(tmp_path / "model.safetensors", head, data))


def test_a_type_of_a_packed_format_is_refused_by_name(tmp_path):
    file = write_raw(tmp_path / "m.safetensors", {"a": entry([2], 0, 1, "F4")}, b"0")
    with pytest.raises(InputError, match="a has dtype F4, a packed"):
        read_header(file)
