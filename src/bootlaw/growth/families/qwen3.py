"""Qwen3: Llama's tensors with a norm on each query and key head."""

from bootlaw.growth.families.blocks import attention, ends, gated_ffn, head_norms, pre_norms
from bootlaw.growth.families.windows import full_then_window
from bootlaw.growth.family import Family

FAMILY = Family(
    model_type="qwen3",
    architecture="Qwen3ForCausalLM",
    slots=(
        *ends(),
        *pre_norms(),
        *attention(qkv_bias="attention_bias", output_bias="attention_bias"),
        *head_norms(),
        *gated_ffn(),
    ),
    defaults={
        "hidden_act": "silu",
        "head_dim": 128,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 32768,
        "num_key_value_heads": 32,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    layer_types=full_then_window,
    experts_as=("qwen3_moe",),
)
