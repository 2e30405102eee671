"""Qwen2 and Qwen2.5: Llama's tensors with biases on query, key and value."""

from bootlaw.growth.families.blocks import attention, ends, gated_ffn, pre_norms
from bootlaw.growth.families.windows import full_then_window
from bootlaw.growth.family import Family

FAMILY = Family(
    model_type="qwen2",
    architecture="Qwen2ForCausalLM",
    slots=(*ends(), *pre_norms(), *attention(qkv_bias=True), *gated_ffn()),
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 32768,
        "num_key_value_heads": 32,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    layer_types=full_then_window,
    experts_as=("qwen2_moe",),
)
