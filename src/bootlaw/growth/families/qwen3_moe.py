"""Qwen3-MoE: Qwen3 with routed experts for its FFN."""

from bootlaw.growth.families.blocks import (
    LAYER,
    attention,
    ends,
    gated_ffn,
    head_norms,
    pre_norms,
    router,
)
from bootlaw.growth.family import Family, Keys
from bootlaw.growth.roles import Axis

FAMILY = Family(
    model_type="qwen3_moe",
    architecture="Qwen3MoeForCausalLM",
    slots=(
        *ends(),
        *pre_norms(),
        *attention(qkv_bias="attention_bias", output_bias="attention_bias"),
        *head_norms(),
        *router(f"{LAYER}.mlp.gate"),
        *gated_ffn(f"{LAYER}.mlp.experts.{{expert}}", Axis.EXPERT_FFN),
    ),
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 32768,
        "num_key_value_heads": 4,
        "num_experts": 128,
        "num_experts_per_tok": 8,
        "moe_intermediate_size": 768,
        "norm_topk_prob": False,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    keys=Keys(
        ffn=None,
        experts="num_experts",
        top_k="num_experts_per_tok",
        expert_ffn="moe_intermediate_size",
    ),
    aliases={"num_experts": ("num_local_experts",)},
    renormalises="norm_topk_prob",
)
