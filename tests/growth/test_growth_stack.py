import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw import growth
from bootlaw.errors import InputError


def tensor_names(layers):
    names = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"]
    for layer in range(layers):
        names += [f"model.layers.{layer}.self_attn.q_proj.weight"]
        names += [f"model.layers.{layer}.mlp.down_proj.weight"]
    return names


@given(layers=st.integers(1, 12), factor=st.integers(2, 4))
def test_new_layer_i_takes_old_layer_i_mod_l(layers, factor):
    plan = growth.stack({"num_hidden_layers": layers}, tensor_names(layers), factor)

    assert set(plan.recipes) == set(tensor_names(layers * factor))
    assert plan.config["num_hidden_layers"] == layers * factor
    for layer in range(layers * factor):
        name = f"model.layers.{layer}.mlp.down_proj.weight"
        assert plan.recipes[name].source == f"model.layers.{layer % layers}.mlp.down_proj.weight"


def test_tensors_outside_the_layers_are_copied_under_their_own_name():
    plan = growth.stack({"num_hidden_layers": 2}, tensor_names(2))
    for name in ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"):
        assert plan.recipes[name].source == name


def test_a_per_layer_configuration_moves_with_its_layers():
    config = {"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"]}
    plan = growth.stack(config, tensor_names(2), 2)
    assert plan.config["layer_types"] == ["sliding_attention", "full_attention"] * 2
    assert config["layer_types"] == ["sliding_attention", "full_attention"]


def test_a_factor_below_two_is_refused():
    with pytest.raises(InputError, match="at least 2"):
        growth.stack({"num_hidden_layers": 2}, tensor_names(2), 1)


def test_a_configuration_that_disagrees_with_the_tensors_is_refused():
    with pytest.raises(InputError, match="says 3 layers"):
        growth.stack({"num_hidden_layers": 3}, tensor_names(2), 2)


def test_a_checkpoint_whose_layers_cannot_be_told_is_refused():
    with pytest.raises(InputError, match="hold layers"):
        growth.stack({"num_hidden_layers": 2}, ["transformer.h.0.weight"], 2)


def test_repeated_layers_share_no_storage():
    plan = growth.stack({"num_hidden_layers": 1}, tensor_names(1), 2)
    tensors = growth.materialise(plan, lambda name: [name], list)
    first = tensors["model.layers.0.mlp.down_proj.weight"]
    second = tensors["model.layers.1.mlp.down_proj.weight"]
    assert first == second
    assert first is not second
