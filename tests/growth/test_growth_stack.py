import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw import growth
from bootlaw.errors import InputError


def parent(layers, **fields):
    config = {
        "model_type": "llama",
        "vocab_size": 7,
        "hidden_size": 4,
        "intermediate_size": 6,
        "num_attention_heads": 2,
        "num_hidden_layers": layers,
        "tie_word_embeddings": False,
        **fields,
    }
    shapes = {"model.embed_tokens.weight": (7, 4), "model.norm.weight": (4,)}
    shapes["lm_head.weight"] = (7, 4)
    for layer in range(layers):
        stem = f"model.layers.{layer}"
        for name in ("q", "k", "v", "o"):
            shapes[f"{stem}.self_attn.{name}_proj.weight"] = (4, 4)
        shapes[f"{stem}.mlp.gate_proj.weight"] = (6, 4)
        shapes[f"{stem}.mlp.up_proj.weight"] = (6, 4)
        shapes[f"{stem}.mlp.down_proj.weight"] = (4, 6)
        shapes[f"{stem}.input_layernorm.weight"] = (4,)
        shapes[f"{stem}.post_attention_layernorm.weight"] = (4,)
    return config, shapes


@given(layers=st.integers(1, 12), factor=st.integers(2, 4))
def test_new_layer_i_takes_old_layer_i_mod_l(layers, factor):
    plan = growth.stack(growth.describe(*parent(layers)), factor=factor)

    assert set(plan.recipes) == set(parent(layers * factor)[1])
    assert plan.config["num_hidden_layers"] == layers * factor
    for layer in range(layers * factor):
        name = f"model.layers.{layer}.mlp.down_proj.weight"
        assert plan.recipes[name].source == f"model.layers.{layer % layers}.mlp.down_proj.weight"


def test_tensors_outside_the_layers_are_copied_under_their_own_name():
    plan = growth.stack(growth.describe(*parent(2)))
    for name in ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"):
        assert plan.recipes[name].source == name


def test_a_remainder_is_filled_with_copies_of_the_top_layers():
    plan = growth.stack(growth.describe(*parent(3)), layers=5)
    sources = [plan.recipes[f"model.layers.{i}.mlp.up_proj.weight"].source for i in range(5)]
    assert [int(source.split(".")[2]) for source in sources] == [0, 1, 2, 1, 2]
    assert "gradual" in plan.notes[0]


def test_a_per_layer_configuration_moves_with_its_layers():
    config, shapes = parent(2, layer_types=["sliding_attention", "full_attention"])
    plan = growth.stack(growth.describe(config, shapes), factor=2)
    assert plan.config["layer_types"] == ["sliding_attention", "full_attention"] * 2
    assert config["layer_types"] == ["sliding_attention", "full_attention"]


@pytest.mark.parametrize("factor", [1, 0, -2, 1.5])
def test_a_factor_below_two_or_no_whole_number_is_refused(factor):
    with pytest.raises(InputError, match="at least 2"):
        growth.stack(growth.describe(*parent(2)), factor=factor)


def test_factor_and_layers_together_are_refused():
    with pytest.raises(InputError, match="not both"):
        growth.stack(growth.describe(*parent(2)), factor=2, layers=4)


def test_repeated_layers_share_no_storage():
    import torch

    config, shapes = parent(1)
    tensors = {name: torch.ones(shape) for name, shape in shapes.items()}
    grown = growth.materialise(growth.stack(growth.describe(config, shapes)), tensors)
    first = grown["model.layers.0.mlp.down_proj.weight"]
    second = grown["model.layers.1.mlp.down_proj.weight"]
    assert torch.equal(first, second)
    assert first.data_ptr() != second.data_ptr()
