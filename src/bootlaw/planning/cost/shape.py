"""The shape of a decoder, and what follows from it: parameters and FLOPs per token.

Counted per block: attention with grouped queries (Q and output h x heads x head size, K and V
h x KV heads x head size), a feed-forward of three matrices (gated) or two, or experts of that
kind with a router h x experts, the norms, and biases where the family has them. Outside the
blocks: embedding and head, vocabulary x h each (once where tied), and the last norm.

FLOPs per token of training, forward and backward:

    6 (N_active + V h) + 12 x sum over layers of heads x head size x context

6 per weight that multiplies a token: Kaplan et al. (arXiv 2001.08361, section 2.1). The second
term is attention's scores and values as in PaLM (arXiv 2204.02311, appendix B), which does not
halve for the causal mask. The head's product is counted and the look-up of the embedding is not,
as in PaLM; Hoffmann et al. (arXiv 2203.15556, appendix F) count the embedding too. Norms and
biases are counted at 6 like matrices, less than 0.1 % of a model of any size. N_active leaves
out the experts that a token does not visit. Recomputed activations are not counted: they belong
into the utilisation. Inference is the forward pass alone, a third of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError

Floats = NDArray[np.float64]
QueryKeyNorm = Literal["none", "head", "projection"]

TRAINING = 6.0
"""FLOPs per weight and token: 2 forward, 4 backward (arXiv 2001.08361, section 2.1)."""
INFERENCE = 2.0
"""FLOPs per weight and token of a forward pass."""
SEQUENCE_LENGTH = 4096
"""Tokens a sequence where nothing else is said."""

_MAY_BE_ZERO = {
    "intermediate_size",
    "experts",
    "experts_per_token",
    "expert_intermediate_size",
    "shared_expert_intermediate_size",
    "dense_layers",
    "window",
    "window_layers",
    "positions",
    "norms_per_block",
}


@dataclass(frozen=True)
class ModelShape:
    """The shape of a decoder-only transformer.

    Attributes
    ----------
    intermediate_size : width of the feed-forward in layers without experts.
    kv_heads : heads of keys and values; equal to `heads` without grouped queries.
    sequence_length : tokens a training sequence, for the cost of attention.
    tied : whether embedding and head are one matrix.
    gated : whether the feed-forward has three matrices (SwiGLU, GeGLU) or two.
    experts, experts_per_token : routed experts a layer, and those a token visits; 0 if dense.
    expert_intermediate_size : width of one expert.
    shared_expert_intermediate_size : width of what every token visits beside the routed experts.
    shared_expert_gate : whether that has a gate of h weights.
    dense_layers : how many of the layers have no experts, in a model with experts.
    window, window_layers : tokens that attention looks back, and in how many layers; 0 if all.
    positions : learned position embeddings; 0 with rotary positions.
    qkv_bias, output_bias, ffn_bias, norm_bias : which products and norms have a bias.
    qk_norm : norms of queries and keys: per ``head`` (one head size), per ``projection`` or none.
    norms_per_block : with the last norm they count 0 altogether if the norms have no weights.
    notes : what was assumed when the shape was read, in words.
    """

    layers: int
    hidden_size: int
    intermediate_size: int
    heads: int
    kv_heads: int
    head_size: int
    vocab_size: int
    sequence_length: int = SEQUENCE_LENGTH
    tied: bool = False
    gated: bool = True
    experts: int = 0
    experts_per_token: int = 0
    expert_intermediate_size: int = 0
    shared_expert_intermediate_size: int = 0
    shared_expert_gate: bool = False
    dense_layers: int = 0
    window: int = 0
    window_layers: int = 0
    positions: int = 0
    qkv_bias: bool = False
    output_bias: bool = False
    ffn_bias: bool = False
    norm_bias: bool = False
    qk_norm: QueryKeyNorm = "none"
    norms_per_block: int = 2
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, bool) or not isinstance(value, int):
                continue
            if value < 0 or (value == 0 and item.name not in _MAY_BE_ZERO):
                raise InputError(f"the model's {item.name} is {value}; it must be above 0")
        self._check_heads()
        self._check_experts()

    @property
    def params(self) -> int:
        """Non-embedding parameters, all experts included: the N of the scaling laws."""
        sparse = self._sparse_layers * (self.experts * self._expert + self._beside_experts)
        return self._dense_part + sparse

    @property
    def params_total(self) -> int:
        """All parameters, with embedding, head and learned positions."""
        return self.params + self._embeddings

    @property
    def params_active(self) -> int:
        """Non-embedding parameters that one token uses: without the experts it does not visit."""
        visited = self.experts_per_token * self._expert + self._beside_experts
        return self._dense_part + self._sparse_layers * visited

    @property
    def params_active_total(self) -> int:
        """The parameters that one token uses, with embedding, head and learned positions."""
        return self.params_active + self._embeddings

    @property
    def attention_width(self) -> float:
        """Sum over the layers of heads x head size x tokens looked at."""
        near = self.window_layers * min(self.window, self.sequence_length)
        far = (self.layers - self.window_layers) * self.sequence_length
        return float(self.heads * self.head_size * (near + far))

    @property
    def head_params(self) -> int:
        """Weights of the product that gives the logits, whether or not tied."""
        return self.vocab_size * self.hidden_size

    @property
    def flops_per_token(self) -> float:
        """Training FLOPs per token, forward and backward; see the module for the formula."""
        weights = self.params_active + self.head_params
        return TRAINING * weights + 2 * TRAINING * self.attention_width

    @property
    def inference_flops_per_token(self) -> float:
        """FLOPs per token of a forward pass over sequences of `sequence_length`."""
        return self.flops_per_token * INFERENCE / TRAINING

    def flops_per_token_at(self, params: ArrayLike) -> Floats:
        """Return training FLOPs per token of this shape grown or shrunk to other sizes.

        Depth and width keep their ratio, so that width grows as the cube root of the size: the
        weights of the blocks cost in proportion to N, attention to N^(2/3), the head to N^(1/3).

        Parameters
        ----------
        params : non-embedding parameters, all experts included, any shape.
        """
        ratio = np.asarray(params, dtype=np.float64) / self.params
        blocks = TRAINING * self.params_active * ratio
        attention = 2 * TRAINING * self.attention_width * ratio ** (2 / 3)
        return np.asarray(blocks + attention + TRAINING * self.head_params * ratio ** (1 / 3))

    @property
    def _sparse_layers(self) -> int:
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def _dense_part(self) -> int:
        """Attention and norms of all layers, the feed-forward of dense ones, the last norm."""
        dense_ffn = (self.layers - self._sparse_layers) * self._ffn(self.intermediate_size)
        last_norm = self._norm if self.norms_per_block else 0
        return self.layers * (self._attention + self.norms_per_block * self._norm) + (
            dense_ffn + last_norm
        )

    @property
    def _attention(self) -> int:
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        weights = self.hidden_size * (2 * queries + 2 * keys)
        bias = (queries + 2 * keys) * self.qkv_bias + self.hidden_size * self.output_bias
        norms = {"none": 0, "head": 2 * self.head_size, "projection": queries + keys}
        return weights + bias + norms[self.qk_norm]

    @property
    def _norm(self) -> int:
        return self.hidden_size * (2 if self.norm_bias else 1)

    @property
    def _expert(self) -> int:
        return self._ffn(self.expert_intermediate_size)

    @property
    def _beside_experts(self) -> int:
        """The router, the shared expert and its gate."""
        gate = self.hidden_size * self.shared_expert_gate
        shared = self.shared_expert_intermediate_size
        return self.hidden_size * self.experts + gate + (self._ffn(shared) if shared else 0)

    @property
    def _embeddings(self) -> int:
        tables = 1 if self.tied else 2
        return tables * self.head_params + self.positions * self.hidden_size

    def _ffn(self, width: int) -> int:
        inner = 2 if self.gated else 1
        bias = (inner * width + self.hidden_size) * self.ffn_bias
        return (inner + 1) * self.hidden_size * width + bias

    def _check_heads(self) -> None:
        if self.heads % self.kv_heads:
            raise InputError(
                f"the model's {self.heads} heads are not a multiple of its {self.kv_heads} KV heads"
            )
        if self.window_layers > self.layers or self.dense_layers > self.layers:
            raise InputError("the model has more window or dense layers than layers")

    def _check_experts(self) -> None:
        if self.experts_per_token > self.experts:
            raise InputError(
                f"a token cannot visit {self.experts_per_token} of {self.experts} experts"
            )
        if self.experts and not (self.experts_per_token and self.expert_intermediate_size):
            raise InputError(
                "a model with experts needs experts_per_token and expert_intermediate_size"
            )
        if self._sparse_layers < self.layers and not self.intermediate_size:
            raise InputError("a model with dense layers needs intermediate_size")
