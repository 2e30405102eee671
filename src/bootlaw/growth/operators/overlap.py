"""Overlapping: the lower layers, then the upper ones again, sharing a middle."""

from __future__ import annotations

from bootlaw.errors import InputError
from bootlaw.growth.layerwise import rearranged
from bootlaw.growth.operators.depth import deepened, deepened_moments
from bootlaw.growth.plan import GrowthPlan, Preservation
from bootlaw.growth.spec import ModelSpec

SOURCE = "arXiv 2312.15166 (SOLAR), depth up-scaling"


def overlap(spec: ModelSpec, *, drop: int | None = None, layers: int | None = None) -> GrowthPlan:
    """Return the plan that puts the last L - m layers on top of the first L - m.

    Parameters
    ----------
    spec
        The parent, L layers.
    drop
        m, how many layers each of the two copies leaves out at the seam; by default a quarter
        of L, as SOLAR (8 of 32).
    layers
        Layers of the grown model, 2 (L - m), instead of `drop`.

    Raises
    ------
    InputError
        When the result would not be deeper than the parent, or not of an even number of layers.
    """
    kept = spec.layers - _dropped(spec, drop, layers)
    origins = [*range(kept), *range(spec.layers - kept, spec.layers)]
    return GrowthPlan(
        operator="overlap",
        arguments={"drop": spec.layers - kept},
        config=rearranged(spec, origins),
        recipes=deepened(spec, origins),
        preservation=Preservation.APPROXIMATE,
        source=SOURCE,
        moments=deepened_moments(spec, origins),
    )


def _dropped(spec: ModelSpec, drop: int | None, layers: int | None) -> int:
    if drop is not None and layers is not None:
        raise InputError("overlap takes drop or a number of layers, not both")
    if layers is not None:
        if layers % 2:
            raise InputError(
                f"overlap gives 2 (L - drop) layers, an even number; {layers} is odd, "
                f"{layers + 1} is not"
            )
        drop = spec.layers - layers // 2
    elif drop is None:
        drop = spec.layers // 4
    if not 0 <= drop < spec.layers / 2:
        raise InputError(
            f"overlap of {spec.layers} layers needs drop from 0 to {(spec.layers - 1) // 2}, so "
            f"that every layer is used and the model becomes deeper; found {drop}, which would "
            f"give {2 * (spec.layers - drop)} layers"
        )
    return drop
