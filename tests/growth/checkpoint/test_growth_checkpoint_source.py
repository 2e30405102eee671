import json

import pytest
import torch
from hf_folders import CONFIG, write_folder

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint import open_checkpoint
from bootlaw.growth.checkpoint.carried import carried_files


@pytest.mark.parametrize("shards", [1, 3])
def test_every_tensor_reads_back_as_it_was_written(tmp_path, tensors, shards):
    checkpoint = open_checkpoint(write_folder(tmp_path / "parent", tensors, shards=shards))

    assert set(checkpoint.names) == set(tensors)
    assert checkpoint.shapes == {name: tuple(tensors[name].shape) for name in checkpoint.names}
    assert checkpoint.total_bytes == sum(tensor.nbytes for tensor in tensors.values())
    for name, tensor in tensors.items():
        assert torch.equal(checkpoint.read(name), tensor)
        file, start, end = checkpoint.byte_range(name)
        assert file.read_bytes()[start:end] == tensor.numpy().tobytes()


@pytest.mark.parametrize(
    "rows",
    [slice(0, 11), slice(3, 7), slice(5, 5), slice(9, 40), torch.tensor([4, 5, 6, 1, 1, 10, 0])],
)
def test_rows_are_those_that_were_asked_for(folder, tensors, rows):
    name = "lm_head.weight"
    assert torch.equal(open_checkpoint(folder).read(name, rows), tensors[name][rows])


def test_no_rows_and_rows_beyond_the_end(folder):
    checkpoint = open_checkpoint(folder)
    none = checkpoint.read("lm_head.weight", torch.empty(0, dtype=torch.int64))
    assert none.shape == (0, CONFIG["hidden_size"])
    with pytest.raises(IndexError, match="0 to 10"):
        checkpoint.read("lm_head.weight", torch.tensor([11]))
    with pytest.raises(ValueError, match="steps of 1"):
        checkpoint.read("lm_head.weight", slice(0, 8, 2))


def test_scalars_and_half_types_are_read(tmp_path):
    written = {"a": torch.tensor(2.5), "b": torch.randn(3, 4).bfloat16(), "c": torch.ones(2).half()}
    checkpoint = open_checkpoint(write_folder(tmp_path / "parent", written))
    for name, tensor in written.items():
        assert torch.equal(checkpoint.read(name), tensor)


def refusal(source, match):
    with pytest.raises(InputError, match=match) as caught:
        open_checkpoint(source)
    assert "\n" not in str(caught.value)


def emptied(folder):
    (folder / "model.safetensors").unlink()
    return folder


def test_a_folder_without_configuration_is_refused(folder):
    (folder / "config.json").unlink()
    refusal(folder, r"has no config\.json")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_configuration_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    refusal(folder, r"config\.json: ")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("pytorch_model.bin", r"pickled weights only .*save_pretrained"),
        ("pytorch_model-00001-of-00002.bin", r"pickled weights only .*save_pretrained"),
        ("model.Q4_K_M.gguf", r"GGUF"),
        ("adapter_config.json", r"adapter .*merge_and_unload"),
        (".metadata", r"distributed checkpoint"),
        ("notes.txt", r"holds no weights"),
    ],
)
def test_another_kind_of_folder_is_refused_by_name(folder, file, words):
    (emptied(folder) / file).write_text("")
    refusal(folder, words)


def test_pickled_weights_beside_safetensors_do_no_harm(folder):
    (folder / "pytorch_model.bin").write_text("")
    assert open_checkpoint(folder).names


@pytest.mark.parametrize("field", ["quantization_config", "compression_config"])
def test_a_quantised_configuration_is_refused_by_its_method(tmp_path, tensors, field):
    config = {**CONFIG, field: {"quant_method": "gptq", "bits": 4}}
    refusal(write_folder(tmp_path / "parent", tensors, config), "quantised .*method gptq")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("model.layers.0.mlp.up_proj.qweight", torch.int32),
        ("model.layers.0.mlp.up_proj.scales", torch.float16),
        ("model.layers.0.mlp.up_proj.weight_scale_inv", torch.float32),
        ("model.layers.0.mlp.up_proj.weight.absmax", torch.float32),
        ("model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4", torch.uint8),
        ("model.layers.0.mlp.up_proj.weight", torch.int8),
        ("model.layers.0.mlp.up_proj.weight", torch.float8_e4m3fn),
    ],
)
def test_packed_tensors_are_refused_without_a_word_in_the_configuration(
    tmp_path, tensors, name, dtype
):
    packed = {**tensors, name: torch.zeros(4, 4).to(dtype)}
    refusal(write_folder(tmp_path / "parent", packed), f"quantised .*{name}")


def test_missing_shards_are_named(tmp_path, tensors):
    folder = write_folder(tmp_path / "parent", tensors, shards=4)
    (folder / "model-00002-of-00004.safetensors").unlink()
    refusal(folder, r"lacks 1 of 4 shards: model-00002-of-00004\.safetensors")


def test_shards_without_their_index_are_refused(tmp_path, tensors):
    folder = write_folder(tmp_path / "parent", tensors, shards=2)
    (folder / "model.safetensors.index.json").unlink()
    refusal(folder, r"without model\.safetensors\.index\.json")


