"""Upcycling: preservation, granularity, the shared expert, noise, dropping, refusals."""

import pytest
import tiny_decoders as tiny
import torch

from bootlaw import growth
from bootlaw.errors import InputError
from bootlaw.growth import Preservation

pytestmark = pytest.mark.train

FAMILIES = {"llama": "mixtral", "mistral": "mixtral", "qwen2": "qwen2_moe", "qwen3": "qwen3_moe"}
# transformers computes the router's softmax in float32 whatever the model's type.
TOLERANCE = 1e-6


def described(family, kind="gqa", tied=False):
    return tiny.described(*tiny.trained(family, kind, tied, plain=True))


def jump(plan, family, kind="gqa", tied=False):
    """Return the largest difference of logits in float64, the worse of two routers."""
    config, tensors = tiny.trained(family, kind, tied, plain=True)
    with torch.no_grad():
        expected = tiny.logits(tiny.parent(config, tensors))
        models = (tiny.grown(plan, tensors, seed=seed) for seed in (0, 1))
        return max((tiny.logits(model) - expected).abs().max().item() for model in models)


@pytest.mark.parametrize("kind", tiny.KV_HEADS)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_copies_with_renormalised_weights_keep_the_function(family, tied, kind):
    plan = growth.upcycle(described(family, kind, tied), experts=4, top_k=2)
    assert plan.config["model_type"] == FAMILIES[family]
    assert plan.preservation is Preservation.ROUNDING
    assert jump(plan, family, kind, tied) < TOLERANCE


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("experts", "top_k", "granularity"), [(8, 4, 2), (12, 4, 4), (3, 1, 1)])
def test_so_do_pieces_of_copies(family, experts, top_k, granularity):
    plan = growth.upcycle(described(family), experts=experts, top_k=top_k, granularity=granularity)
    assert jump(plan, family) < TOLERANCE


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_a_shared_expert_takes_its_share_of_the_output(share):
    plan = growth.upcycle(described("qwen2"), experts=4, top_k=2, shared_share=share)
    assert jump(plan, "qwen2") < TOLERANCE
    tensors = tiny.trained("qwen2", "gqa", False, plain=True)[1]
    grown = growth.materialise(plan, tensors)
    ffn = tensors["model.layers.0.mlp.down_proj.weight"]
    assert torch.allclose(
        grown["model.layers.0.mlp.shared_expert.down_proj.weight"], 2 * share * ffn
    )
    assert torch.allclose(grown["model.layers.0.mlp.experts.3.down_proj.weight"], (1 - share) * ffn)


def test_without_renormalisation_it_is_approximate_and_scaled_to_be_right_on_average():
    spec = described("qwen3")
    plan = growth.upcycle(spec, experts=4, top_k=2, renormalise=False)
    assert plan.preservation is Preservation.APPROXIMATE
    assert plan.config["norm_topk_prob"] is False
    # Equal router rows make every probability 1/E, and then the scale of E/k is right.
    level = growth.upcycle(spec, experts=4, top_k=2, renormalise=False, router_std=1e-9)
    assert jump(level, "qwen3") < TOLERANCE < jump(plan, "qwen3")


@pytest.mark.parametrize("option", [{"noise": 0.05}, {"drop_fraction": 0.5}])
def test_noise_and_dropping_part_the_experts_and_are_approximate(option):
    spec = described("mistral")
    plan = growth.upcycle(spec, experts=2, top_k=1, **option)
    assert plan.preservation is Preservation.APPROXIMATE
    grown = growth.materialise(plan, tiny.trained("mistral", "gqa", False, plain=True)[1])
    first, second = (
        grown[f"model.layers.0.block_sparse_moe.experts.{expert}.w1.weight"] for expert in (0, 1)
    )
    assert not torch.equal(first, second)


