"""Interleaving: every layer followed by copies of itself."""

from __future__ import annotations

from bootlaw.growth.layerwise import rearranged
from bootlaw.growth.operators.depth import deepened, deepened_moments, target_layers
from bootlaw.growth.plan import GrowthPlan, Preservation
from bootlaw.growth.spec import ModelSpec

SOURCE = "arXiv 2110.07143 (bert2BERT), inner stacking; called split in arXiv 2405.15319"


def interleave(
    spec: ModelSpec, *, factor: int | None = None, layers: int | None = None
) -> GrowthPlan:
    """Return the plan that repeats each layer in its place.

    With g copies new layer i takes old layer i // g; with M layers that are no multiple of L,
    old layer floor(i L / M), so that the doubled layers are spread evenly.

    Parameters
    ----------
    spec
        The parent.
    factor, layers
        How many times each layer stands in the grown model, or how many layers it has; by
        default twice.

    Raises
    ------
    InputError
        When the model would not become deeper, or its configuration cannot follow.
    """
    target = target_layers(spec, "interleave", factor, layers)
    origins = [layer * spec.layers // target for layer in range(target)]
    return GrowthPlan(
        operator="interleave",
        arguments={"layers": target},
        config=rearranged(spec, origins),
        recipes=deepened(spec, origins),
        preservation=Preservation.APPROXIMATE,
        source=SOURCE,
        moments=deepened_moments(spec, origins),
    )
