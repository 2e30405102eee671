"""The parts that families share, as slots."""

from __future__ import annotations

from bootlaw.growth.roles import Axis, Role, Slot, buffer, embedding, head, linear, norm

LAYER = "model.layers.{layer}"


def ends() -> tuple[Slot, ...]:
    """Return embedding, final norm and head under the names of Llama."""
    return (
        *embedding("model.embed_tokens.weight"),
        *norm("model.norm", Role.FINAL_NORM),
        *head("lm_head.weight"),
    )


def attention(qkv_bias: str | bool = False, output_bias: str | bool = False) -> tuple[Slot, ...]:
    """Return the projections of attention under the names of Llama."""
    stem = f"{LAYER}.self_attn"
    return (
        *linear(f"{stem}.q_proj", Role.Q, Axis.Q, Axis.HIDDEN, bias=qkv_bias),
        *linear(f"{stem}.k_proj", Role.K, Axis.KV, Axis.HIDDEN, bias=qkv_bias),
        *linear(f"{stem}.v_proj", Role.V, Axis.KV, Axis.HIDDEN, bias=qkv_bias),
        *linear(f"{stem}.o_proj", Role.O, Axis.HIDDEN, Axis.Q, bias=output_bias),
        *buffer(f"{stem}.rotary_emb.inv_freq"),
    )


def head_norms() -> tuple[Slot, ...]:
    """Return norms of each query and key head, one gain for all heads."""
    stem = f"{LAYER}.self_attn"
    return (
        *norm(f"{stem}.q_norm", Role.Q_NORM, Axis.HEAD),
        *norm(f"{stem}.k_norm", Role.K_NORM, Axis.HEAD),
    )


def gated_ffn(
    stem: str = f"{LAYER}.mlp",
    units: Axis = Axis.FFN,
    bias: str | bool = False,
    names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj"),
) -> tuple[Slot, ...]:
    """Return a gated FFN: gate and up into `units`, down out of them."""
    gate, up, down = (f"{stem}.{name}" for name in names)
    return (
        *linear(gate, Role.GATE, units, Axis.HIDDEN, bias=bias),
        *linear(up, Role.UP, units, Axis.HIDDEN, bias=bias),
        *linear(down, Role.DOWN, Axis.HIDDEN, units, bias=bias),
    )


def router(stem: str) -> tuple[Slot, ...]:
    """Return the router of a mixture of experts."""
    return linear(stem, Role.ROUTER, Axis.EXPERTS, Axis.HIDDEN)


def pre_norms() -> tuple[Slot, ...]:
    """Return the norms before attention and before the FFN, under the names of Llama."""
    return (
        *norm(f"{LAYER}.input_layernorm", Role.PRE_NORM),
        *norm(f"{LAYER}.post_attention_layernorm", Role.PRE_NORM),
    )