def test_dropping_redraws_the_same_units_in_all_three_matrices_and_keeps_the_others():
    tensors = tiny.trained("mistral", "gqa", False, plain=True)[1]
    plan = growth.upcycle(described("mistral"), experts=2, top_k=1, drop_fraction=0.25)
    grown = growth.materialise(plan, tensors)
    stem = "model.layers.1.block_sparse_moe.experts.1"
    ffn = "model.layers.1.mlp"
    gate = (grown[f"{stem}.w1.weight"] != tensors[f"{ffn}.gate_proj.weight"]).all(dim=1)
    up = (grown[f"{stem}.w3.weight"] != tensors[f"{ffn}.up_proj.weight"]).all(dim=1)
    down = (grown[f"{stem}.w2.weight"] != tensors[f"{ffn}.down_proj.weight"]).all(dim=0)
    assert gate.sum() == 6  # a quarter of 24 units
    assert torch.equal(gate, up)
    assert torch.equal(gate, down)
    kept = tensors[f"{ffn}.down_proj.weight"][:, ~gate]
    assert torch.equal(grown[f"{stem}.w2.weight"][:, ~gate], kept)


def test_the_router_is_stored_in_float32():
    tensors = tiny.trained("qwen3", "gqa", False, plain=True)[1]
    stored = {name: value.bfloat16() for name, value in tensors.items()}
    grown = growth.materialise(growth.upcycle(described("qwen3"), experts=4), stored)
    for name, value in grown.items():
        router = name.endswith("mlp.gate.weight")
        assert value.dtype is (torch.float32 if router else torch.bfloat16)


def test_fields_that_the_families_fill_in_differently_are_written_out():
    config = dict(tiny.trained("llama", plain=True)[0])
    for key in ("rms_norm_eps", "rope_parameters", "head_dim", "hidden_act", "num_key_value_heads"):
        config.pop(key)
    tensors = tiny.trained("llama", "mha", False, plain=True)[1]
    grown = growth.upcycle(tiny.described(config, tensors), experts=4).config
    assert grown["rms_norm_eps"] == 1e-6  # Mixtral's own default is 1e-5
    assert grown["rope_theta"] == 10000.0  # and 1e6
    assert grown["num_key_value_heads"] == 4  # and 8
    assert grown["sliding_window"] is None


def test_windows_stay_with_their_layers_or_are_refused():
    config, tensors = tiny.trained("qwen2", plain=True)
    config = {**config, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}
    config.pop("layer_types")
    plan = growth.upcycle(tiny.described(config, tensors), experts=4)
    assert plan.config["layer_types"] == ["full_attention", "sliding_attention"]

    mixed, tensors = tiny.trained("qwen3", plain=True)
    mixed = {**mixed, "use_sliding_window": True, "layer_types": plan.config["layer_types"]}
    with pytest.raises(InputError, match="cannot tell them apart"):
        growth.upcycle(tiny.described(mixed, tensors), experts=4)


@pytest.mark.parametrize(
    ("family", "arguments", "words"),
    [
        ("mistral", {"experts": 6, "top_k": 4, "granularity": 4}, "number of experts, 6"),
        ("mistral", {"experts": 8, "top_k": 2, "granularity": 4}, "top_k, 2"),
        ("mistral", {"experts": 10, "top_k": 5, "granularity": 5}, "units, 24"),
        ("mistral", {"experts": 4, "top_k": 5}, "top_k from 1"),
        ("mistral", {"experts": 1, "top_k": 1}, "at least 2 experts"),
        ("mistral", {"renormalise": False}, "always renormalises"),
        ("mistral", {"shared_share": 0.5}, "has none"),
        ("mistral", {"drop_fraction": 1.0}, "drop_fraction"),
        ("mistral", {"noise": -1.0}, "noise"),
        ("mistral", {"to": "qwen2_moe"}, "into mixtral"),
        ("qwen2", {"shared_share": 1.0}, "shared_share"),
        ("gemma2", {}, "no mixture of experts"),
        ("olmo2", {}, "no mixture of experts"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(family, arguments, words):
    with pytest.raises(InputError, match=words):
        growth.upcycle(described(family), **arguments)


def test_biases_without_a_place_in_the_mixture_are_refused_by_name():
    spec = tiny.described(*tiny.trained("llama"))
    with pytest.raises(InputError, match=r"q_proj\.bias"):
        growth.upcycle(spec)
    config, tensors = tiny.trained("llama")
    only_ffn = {
        name: value for name, value in tensors.items() if "_proj.bias" not in name or "mlp" in name
    }
    with pytest.raises(InputError, match=r"gate_proj\.bias"):
        growth.upcycle(tiny.described({**config, "attention_bias": False}, only_ffn))
