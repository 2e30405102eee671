"""In which type a new tensor is stored, and how float64 becomes that type, rounded once.

torch converts float64 to bfloat16 and float16 through float32, which rounds twice: 1 + 2^-8 +
2^-40 becomes 1 in bfloat16, and the nearest value is 1 + 2^-7. Rounding to odd in between
(Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE Trans. Comput. 57, 2008)
keeps what the second rounding needs to know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from bootlaw.growth.plan import GrowthPlan


def stored_types(plan: GrowthPlan, parent: Mapping[str, str]) -> dict[str, str]:
    """Return new tensor name -> type, by torch's name.

    A tensor keeps the type of what it is made of, the widest where that is several; one made of
    nothing takes the type that most of the parent's tensors have. The plan may say otherwise.

    Parameters
    ----------
    plan
        A growth operator's result.
    parent
        Old tensor name -> type.
    """
    ((usual, _),) = Counter(parent.values()).most_common(1)
    found = {}
    for name, recipe in plan.recipes.items():
        kinds = [parent[source] for source in recipe.sources()] or [usual]
        found[name] = plan.dtypes.get(name) or reduce(_wider, kinds)
    return found


def round_once(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return `values` in `dtype`, to nearest, ties to even, of the same shape."""
    import torch

    if values.dtype != torch.float64 or dtype not in (torch.bfloat16, torch.float16):
        return values.to(dtype)
    if dtype == torch.float16:
        return _rounded_to_odd(values).to(dtype)
    single = values.float()
    # Only what float32 puts in the middle between two values of bfloat16 can go wrong.
    middle = ((single.view(torch.int32) & 0xFFFF) == 0x8000).nonzero(as_tuple=True)
    if middle[0].numel():
        single[middle] = _rounded_to_odd(values[middle])
    return single.to(dtype)


def _rounded_to_odd(values: torch.Tensor) -> torch.Tensor:
    """Return float32 in which what is not exact has an odd last bit."""
    import torch

    nearest = values.float()
    back = nearest.double()
    inexact = (back != values) & nearest.isfinite()
    # Bit patterns grow with the magnitude: one less is one step towards zero.
    away = (back.abs() > values.abs()) & inexact
    bits = nearest.view(torch.int32)
    return torch.where(inexact, (bits - away.int()) | 1, bits).view(torch.float32)


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    import torch

    wider = torch.promote_types(getattr(torch, one), getattr(torch, other))
    return str(wider).removeprefix("torch.")
