"""Tiny Hugging Face checkpoints of several families, with weights that hide no mistake.

Norm gains are away from 1 and weights large enough for logits of order 10: freshly initialised
models hide mistakes in norms and heads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

VOCABULARY = 96
_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 160,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 2},
    "qwen3": {"num_key_value_heads": 2, "head_dim": 8, "tie_word_embeddings": True},
    "gemma2": {"num_key_value_heads": 1, "head_dim": 8, "sliding_window": 16},
    "gpt_neox": {"hidden_act": "gelu"},
}


def save_tiny(folder: Path, family: str, *, dtype: str = "float32", **config: Any) -> Path:
    """Write a tiny checkpoint of `family` to `folder` and return the folder."""
    settings = {**_COMMON, **FAMILIES[family], **config}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **settings))
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.ndim == 1:
                    weight.add_(0.3 * torch.randn_like(weight))
                else:
                    spread = 1.0 if "embed" in name else 1.5
                    weight.normal_(0, spread / weight.shape[1] ** 0.5)
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def add_tokenizer(folder: Path, size: int = VOCABULARY, template: str | None = None) -> Path:
    """Add a tokenizer of single characters to a checkpoint."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [chr(code) for code in range(32, 32 + size - 1)]
    vocabulary = {letter: number for number, letter in enumerate(["<unk>", *letters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")
    fast.chat_template = template
    fast.save_pretrained(folder)
    return folder
