"""The growth operators by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bootlaw.growth.operators.identity import identity
from bootlaw.growth.operators.interleave import interleave
from bootlaw.growth.operators.overlap import overlap
from bootlaw.growth.operators.pad_hidden import pad_hidden
from bootlaw.growth.operators.stack import stack
from bootlaw.growth.operators.tile import tile
from bootlaw.growth.operators.upcycle import upcycle
from bootlaw.growth.operators.widen_ffn import widen_ffn
from bootlaw.growth.plan import GrowthPlan, Preservation


@dataclass(frozen=True)
class Operator:
    """An operator as commands and documents list it."""

    name: str
    function: Callable[..., GrowthPlan]
    """``(spec: ModelSpec, **arguments) -> GrowthPlan``."""
    preservation: Preservation
    """Its class with default arguments; the plan has that of the arguments in hand."""
    source: str
    meaning: str
    """One line for people."""
    arguments: tuple[str, ...]


_ALL = (
    Operator(
        "stack",
        stack,
        Preservation.APPROXIMATE,
        "arXiv 2405.15319, G_stack (depthwise, direct copy)",
        "the whole block of layers repeated on top of itself",
        ("factor", "layers"),
    ),
    Operator(
        "interleave",
        interleave,
        Preservation.APPROXIMATE,
        "arXiv 2110.07143 (bert2BERT); called split in arXiv 2405.15319",
        "every layer followed by copies of itself",
        ("factor", "layers"),
    ),
    Operator(
        "overlap",
        overlap,
        Preservation.APPROXIMATE,
        "arXiv 2312.15166 (SOLAR), depth up-scaling",
        "the lower layers, then the upper ones again, sharing a middle",
        ("drop", "layers"),
    ),
    Operator(
        "identity",
        identity,
        Preservation.EXACT,
        "arXiv 2401.02415 (LLaMA Pro), block expansion",
        "new layers that add nothing until training moves them",
        ("factor", "layers", "where"),
    ),
    Operator(
        "tile",
        tile,
        Preservation.ROUNDING,
        "arXiv 2409.12903 (HyperCloning)",
        "every width times a whole number, the function kept",
        ("factor", "ffn_factor", "noise", "noise_db", "head", "kv_heads"),
    ),
    Operator(
        "widen_ffn",
        widen_ffn,
        Preservation.ROUNDING,
        "arXiv 1511.05641 (Net2Net); arXiv 2310.07999 (LEMON); arXiv 2308.06103",
        "more units in the FFN, the function kept",
        ("factor", "intermediate_size", "mode", "split"),
    ),
    Operator(
        "pad_hidden",
        pad_hidden,
        Preservation.ROUNDING,
        "arXiv 2308.06103, hidden dimension expansion",
        "a wider residual stream whose new dimensions start empty, the function kept",
        ("hidden_size",),
    ),
    Operator(
        "upcycle",
        upcycle,
        Preservation.ROUNDING,
        "arXiv 2212.05055 (sparse upcycling); arXiv 2410.07524; arXiv 2502.19261",
        "the FFN becomes a mixture of experts that are its copies",
        (
            "experts",
            "top_k",
            "granularity",
            "renormalise",
            "noise",
            "drop_fraction",
            "router_std",
            "shared_share",
            "to",
        ),
    ),
)

OPERATORS: Mapping[str, Operator] = MappingProxyType({found.name: found for found in _ALL})

__all__ = [
    "OPERATORS",
    "Operator",
    "identity",
    "interleave",
    "overlap",
    "pad_hidden",
    "stack",
    "tile",
    "upcycle",
    "widen_ffn",
]
