import errno
import json
import os

import pytest
import torch
from hf_folders import CONFIG, write_folder
from safetensors.torch import load_file

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint import behind, open_checkpoint, shard_writer, write_grown, writer
from bootlaw.growth.plan import GrowthPlan, Preservation
from bootlaw.growth.recipe import Affine, Copy, Zeros
from bootlaw.growth.storage import round_once


def plan_of(recipes, **fields):
    defaults = {
        "operator": "test",
        "arguments": {},
        "config": CONFIG,
        "preservation": Preservation.APPROXIMATE,
        "source": "none",
    }
    return GrowthPlan(recipes=recipes, **(defaults | fields))


def copies(tensors):
    return plan_of({name: Copy(name) for name in tensors})


def loaded(folder):
    return {
        name: tensor
        for file in sorted(folder.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


@pytest.mark.parametrize("shard_size", [1, 500, 10_000_000])
@pytest.mark.parametrize("shards", [1, 3])
def test_copies_are_the_parents_bytes(tmp_path, tensors, shards, shard_size):
    parent = open_checkpoint(write_folder(tmp_path / "parent", tensors, shards=shards))
    out = tmp_path / "out"

    written = write_grown(copies(tensors), parent, out, shard_size=shard_size)

    found = loaded(out)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert written.copied_bytes == written.total_bytes == parent.total_bytes
    assert written.parameters == sum(tensor.numel() for tensor in tensors.values())
    assert sorted(written.files) == sorted(path.name for path in out.glob("*.safetensors"))
    assert open_checkpoint(out).shapes == parent.shapes


def test_zeros_and_what_is_built_share_a_file_with_copies(tmp_path, tensors):
    parent = open_checkpoint(write_folder(tmp_path / "parent", tensors))
    recipes = {
        "a": Zeros((3, 5)),
        "b": Copy("model.norm.weight"),
        "c": Affine(Copy("lm_head.weight"), 1 / 3),
        "d": Copy("lm_head.weight"),
        "e": Zeros((7,)),
    }

    write_grown(plan_of(recipes), parent, tmp_path / "out")

    found = loaded(tmp_path / "out")
    assert torch.equal(found["a"], torch.zeros(3, 5))
    assert torch.equal(found["b"], tensors["model.norm.weight"])
    assert torch.equal(found["c"], (tensors["lm_head.weight"].double() / 3).float())
    assert torch.equal(found["d"], tensors["lm_head.weight"])
    assert torch.equal(found["e"], torch.zeros(7))


def test_a_tensor_keeps_its_type_unless_the_plan_says_otherwise(tmp_path, tensors):
    half = {name: tensor.bfloat16() for name, tensor in tensors.items()}
    half["model.norm.weight"] = tensors["model.norm.weight"]
    parent = open_checkpoint(write_folder(tmp_path / "parent", half))
    recipes = {
        "copy": Copy("lm_head.weight"),
        "third": Affine(Copy("lm_head.weight"), 1 / 3),
        "norm": Affine(Copy("model.norm.weight"), 1 / 3),
        "wide": Copy("lm_head.weight"),
        "narrow": Copy("model.norm.weight"),
        "router": Zeros((2, 2)),
    }
    dtypes = {"wide": "float32", "narrow": "float16", "router": "float32"}

    write_grown(plan_of(recipes, dtypes=dtypes), parent, tmp_path / "out")

    found = loaded(tmp_path / "out")
    third = half["lm_head.weight"].double() / 3
    assert torch.equal(found["copy"], half["lm_head.weight"])
    assert torch.equal(found["third"], round_once(third, torch.bfloat16))
    assert found["norm"].dtype == found["wide"].dtype == found["router"].dtype == torch.float32
    assert torch.equal(found["wide"], half["lm_head.weight"].float())
    assert torch.equal(found["narrow"], half["model.norm.weight"].half())


@pytest.mark.parametrize("at_once", [1, 17, 64, 1 << 22])
def test_rows_built_a_few_at_a_time_give_the_same_bytes(tmp_path, tensors, monkeypatch, at_once):
    parent = open_checkpoint(write_folder(tmp_path / "parent", tensors))
    recipes = {name: Affine(Copy(name), 1 / 7) for name in tensors}
    monkeypatch.setattr(shard_writer, "_BUILT_AT_ONCE", at_once)
    write_grown(plan_of(recipes), parent, tmp_path / "out")
    found = loaded(tmp_path / "out")
    for name, tensor in tensors.items():
        assert torch.equal(found[name], (tensor.double() * (1 / 7)).float())


def test_what_belongs_to_the_model_goes_along_and_nothing_else(tmp_path, folder, tensors):
    carried = {
        "tokenizer.json": b"{}",
        "tokenizer_config.json": b"{}",
        "special_tokens_map.json": b"{}",
        "generation_config.json": b'{"do_sample": true}',
        "chat_template.jinja": b"{{ messages }}",
        "additional_chat_templates/tool.jinja": b"{{ tools }}",
        "merges.txt": b"a b",
        "tokenizer.model": bytes(range(256)),
        "LICENSE.txt": b"Apache",
    }
    left = ["README.md", "training_args.bin", "optimizer.pt", "modeling_x.py", ".hidden"]
    for path, content in carried.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    for path in left:
        (folder / path).write_text("left behind")
    out = tmp_path / "out"

    write_grown(
        copies(tensors),
        open_checkpoint(folder),
        out,
        extra_files={"notes/why.txt": "words", "generation_config.json": b"{}"},
    )

    assert json.loads((out / "config.json").read_text()) == CONFIG
    for path, content in carried.items():
        expected = b"{}" if path == "generation_config.json" else content
        assert (out / path).read_bytes() == expected
    assert (out / "notes" / "why.txt").read_text() == "words"
    assert not any((out / path).exists() for path in left)


def test_the_same_growth_gives_the_same_bytes(tmp_path, folder, tensors):
    parent = open_checkpoint(folder)
    for name in ("one", "two"):
        write_grown(copies(tensors), parent, tmp_path / name, shard_size=700)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def remaining(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_the_last_look_sees_a_whole_model_and_may_refuse_it(tmp_path, folder, tensors):
    parent = open_checkpoint(folder)

    def look(partial):
        assert partial != tmp_path / "out"
        assert set(open_checkpoint(partial).names) == set(tensors)
        raise BootlawError("not the same function")

    with pytest.raises(BootlawError, match="not the same function"):
        write_grown(copies(tensors), parent, tmp_path / "out", before_publish=look)
    assert remaining(tmp_path) == ["parent"]


def test_an_existing_target_is_refused(tmp_path, folder, tensors):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        write_grown(copies(tensors), open_checkpoint(folder), tmp_path / "out")


@pytest.mark.parametrize("calls_before", [0, 1])
@pytest.mark.parametrize("call", ["posix_fallocate", "preadv", "pwrite", "fsync"])
def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path, folder, tensors, monkeypatch, call, calls_before
):
    if not hasattr(os, call):
        pytest.skip(f"no {call} on this system")
    real, count = getattr(os, call), []

    def full(*arguments):
        count.append(call)
        if len(count) > calls_before:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    parent = open_checkpoint(folder)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(BootlawError, match="No space left on device; nothing was left"):
        write_grown(copies(tensors), parent, tmp_path / "out", shard_size=700)
    assert remaining(tmp_path) == ["parent"]


def test_a_disk_found_full_in_the_background_leaves_nothing(tmp_path, folder, tensors, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(behind, "_STEP", 100)
    monkeypatch.setattr(behind, "_synchronise", full)
    with pytest.raises(BootlawError, match="No space left on device; nothing was left"):
        write_grown(copies(tensors), open_checkpoint(folder), tmp_path / "out")
    assert remaining(tmp_path) == ["parent"]


@pytest.mark.parametrize(
    ("module", "step"),
    [(shard_writer, "copy_spans"), (shard_writer, "_reserve"), (writer, "index_document")],
)
def test_an_interrupt_leaves_nothing(tmp_path, folder, tensors, monkeypatch, module, step):
    def interrupt(*_):
        raise KeyboardInterrupt

    parent = open_checkpoint(folder)
    monkeypatch.setattr(module, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_grown(copies(tensors), parent, tmp_path / "out", shard_size=700)
    assert remaining(tmp_path) == ["parent"]


def test_a_process_killed_at_any_point_leaves_nothing_that_opens(
    tmp_path, folder, tensors, monkeypatch
):
    """What a kill leaves is what is there when the call is made; no cleaning follows it."""
    parent = open_checkpoint(folder)
    seen = []

    def photograph(real):
        def call(*arguments, **keywords):
            for partial in tmp_path.glob(".out.partial-*"):
                with pytest.raises(InputError):
                    open_checkpoint(partial)
                seen.append(partial)
            return real(*arguments, **keywords)

        return call

    monkeypatch.setattr(writer, "_write", photograph(writer._write))
    for name in ("copy_spans", "write_at", "_reserve"):
        monkeypatch.setattr(shard_writer, name, photograph(getattr(shard_writer, name)))
    write_grown(copies(tensors), parent, tmp_path / "out", shard_size=700)
    assert len(seen) > 10
    assert set(open_checkpoint(tmp_path / "out").names) == set(tensors)


def test_without_room_reserved_by_the_system_zeros_are_zeros(tmp_path, folder, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    write_grown(plan_of({"a": Zeros((9, 9))}), open_checkpoint(folder), tmp_path / "out")
    assert torch.equal(loaded(tmp_path / "out")["a"], torch.zeros(9, 9))
