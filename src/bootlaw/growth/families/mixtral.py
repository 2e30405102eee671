"""Mixtral: Mistral with a mixture of experts for its FFN, whose weights always sum to one."""

from bootlaw.growth.families.blocks import (
    LAYER,
    attention,
    ends,
    gated_ffn,
    pre_norms,
    router,
)
from bootlaw.growth.family import Family, Keys
from bootlaw.growth.roles import Axis

FAMILY = Family(
    model_type="mixtral",
    architecture="MixtralForCausalLM",
    slots=(
        *ends(),
        *pre_norms(),
        *attention(),
        *router(f"{LAYER}.block_sparse_moe.gate"),
        *gated_ffn(
            f"{LAYER}.block_sparse_moe.experts.{{expert}}",
            Axis.EXPERT_FFN,
            names=("w1", "w3", "w2"),
        ),
    ),
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 1000000.0,
        "max_position_embeddings": 131072,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    keys=Keys(
        ffn=None,
        experts="num_local_experts",
        top_k="num_experts_per_tok",
        expert_ffn="intermediate_size",
    ),
    aliases={"num_local_experts": ("num_experts",)},
    renormalises=True,
    windows_uniform=True,
)
