"""Parameters and FLOPs per token from a model's shape."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.planning.cost import ModelShape, read_shape, shape_from_config

LLAMA_8B = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 131072, "tie_word_embeddings": False,
}  # fmt: skip
MIXTRAL = {
    "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2,
    "tie_word_embeddings": False, "max_position_embeddings": 32768, "sliding_window": None,
}  # fmt: skip
QWEN_30B_A3B = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144,
    "moe_intermediate_size": 768, "num_hidden_layers": 48, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 151936, "num_experts": 128,
    "num_experts_per_tok": 8, "tie_word_embeddings": False, "decoder_sparse_step": 1,
    "mlp_only_layers": [], "attention_bias": False, "use_sliding_window": False,
}  # fmt: skip
QWEN_7B = {
    "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
    "vocab_size": 152064, "tie_word_embeddings": False, "sliding_window": 131072,
    "use_sliding_window": False, "max_window_layers": 28,
}  # fmt: skip
GPT2 = {
    "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024,
    "vocab_size": 50257, "n_inner": None,
}  # fmt: skip
SHAPES = st.builds(
    ModelShape,
    layers=st.integers(1, 40),
    hidden_size=st.sampled_from([64, 512, 4096]),
    intermediate_size=st.integers(1, 20000),
    heads=st.sampled_from([4, 8, 32]),
    kv_heads=st.sampled_from([1, 2, 4]),
    head_size=st.sampled_from([16, 64, 128]),
    vocab_size=st.integers(256, 200_000),
    sequence_length=st.integers(16, 10_000),
    tied=st.booleans(),
    gated=st.booleans(),
)


@pytest.mark.parametrize(
    ("config", "total", "active"),
    [
        (LLAMA_8B, 8_030_261_248, 8_030_261_248),
        (QWEN_7B, 7_615_616_512, 7_615_616_512),
        (GPT2, 124_439_808, 124_439_808),
        (MIXTRAL, 46_702_792_704, 12_879_925_248),
        (QWEN_30B_A3B, 30_532_122_624, 3_353_032_704),
    ],
    ids=["llama-3.1-8b", "qwen2.5-7b", "gpt2", "mixtral-8x7b", "qwen3-30b-a3b"],
)
def test_published_models_have_the_parameters_that_their_makers_publish(config, total, active):
    shape = shape_from_config(config)
    assert shape.params_total == total
    assert shape.params_active_total == active


def test_embedding_and_head_are_outside_the_n_of_the_laws():
    shape = shape_from_config(LLAMA_8B)
    assert shape.params == shape.params_total - 2 * 128256 * 4096
    assert replace(shape, tied=True).params == shape.params
    assert replace(shape, tied=True).params_total == shape.params_total - 128256 * 4096


def test_training_flops_are_those_of_the_formula():
    shape = shape_from_config(LLAMA_8B, sequence_length=8192)
    by_hand = 6 * (shape.params + 128256 * 4096) + 12 * 32 * 4096 * 8192
    assert shape.flops_per_token == by_hand
    assert shape.inference_flops_per_token == pytest.approx(by_hand / 3)


def test_a_token_pays_for_the_experts_it_visits_only():
    shape = shape_from_config(MIXTRAL)
    more = replace(shape, experts=16)
    assert more.flops_per_token - shape.flops_per_token == 6 * 32 * 8 * 4096  # the router alone
    assert more.params > 1.9 * shape.params


def test_windows_bound_the_cost_of_attention():
    far = shape_from_config(MIXTRAL, sequence_length=32768)
    near = shape_from_config({**MIXTRAL, "sliding_window": 4096}, sequence_length=32768)
    assert near.attention_width == far.attention_width / 8
    assert near.flops_per_token < far.flops_per_token


@pytest.mark.parametrize(
    ("said", "layers"),
    [
        ({"model_type": "gemma2"}, 13),
        ({"model_type": "gemma3_text", "sliding_window_pattern": 6}, 22),
        ({"layer_types": ["sliding_attention"] * 3 + ["full_attention"] * 23}, 3),
        ({"model_type": "qwen2", "max_window_layers": 20, "use_sliding_window": True}, 6),
        ({"model_type": "mistral"}, 26),
    ],
)
def test_which_layers_have_a_window_is_the_familys_choice(said, layers):
    config = {**LLAMA_8B, "num_hidden_layers": 26, "sliding_window": 1024, **said}
    assert shape_from_config(config).window_layers == layers


@given(shape=SHAPES, factor=st.floats(0.01, 100))
def test_a_shape_costs_at_its_own_size_what_it_costs_and_more_above(shape, factor):
    there = float(shape.flops_per_token_at(shape.params))
    assert there == pytest.approx(shape.flops_per_token)
    other = float(shape.flops_per_token_at(shape.params * factor))
    low, high = sorted((there * factor, there * factor ** (1 / 3)))
    assert low * (1 - 1e-9) <= other <= high * (1 + 1e-9)


def test_sizes_are_vectorised():
    shape = shape_from_config(LLAMA_8B)
    sizes = np.array([[1e9, 2e9], [4e9, 8e9]])
    many = shape.flops_per_token_at(sizes)
    assert many.shape == (2, 2)
    assert float(shape.flops_per_token_at(4e9)) == many[1, 0]


def test_the_length_of_sequences_is_an_assumption_that_is_said():
    assert shape_from_config(LLAMA_8B).sequence_length == 4096
    assert "4096 tokens" in shape_from_config(LLAMA_8B).notes[0]
    assert shape_from_config(LLAMA_8B, sequence_length=8192).notes == ()


def test_an_unknown_family_is_counted_like_a_llama_and_says_so():
    shape = shape_from_config({**LLAMA_8B, "model_type": "new"}, sequence_length=2048)
    assert shape.params_total == 8_030_261_248
    assert "'new' is unknown" in shape.notes[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": None}, "lacks hidden_size"),
        ({"kv_lora_rank": 512}, "latent attention"),
        ({"num_hidden_layers": 0}, "layers is 0"),
        ({"num_key_value_heads": 5}, "not a multiple"),
        ({"num_local_experts": 4, "num_experts_per_tok": 5}, "cannot visit 5 of 4"),
        ({"hidden_size": "wide"}, "hidden_size"),
    ],
)
def test_a_config_that_cannot_be_counted_is_refused_in_words(tmp_path, change, words):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**LLAMA_8B, **change}))
    with pytest.raises(InputError, match=words):
        read_shape(tmp_path)


def test_files_that_are_no_config_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such model config"):
        read_shape(tmp_path / "absent.json")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="JSON object"):
        read_shape(tmp_path / "list.json")
    with pytest.raises(InputError, match="not a JSON file"):
        read_shape(tmp_path / "broken.json")


TINY = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 128, "max_position_embeddings": 64,
    "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2}
FAMILIES = {
    "llama": {"mlp_bias": True, "attention_bias": True},
    "mistral": {}, "granite": {}, "smollm3": {}, "phi3": {}, "qwen2": {}, "olmo": {}, "olmo2": {},
    "gemma": {"head_dim": 24}, "gemma2": {"head_dim": 24}, "gemma3_text": {"head_dim": 24},
    "qwen3": {"head_dim": 24}, "starcoder2": {},
    "gpt_neox": {"num_key_value_heads": None},
    "gpt2": {"num_key_value_heads": None, "intermediate_size": None, "n_positions": 64},
    "olmo3": {},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "olmoe": EXPERTS,
    "qwen2_moe": {**EXPERTS, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 48,
                  "decoder_sparse_step": 2},
    "qwen3_moe": {**EXPERTS, "moe_intermediate_size": 32, "mlp_only_layers": [0]},
}  # fmt: skip


@pytest.mark.train
@pytest.mark.parametrize("family", FAMILIES)
def test_counts_agree_with_the_models_that_transformers_builds(family):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    said = {k: v for k, v in {**TINY, **FAMILIES[family]}.items() if v is not None}
    config = transformers.AutoConfig.for_model(family, **said)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    count = sum(p.numel() for p in model.parameters())
    assert shape_from_config(config.to_diff_dict()).params_total == count


@pytest.mark.train
def test_a_studys_own_models_are_counted_alike():
    pytest.importorskip("torch")
    from bootlaw.training.model import ModelSpec

    spec = ModelSpec(64, 3, 16, 176, 128)
    config = {"model_type": "llama", **spec.config()}
    shape = shape_from_config(config)
    assert shape.params == spec.non_embedding_params
    assert shape.params_total == spec.total_params
    assert shape.flops_per_token == spec.flops_per_token
