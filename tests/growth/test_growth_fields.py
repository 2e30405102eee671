"""Fields of a configuration: kinds, other names, and layers that are told apart by number."""

import pytest
from hf_folders import CONFIG, llama_shapes

from bootlaw import growth
from bootlaw.errors import InputError
from bootlaw.growth.families import family_of


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("hidden_size", "64", "a whole number"),
        ("hidden_size", [8], "a whole number"),
        ("hidden_size", 8.0, "a whole number"),
        ("num_attention_heads", 0, "a whole number"),
        ("num_hidden_layers", True, "a whole number"),
        ("num_key_value_heads", -1, "a whole number"),
        ("head_dim", 0, "a whole number"),
        ("vocab_size", "big", "a whole number"),
        ("max_position_embeddings", "long", "a whole number"),
        ("rms_norm_eps", "1e-5", "a number"),
        ("initializer_range", "0.02", "a number"),
        ("sliding_window", "24", "a number"),
        ("tie_word_embeddings", "false", "true or false"),
        ("attention_bias", 1, "true or false"),
    ],
)
def test_a_field_of_another_kind_is_named_before_anything_is_computed(field, value, kind):
    """They ended in a ValueError, TypeError or ZeroDivisionError, or "false" was taken for true."""
    with pytest.raises(InputError, match=f"{field} must be {kind}.*{value!r}".replace("[8]", ".8")):
        growth.describe({**CONFIG, field: value}, llama_shapes())
    with pytest.raises(InputError, match=field):
        growth.configured_counts({**CONFIG, field: value})


def test_experts_are_counted_under_either_name():
    """transformers 5 writes num_local_experts for Qwen3-MoE, which was published as num_experts."""
    qwen = {
        **CONFIG,
        "model_type": "qwen3_moe",
        "head_dim": 4,
        "moe_intermediate_size": 6,
        "num_experts_per_tok": 2,
    }
    family = family_of("qwen3_moe")
    counts = [
        growth.configured_counts({**qwen, key: 4}) for key in ("num_experts", "num_local_experts")
    ]
    assert counts[0] == counts[1]
    assert family.value(qwen, "num_experts") == 128
    assert family_of("mixtral").value({"num_experts": 3}, "num_local_experts") == 3


@pytest.mark.parametrize("table", [{"0": 1, "1": 2}, {"1": {"window": 4}}])
def test_a_table_by_number_is_refused_like_a_list_with_an_entry_per_layer(table):
    spec = growth.describe({**CONFIG, "heads_of_layer": table}, llama_shapes())
    with pytest.raises(InputError, match="table by number, heads_of_layer"):
        growth.stack(spec)
    named = growth.describe({**CONFIG, "id2label": table}, llama_shapes())
    assert growth.stack(named).config["id2label"] == table
