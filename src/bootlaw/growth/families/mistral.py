"""Mistral: Llama's tensors without biases, with one window for all layers."""

from bootlaw.growth.families.blocks import attention, ends, gated_ffn, pre_norms
from bootlaw.growth.family import Family

FAMILY = Family(
    model_type="mistral",
    architecture="MistralForCausalLM",
    slots=(*ends(), *pre_norms(), *attention(), *gated_ffn()),
    defaults={
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 131072,
        "num_key_value_heads": 8,
        "sliding_window": 4096,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
    },
    experts_as=("mixtral",),
    windows_uniform=True,
)