def test_an_index_that_promises_other_tensors_is_refused(tmp_path, tensors):
    folder = write_folder(tmp_path / "parent", tensors, shards=2)
    index = folder / "model.safetensors.index.json"
    document = json.loads(index.read_text())
    document["weight_map"]["model.extra.weight"] = "model-00001-of-00002.safetensors"
    index.write_text(json.dumps(document))
    refusal(folder, r"promises model\.extra\.weight in model-00001-of-00002\.safetensors")


@pytest.mark.parametrize("shard", ["../model.safetensors", "/etc/passwd", 3])
def test_an_index_that_leaves_its_folder_is_refused(tmp_path, tensors, shard):
    folder = write_folder(tmp_path / "parent", tensors, shards=2)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shard}}))
    refusal(folder, "no file beside it")


def test_shards_that_share_a_tensor_are_refused(tmp_path, tensors):
    folder = write_folder(tmp_path / "parent", tensors, shards=2)
    first, second = (folder / f"model-0000{n}-of-00002.safetensors" for n in (1, 2))
    second.write_bytes(first.read_bytes())
    refusal(folder, "do not belong together")


TIED = {**CONFIG, "tie_word_embeddings": True}


def test_a_tied_head_that_is_stored_twice_counts_once(tmp_path, tensors):
    twice = {**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"].clone()}
    checkpoint = open_checkpoint(write_folder(tmp_path / "parent", twice, TIED))
    assert set(checkpoint.names) == set(tensors) - {"lm_head.weight"}


def test_a_tied_head_that_differs_is_refused(tmp_path, tensors):
    refusal(write_folder(tmp_path / "parent", tensors, TIED), "says tie_word_embeddings, but")


@pytest.mark.parametrize("sign", ["template file", "tokenizer_config", "eos"])
def test_a_parent_tuned_for_chat_warns(tmp_path, tensors, sign):
    config = {**CONFIG, "eos_token_id": [1, 2]} if sign == "eos" else CONFIG
    folder = write_folder(tmp_path / "parent", tensors, config)
    if sign == "template file":
        (folder / "chat_template.jinja").write_text("{{ messages }}")
    if sign == "tokenizer_config":
        (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    (warning,) = open_checkpoint(folder).warnings
    assert "tuned for chat" in warning


def test_a_base_model_does_not_warn(folder):
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 16}')
    assert open_checkpoint(folder).warnings == ()


def test_what_is_no_folder_is_refused(tmp_path, folder):
    refusal(tmp_path / "nowhere", "no such folder")
    refusal("./nowhere/at/all", "no such folder")
    refusal(folder / "model.safetensors", "is a file; give the folder")
    (tmp_path / "model.gguf").write_text("GGUF")
    refusal(tmp_path / "model.gguf", "GGUF file")
    with pytest.raises(InputError, match="--revision belongs to a hub"):
        open_checkpoint(folder, revision="main")


def test_a_pointer_of_git_lfs_is_not_called_damaged(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid x\n")
    refusal(folder, "Git LFS pointer.*git lfs pull")


def test_a_link_to_nothing_is_named(folder):
    emptied(folder)
    (folder / "model.safetensors").symlink_to(folder / "gone")
    refusal(folder, r"model\.safetensors is a link to a file that is gone")


@pytest.mark.parametrize(
    ("inside", "step"), [("step-00000300", "step-00000300"), ("checkpoints", "checkpoints/step-N")]
)
def test_the_folder_of_a_run_points_to_its_steps(tmp_path, inside, step):
    (tmp_path / inside).mkdir()
    refusal(tmp_path, f"folder of a training run; give one of its steps: {step}")


def with_config(folder, **fields):
    (folder / "config.json").write_text(json.dumps({**CONFIG, **fields}))
    return open_checkpoint(folder)


def test_code_of_the_parents_own_is_left_out_with_a_warning(folder):
    """config.json went on naming a file that was not carried along."""
    named = {"AutoModelForCausalLM": "modeling_x.X", "AutoTokenizer": ["tokenization_x.T", None]}
    checkpoint = with_config(folder, auto_map=named)
    assert checkpoint.config["auto_map"] == {"AutoTokenizer": named["AutoTokenizer"]}
    assert any("code of its own for the model (modeling_x.X)" in w for w in checkpoint.warnings)
    (folder / "tokenization_x.py").write_text("")
    assert "tokenization_x.py" in carried_files(folder)
    assert with_config(folder).warnings == ()


def test_an_adapter_beside_the_weights_is_left_out_with_a_warning(folder):
    (folder / "adapter_config.json").write_text("{}")
    assert any("adapter beside its weights" in each for each in open_checkpoint(folder).warnings)


def test_a_family_that_ties_by_default_ties_where_the_field_is_absent(folder):
    """Gemma 2 leaves tie_word_embeddings out; a head of another value was dropped in silence."""
    fields = {key: value for key, value in CONFIG.items() if key != "tie_word_embeddings"}
    (folder / "config.json").write_text(json.dumps({**fields, "model_type": "gemma2"}))
    refusal(folder, "tie_word_embeddings, but lm_head.weight differs")
