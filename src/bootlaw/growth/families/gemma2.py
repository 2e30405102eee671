"""Gemma 2: norms before and after both parts of a block, gains 1 + w, scaled embedding, tied.

Its soft caps act on scores and logits and follow no width; the scale of the scores,
``query_pre_attn_scalar``, is a field of its own and stays.
"""

from bootlaw.growth.families.blocks import LAYER, attention, ends, gated_ffn
from bootlaw.growth.families.windows import alternating
from bootlaw.growth.family import Family
from bootlaw.growth.roles import Role, norm

FAMILY = Family(
    model_type="gemma2",
    architecture="Gemma2ForCausalLM",
    slots=(
        *ends(),
        *norm(f"{LAYER}.input_layernorm", Role.PRE_NORM),
        *norm(f"{LAYER}.post_attention_layernorm", Role.POST_NORM),
        *norm(f"{LAYER}.pre_feedforward_layernorm", Role.PRE_NORM),
        *norm(f"{LAYER}.post_feedforward_layernorm", Role.POST_NORM),
        *attention(qkv_bias="attention_bias", output_bias="attention_bias"),
        *gated_ffn(),
    ),
    defaults={
        "head_dim": 256,
        "rms_norm_eps": 1e-6,
        "num_key_value_heads": 4,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
        "initializer_range": 0.02,
    },
    silenced=frozenset({Role.POST_NORM}),
    one_plus_gain=True,
    scales_embedding=True,
    layer_types=alternating,
    heads_divide_hidden=True,
)
