"""Models: a `transformers` Llama built from a small frozen specification.

* decoder of the Llama family (RMSNorm before attention and MLP, rotary positions, SwiGLU);
* untied embedding and head, no biases, multi-head attention;
* parameter counts and FLOPs come from formulas, without building a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from bootlaw.errors import InputError
from bootlaw.training.text.tokens import END_OF_DOCUMENT, VOCABULARY_SIZE

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class ModelSpec:
    """Shape of a Llama-style decoder of bytes; its vocabulary is that of `training.text`."""

    hidden_size: int
    layers: int
    head_size: int
    intermediate_size: int
    context: int
    """Tokens a sequence."""
    initializer_range: float = 0.02
    """Standard deviation of the initial weights."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value <= 0:
                raise InputError(f"model.{name} must be above 0, found {value}")
        if self.hidden_size % self.head_size:
            raise InputError(
                f"model.hidden_size {self.hidden_size} is not a multiple of "
                f"model.head_size {self.head_size}"
            )
        if self.head_size % 2:
            raise InputError(f"model.head_size must be even for RoPE, found {self.head_size}")

    @property
    def non_embedding_params(self) -> int:
        """Parameters without embedding and head: the N of the scaling laws."""
        attention = 4 * self.hidden_size**2
        mlp = 3 * self.hidden_size * self.intermediate_size
        norms = 2 * self.hidden_size
        return self.layers * (attention + mlp + norms) + self.hidden_size

    @property
    def total_params(self) -> int:
        """All parameters, embedding and untied head included."""
        return self.non_embedding_params + 2 * VOCABULARY_SIZE * self.hidden_size

    @property
    def flops_per_token(self) -> float:
        """Training FLOPs per token, forward and backward.

        6 per parameter used in a matrix product (all but the embedding, which is a look-up) and
        12 x layers x hidden x context for attention scores and values, the convention of
        PaLM's appendix B (arXiv 2204.02311), which does not halve for the causal mask.
        """
        multiplied = self.non_embedding_params + VOCABULARY_SIZE * self.hidden_size
        return 6.0 * multiplied + 12.0 * self.layers * self.hidden_size * self.context

    def config(self) -> dict[str, Any]:
        """Return the fields of the model's Hugging Face ``config.json``."""
        heads = self.hidden_size // self.head_size
        return {
            "vocab_size": VOCABULARY_SIZE,
            "hidden_size": self.hidden_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": heads,
            "num_key_value_heads": heads,
            "intermediate_size": self.intermediate_size,
            "max_position_embeddings": self.context,
            "initializer_range": self.initializer_range,
            "tie_word_embeddings": False,
            "bos_token_id": None,
            "eos_token_id": END_OF_DOCUMENT,
        }


def build_model(config: Mapping[str, Any], seed: int) -> PreTrainedModel:
    """Return a freshly initialised Llama in float32; the same `seed` gives the same weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        llama = LlamaConfig(**dict(config), use_cache=False)
        # Scaled dot-product attention: the same losses as eager attention, a tenth faster.
        llama._attn_implementation = "sdpa"
        model: PreTrainedModel = LlamaForCausalLM(llama)
    return cast("PreTrainedModel", model.float())
