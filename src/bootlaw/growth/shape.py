"""A model's shape in the words of a receipt."""

from __future__ import annotations

from typing import Any

from bootlaw.growth.roles import Axis
from bootlaw.growth.spec import ModelSpec


def shape_of(spec: ModelSpec) -> dict[str, Any]:
    """Return the quantities that growth can change; what a model does not have is left out."""
    shape: dict[str, Any] = {
        "model_type": spec.family.model_type,
        "layers": spec.layers,
        "hidden_size": spec.hidden,
        "intermediate_size": spec.ffn,
        "heads": spec.heads,
        "kv_heads": spec.kv_heads,
        "head_size": spec.head_size,
        "vocabulary": spec.sizes[Axis.VOCAB],
        "tied_head": spec.tied,
    }
    if spec.experts:
        shape |= {"experts": spec.experts, "experts_per_token": spec.top_k}
    return shape
