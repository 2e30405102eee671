import hashlib
import json

import pytest
import torch
from hf_folders import write_folder

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint import fingerprint, open_checkpoint


@pytest.mark.parametrize("how", ["full", "sample"])
def test_a_fingerprint_is_of_the_weights_not_of_their_files(tmp_path, tensors, how):
    one = open_checkpoint(write_folder(tmp_path / "one", tensors))
    three = open_checkpoint(write_folder(tmp_path / "three", tensors, shards=3))
    assert fingerprint(one, how) == fingerprint(three, how)


@pytest.mark.parametrize("how", ["full", "sample"])
def test_another_weight_shape_name_or_type_is_another_fingerprint(tmp_path, tensors, how):
    def of(number, changed):
        folder = write_folder(tmp_path / str(number), tensors | changed)
        return fingerprint(open_checkpoint(folder), how)

    norm = tensors["model.norm.weight"]
    changed = [
        {},
        {"model.norm.weight": norm * 1.000001},
        {"model.norm.weight": norm.reshape(2, 4)},
        {"model.extra.weight": norm.clone()},
        {"model.norm.weight": norm.double()},
    ]
    assert len({of(number, change) for number, change in enumerate(changed)}) == 5


def test_the_full_hash_is_what_its_definition_says(tmp_path):
    tensors = {"b": torch.arange(3.0), "a": torch.zeros(2, 2).half()}
    checkpoint = open_checkpoint(write_folder(tmp_path / "parent", tensors))
    lines = ""
    for name, kind in (("a", "float16"), ("b", "float32")):
        digest = hashlib.sha256(tensors[name].numpy().tobytes()).hexdigest()
        lines += json.dumps([name, kind, list(tensors[name].shape), digest]) + "\n"
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert fingerprint(checkpoint, "full") == f"sha256:{expected}"


def test_the_sample_sees_both_ends_of_a_large_tensor_and_the_full_hash_all(tmp_path):
    tensor = torch.zeros(10_000)

    def hashes(where):
        changed = tensor.clone()
        changed[where] = 1
        folder = write_folder(tmp_path / str(where), {"a": changed})
        checkpoint = open_checkpoint(folder)
        return fingerprint(checkpoint, "sample"), fingerprint(checkpoint, "full")

    found = {where: hashes(where) for where in (0, 5_000, 5_001, 9_999)}
    assert len({full for _, full in found.values()}) == 4
    assert found[5_000][0] == found[5_001][0]
    assert len({sample for sample, _ in found.values()}) == 3


def test_off_is_none_and_other_words_are_refused(folder):
    assert fingerprint(open_checkpoint(folder), "off") is None
    with pytest.raises(InputError, match="full, sample, off"):
        fingerprint(open_checkpoint(folder), "md5")
