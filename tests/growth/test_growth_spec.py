"""Reading a parent: families, disagreements, what is refused by name."""

import json

import pytest
import tiny_decoders as tiny

from bootlaw import growth
from bootlaw.errors import InputError
from bootlaw.growth.roles import Axis, Role

pytestmark = pytest.mark.train


def parent(family="llama", kind="gqa", tied=False, plain=True):
    config, tensors = tiny.trained(family, kind, tied, plain)
    return config, {name: tuple(value.shape) for name, value in tensors.items()}


@pytest.mark.parametrize("case", tiny.cases(), ids=str)
def test_a_model_as_transformers_writes_it_is_understood(case):
    config, tensors = tiny.trained(*case)
    spec = tiny.described(config, tensors)
    assert (spec.layers, spec.hidden, spec.heads, spec.head_size) == (2, 32, 4, 8)
    assert spec.kv_heads == tiny.KV_HEADS[case[1]]
    assert spec.tied == case[2]
    assert set(spec.shapes) == set(tensors)


@pytest.mark.parametrize("family", tiny.DENSE)
def test_fields_left_out_are_filled_in_as_transformers_does(family):
    from transformers import AutoConfig

    kind = "mha" if family == "gpt_neox" else "gqa"
    config, shapes = parent(family, kind, plain=False)
    found = AutoConfig.for_model(**config)
    short = {**json.loads(found.to_json_string(use_diff=True)), "model_type": family}
    assert len(short) < len(config)
    spec = growth.describe(short, shapes)
    for key, value in spec.family.defaults.items():
        if key not in short and key != "rope_theta":
            assert getattr(found, key) == value, key


def test_an_unknown_family_is_refused_with_what_to_write():
    config, shapes = parent()
    with pytest.raises(InputError, match=r"'phi3'.*families/phi3\.py with a FAMILY"):
        growth.describe({**config, "model_type": "phi3"}, shapes)
    with pytest.raises(InputError, match="no model_type"):
        growth.describe({**config, "model_type": None}, shapes)


def test_quantised_and_adapter_checkpoints_are_refused():
    config, shapes = parent()
    with pytest.raises(InputError, match="quantised \\(gptq\\)"):
        growth.describe({**config, "quantization_config": {"quant_method": "gptq"}}, shapes)
    with pytest.raises(InputError, match="quantised \\(awq\\)"):
        growth.describe({**config, "quantization_config": "awq"}, shapes)
    with pytest.raises(InputError, match="adapter"):
        growth.describe(config, {"base.layers.0.q_proj.lora_A.weight": (4, 4)})


def test_disagreements_between_configuration_and_tensors_are_named():
    config, shapes = parent()
    missing = {name: shape for name, shape in shapes.items() if name != "lm_head.weight"}
    with pytest.raises(InputError, match=r"implies the tensor lm_head\.weight"):
        growth.describe(config, missing)
    with pytest.raises(InputError, match=r"holds model\.extra\.weight"):
        growth.describe(config, {**shapes, "model.extra.weight": (3,)})
    with pytest.raises(InputError, match=r"holds model\.layers\.1\."):
        growth.describe({**config, "num_hidden_layers": 1}, shapes)
    with pytest.raises(InputError, match=r"shape \[24, 32\].*implies \[25, 32\]"):
        growth.describe({**config, "intermediate_size": 25}, shapes)
    with pytest.raises(InputError, match="needs hidden_size"):
        growth.describe({**config, "hidden_size": None}, shapes)


def test_a_tied_models_stored_head_and_stored_buffers_are_left_out():
    config, shapes = parent(tied=True)
    stored = {
        **shapes,
        "lm_head.weight": (31, 32),
        "model.layers.0.self_attn.rotary_emb.inv_freq": (4,),
    }
    spec = growth.describe(config, stored)
    assert set(spec.dropped) == set(stored) - set(shapes)
    assert set(growth.identity(spec).recipes).isdisjoint(spec.dropped)


def test_a_null_number_of_key_value_heads_means_one_for_each_head():
    config, shapes = parent("mistral", "mha")
    assert growth.describe({**config, "num_key_value_heads": None}, shapes).kv_heads == 4


def test_heads_of_gpt_neox_are_known_by_both_of_their_names():
    config, shapes = parent("gpt_neox", "mha")
    shapes["embed_out.weight"] = shapes.pop("lm_head.weight", (31, 32))
    assert growth.describe(config, shapes).named(Role.HEAD) == ["embed_out.weight"]


def test_every_family_names_each_tensor_once_and_knows_its_roles():
    for family in growth.families().values():
        patterns = [slot.pattern for slot in family.slots]
        assert len(patterns) == len(set(patterns))
        roles = {slot.role for slot in family.slots}
        assert {Role.EMBEDDING, Role.HEAD, Role.FINAL_NORM, Role.O, Role.DOWN} <= roles
        assert family.silenced <= roles
        assert all(known in growth.families() for known in family.experts_as)
        mixture = any(Axis.EXPERTS in slot.axes for slot in family.slots)
        assert mixture == (family.renormalises is not None)
