"""OLMo 2: norms only after attention and FFN; those of query and key span all heads at once."""

from bootlaw.growth.families.blocks import LAYER, attention, ends, gated_ffn
from bootlaw.growth.family import Family
from bootlaw.growth.roles import Axis, Role, norm

FAMILY = Family(
    model_type="olmo2",
    architecture="Olmo2ForCausalLM",
    slots=(
        *ends(),
        *norm(f"{LAYER}.post_attention_layernorm", Role.POST_NORM),
        *norm(f"{LAYER}.post_feedforward_layernorm", Role.POST_NORM),
        *attention(qkv_bias="attention_bias", output_bias="attention_bias"),
        *norm(f"{LAYER}.self_attn.q_norm", Role.Q_NORM, Axis.Q),
        *norm(f"{LAYER}.self_attn.k_norm", Role.K_NORM, Axis.KV),
        *gated_ffn(),
    ),
    defaults={
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    silenced=frozenset({Role.POST_NORM}),
)
