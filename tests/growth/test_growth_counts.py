"""Parameter counts of released models, from their configurations alone."""

import pytest

from bootlaw import growth

RELEASED = {
    "Llama 3 8B": (
        8_030_261_248,
        {
            "model_type": "llama",
            "vocab_size": 128256,
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
        },
    ),
    "Mistral 7B": (
        7_241_732_096,
        {
            "model_type": "mistral",
            "vocab_size": 32000,
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
        },
    ),
    "Qwen2.5 0.5B": (
        494_032_768,
        {
            "model_type": "qwen2",
            "vocab_size": 151936,
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
        },
    ),
    "Qwen3 0.6B": (
        596_049_920,
        {
            "model_type": "qwen3",
            "vocab_size": 151936,
            "hidden_size": 1024,
            "intermediate_size": 3072,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "tie_word_embeddings": True,
        },
    ),
    "Gemma 2 2B": (
        2_614_341_888,
        {
            "model_type": "gemma2",
            "vocab_size": 256000,
            "hidden_size": 2304,
            "intermediate_size": 9216,
            "num_hidden_layers": 26,
            "num_attention_heads": 8,
        },
    ),
    "OLMo 2 7B": (
        7_298_617_344,
        {
            "model_type": "olmo2",
            "vocab_size": 100352,
            "hidden_size": 4096,
            "intermediate_size": 11008,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
        },
    ),
    "Pythia 1.4B": (
        1_414_647_808,
        {
            "model_type": "gpt_neox",
            "vocab_size": 50304,
            "hidden_size": 2048,
            "intermediate_size": 8192,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
        },
    ),
    "Mixtral 8x7B": (
        46_702_792_704,
        {
            "model_type": "mixtral",
            "vocab_size": 32000,
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
        },
    ),
    "Qwen1.5 MoE A2.7B": (
        14_315_784_192,
        {
            "model_type": "qwen2_moe",
            "vocab_size": 151936,
            "hidden_size": 2048,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
        },
    ),
    "Qwen3 30B A3B": (
        30_532_122_624,
        {
            "model_type": "qwen3_moe",
            "vocab_size": 151936,
            "hidden_size": 2048,
            "num_hidden_layers": 48,
            "num_attention_heads": 32,
            "head_dim": 128,
            "num_experts": 128,
        },
    ),
}


@pytest.mark.parametrize("name", RELEASED)
def test_counts_of_released_models(name):
    total, config = RELEASED[name]
    assert growth.configured_counts(config).total == total


def test_active_and_non_embedding_parameters_of_a_mixture():
    counts = growth.configured_counts(RELEASED["Mixtral 8x7B"][1])
    assert counts.total - counts.non_embedding == 2 * 32000 * 4096
    # Six of eight experts rest, each of 3 x 4096 x 14336 in each of 32 layers.
    assert counts.total - counts.active == 6 * 32 * 3 * 4096 * 14336
