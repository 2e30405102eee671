"""Llama 1 to 3, and the many models that share its code (SmolLM, TinyLlama, Yi, ...)."""

from bootlaw.growth.families.blocks import attention, ends, gated_ffn, pre_norms
from bootlaw.growth.family import Family

FAMILY = Family(
    model_type="llama",
    architecture="LlamaForCausalLM",
    slots=(
        *ends(),
        *pre_norms(),
        *attention(qkv_bias="attention_bias", output_bias="attention_bias"),
        *gated_ffn(bias="mlp_bias"),
    ),
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    experts_as=("mixtral",),
    heads_divide_hidden=True,
)
