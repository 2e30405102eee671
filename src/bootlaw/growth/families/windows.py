"""Kinds of attention that a configuration implies by the numbers of its layers."""

from __future__ import annotations

from bootlaw.growth.family import Config


def full_then_window(config: Config, layers: int) -> list[str] | None:
    """Return Qwen's kinds: layers from ``max_window_layers`` on look through a window."""
    if not config.get("use_sliding_window"):
        return None
    full = int(config.get("max_window_layers", 28))
    return ["full_attention" if layer < full else "sliding_attention" for layer in range(layers)]


def alternating(config: Config, layers: int) -> list[str] | None:
    """Return Gemma 2's kinds: every other layer looks through a window, the first one included."""
    del config
    return ["full_attention" if layer % 2 else "sliding_attention" for layer in range(layers)]


def alternating_then_full(config: Config, layers: int) -> list[str] | None:
    """Return Qwen2-MoE's kinds: of the first ``max_window_layers``, every other has a window."""
    if not config.get("use_sliding_window"):
        return None
    mixed = int(config.get("max_window_layers", 28))
    windowed = (layer < mixed and layer % 2 == 0 for layer in range(layers))
    return ["sliding_attention" if window else "full_attention" for window in windowed]
