"""Every operator, streamed: the bytes of the memory form, and a model that transformers loads."""

import functools

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from bootlaw.growth import describe, materialise
from bootlaw.growth.checkpoint import open_checkpoint, shard_writer, write_grown
from bootlaw.growth.compose import Step, compose

pytestmark = pytest.mark.train

SIZES = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 31,
    "max_position_embeddings": 32,
    "pad_token_id": None,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**SIZES, "num_key_value_heads": 2}
FAMILIES = {
    "llama": GROUPED,
    "llama-tied": {**GROUPED, "tie_word_embeddings": True},
    "mistral": GROUPED,
    "qwen2": GROUPED,
    "qwen3": {**GROUPED, "head_dim": 4},
    "gemma2": {**GROUPED, "head_dim": 4, "query_pre_attn_scalar": 4},
    "olmo2": GROUPED,
    "gpt_neox": {**SIZES, "rotary_pct": 0.5},
}
STEPS = {
    "stack": [Step("stack", {"factor": 2})],
    "interleave": [Step("interleave", {"factor": 2})],
    "overlap": [Step("overlap", {"drop": 1})],
    "identity": [Step("identity", {"factor": 2})],
    "tile": [Step("tile", {"factor": 2})],
    "widen_ffn": [Step("widen_ffn", {"intermediate_size": 32})],
    "widen_ffn zero": [Step("widen_ffn", {"intermediate_size": 32, "mode": "zero"})],
    "pad_hidden": [Step("pad_hidden", {"hidden_size": 24})],
    "upcycle": [Step("upcycle", {"experts": 4, "top_k": 2, "noise": 0.01})],
    "tile then stack": [Step("tile", {"factor": 2}), Step("stack", {"factor": 2})],
}
PAIRS = [
    *((family, "tile then stack") for family in FAMILIES),
    *(("llama", steps) for steps in STEPS if steps != "tile then stack"),
    ("llama-tied", "stack"),
    ("llama-tied", "upcycle"),
    ("gemma2", "identity"),
    ("gpt_neox", "identity"),
    ("gpt_neox", "widen_ffn"),
    ("qwen3", "upcycle"),
]


@pytest.fixture(scope="module")
def parents(tmp_path_factory):
    """Folder and tensors of a small model of each family, as transformers writes it."""

    def make(family):
        torch.manual_seed(0)
        config = CONFIG_MAPPING[family.partition("-")[0]](**FAMILIES[family])
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
        for parameter in model.parameters():
            # Norm gains away from 1, biases away from 0.
            parameter.data += 0.1 * torch.randn(parameter.shape).to(parameter.dtype)
        folder = tmp_path_factory.mktemp(family)
        model.save_pretrained(folder)
        return folder

    return functools.cache(make)


@pytest.mark.parametrize(("family", "steps"), PAIRS)
def test_streamed_growth_is_the_memory_form_and_loads(
    parents, tmp_path, monkeypatch, family, steps
):
    folder = parents(family)
    parent = open_checkpoint(folder)
    plan = compose(describe(parent.config, parent.shapes), STEPS[steps])
    monkeypatch.setattr(shard_writer, "_rows_at_once", lambda _: 5)
    out = tmp_path / "out"

    write_grown(plan, parent, out, seed=3, shard_size=4000)

    streamed = {}
    for file in out.glob("*.safetensors"):
        streamed |= load_file(file)
    expected = materialise(plan, load_file(folder / "model.safetensors"), seed=3)
    assert streamed.keys() == expected.keys()
    for name, tensor in expected.items():
        assert streamed[name].dtype == tensor.dtype
        assert torch.equal(streamed[name], tensor), name
    model, loading = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not loading[kind]
    logits = model(input_ids=torch.arange(8)[None]).logits
    assert bool(logits.isfinite().all())
