"""Qwen2-MoE: Qwen2 with routed experts and a shared one behind a sigmoid gate."""

from bootlaw.growth.families.blocks import (
    LAYER,
    attention,
    ends,
    gated_ffn,
    pre_norms,
    router,
)
from bootlaw.growth.families.windows import alternating_then_full
from bootlaw.growth.family import Family, Keys
from bootlaw.growth.roles import Axis, Role, linear

FAMILY = Family(
    model_type="qwen2_moe",
    architecture="Qwen2MoeForCausalLM",
    slots=(
        *ends(),
        *pre_norms(),
        *attention(qkv_bias="qkv_bias"),
        *router(f"{LAYER}.mlp.gate"),
        *gated_ffn(f"{LAYER}.mlp.experts.{{expert}}", Axis.EXPERT_FFN),
        *gated_ffn(f"{LAYER}.mlp.shared_expert", Axis.SHARED_FFN),
        *linear(f"{LAYER}.mlp.shared_expert_gate", Role.SWITCH, Axis.ONE, Axis.HIDDEN),
    ),
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 32768,
        "num_key_value_heads": 16,
        "num_experts": 60,
        "num_experts_per_tok": 4,
        "moe_intermediate_size": 1408,
        "shared_expert_intermediate_size": 5632,
        "qkv_bias": True,
        "norm_topk_prob": False,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    keys=Keys(
        ffn=None,
        experts="num_experts",
        top_k="num_experts_per_tok",
        expert_ffn="moe_intermediate_size",
        shared_ffn="shared_expert_intermediate_size",
    ),
    layer_types=alternating_then_full,
    renormalises="norm_topk_prob",
)
