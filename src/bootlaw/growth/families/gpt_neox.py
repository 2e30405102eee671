"""GPT-NeoX and Pythia: LayerNorm, biases, query-key-value in one matrix, parallel residual."""

from bootlaw.growth.family import Family, Keys
from bootlaw.growth.roles import Axis, Role, buffer, embedding, head, linear, norm

_LAYER = "gpt_neox.layers.{layer}"

FAMILY = Family(
    model_type="gpt_neox",
    architecture="GPTNeoXForCausalLM",
    slots=(
        *embedding("gpt_neox.embed_in.weight"),
        *norm(f"{_LAYER}.input_layernorm", Role.PRE_NORM, bias=True),
        *norm(f"{_LAYER}.post_attention_layernorm", Role.PRE_NORM, bias=True),
        *linear(
            f"{_LAYER}.attention.query_key_value",
            Role.QKV,
            Axis.QKV,
            Axis.HIDDEN,
            bias="attention_bias",
        ),
        *linear(f"{_LAYER}.attention.dense", Role.O, Axis.HIDDEN, Axis.Q, bias="attention_bias"),
        *linear(f"{_LAYER}.mlp.dense_h_to_4h", Role.UP, Axis.FFN, Axis.HIDDEN, bias=True),
        *linear(f"{_LAYER}.mlp.dense_4h_to_h", Role.DOWN, Axis.HIDDEN, Axis.FFN, bias=True),
        *buffer(f"{_LAYER}.attention.bias"),
        *buffer(f"{_LAYER}.attention.masked_bias"),
        *buffer(f"{_LAYER}.attention.rotary_emb.inv_freq"),
        *norm("gpt_neox.final_layer_norm", Role.FINAL_NORM, bias=True),
        *head("embed_out.weight", "lm_head.weight"),
    ),
    defaults={
        "attention_bias": True,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    keys=Keys(kv_heads=None, head_size=None, eps="layer_norm_eps"),
    centred_norm=True,
)
