"""Stacking: the whole block of layers repeated on top of itself."""

from __future__ import annotations

from bootlaw.growth.layerwise import rearranged
from bootlaw.growth.operators.depth import deepened, deepened_moments, target_layers
from bootlaw.growth.plan import GrowthPlan, Preservation
from bootlaw.growth.spec import ModelSpec


def stack(spec: ModelSpec, *, factor: int | None = None, layers: int | None = None) -> GrowthPlan:
    """Return the plan that stacks the layers of a decoder.

    New layer i takes the tensors of old layer i mod L; embedding, final norm and head are
    copied. Where `layers` is no multiple of L, the last layers are copies of the parent's top
    layers (gradual stacking). The operator does not preserve the function: the loss jumps and
    training repairs it.

    Parameters
    ----------
    spec
        The parent.
    factor, layers
        How many times the layers stand in the grown model, or how many layers it has; by
        default twice.

    Raises
    ------
    InputError
        When the model would not become deeper, or its configuration cannot follow.

    Notes
    -----
    G_stack of Du et al., "Stacking Your Transformers" (arXiv 2405.15319). Gradual stacking:
    Reddi et al. (2023), "Efficient Training of Language Models using Gradual Stacking".
    """
    target = target_layers(spec, "stack", factor, layers)
    whole, rest = divmod(target, spec.layers)
    origins = [*range(spec.layers)] * whole + [*range(spec.layers - rest, spec.layers)]
    return GrowthPlan(
        operator="stack",
        arguments={"layers": target},
        config=rearranged(spec, origins),
        recipes=deepened(spec, origins),
        preservation=Preservation.APPROXIMATE,
        source="arXiv 2405.15319, G_stack (depthwise, direct copy)",
        moments=deepened_moments(spec, origins),
        notes=(_gradual(spec, rest),) if rest else (),
    )


def _gradual(spec: ModelSpec, rest: int) -> str:
    return (
        f"{rest} layers remained after whole copies of the {spec.layers}: they are copies of the "
        f"top {rest} (gradual stacking); the G_stack paper stacks whole blocks"
    )
