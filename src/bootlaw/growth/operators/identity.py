"""Identity blocks: new layers that add nothing to the stream until training moves them."""

from __future__ import annotations

from typing import Literal

from bootlaw.errors import InputError
from bootlaw.growth.layerwise import rearranged
from bootlaw.growth.operators.depth import deepened, deepened_moments, target_layers
from bootlaw.growth.plan import GrowthPlan, MomentRule, Preservation
from bootlaw.growth.roles import Role
from bootlaw.growth.spec import ModelSpec

SOURCE = "arXiv 2401.02415 (LLaMA Pro), block expansion"


def identity(
    spec: ModelSpec,
    *,
    factor: int | None = None,
    layers: int | None = None,
    where: Literal["interleaved", "top"] = "interleaved",
) -> GrowthPlan:
    """Return the plan that adds copies of layers whose output is switched off.

    A new layer copies the layer below it and has its outputs zeroed (weights and biases), so
    that the residual stream passes unchanged: the grown model computes the parent's function bit
    for bit. Families that normalise the output of attention and FFN (Gemma 2, OLMo 2) get the
    gains of those norms zeroed instead: a norm after a zeroed matrix would amplify the first
    update to full size.

    Parameters
    ----------
    spec
        The parent.
    factor, layers
        Layers of the grown model, as a multiple of the parent's or outright; by default twice.
    where
        ``interleaved``: the new layers spread evenly between the old ones, each after the layer
        that it copies; counts need not divide. ``top``: all above the last layer.

    Raises
    ------
    InputError
        When the model would not become deeper, or its configuration cannot follow.
    """
    target = target_layers(spec, "identity", factor, layers)
    if where not in ("interleaved", "top"):
        raise InputError(f"identity knows where = interleaved and top, found {where!r}")
    new = target - spec.layers
    after = _spread(spec.layers, new) if where == "interleaved" else [spec.layers - 1] * new
    origins, fresh = _inserted(spec.layers, after)
    return GrowthPlan(
        operator="identity",
        arguments={"layers": target, "where": where},
        config=rearranged(spec, origins),
        recipes=deepened(spec, origins, silent=frozenset(fresh)),
        preservation=Preservation.EXACT,
        source=SOURCE,
        moments=deepened_moments(spec, origins, fresh=frozenset(fresh)),
        moment_rule=MomentRule.EXACT,
        notes=(_note(spec, fresh),),
        new_layers=tuple(fresh),
    )


def _spread(layers: int, new: int) -> list[int]:
    """Return, for each new layer, the old one it follows: LLaMA Pro's groups, as even as can be."""
    return [
        (number + 1) * layers // new - 1 if new <= layers else number * layers // new
        for number in range(new)
    ]


def _inserted(layers: int, after: list[int]) -> tuple[list[int], list[int]]:
    """Return the origin of every layer, and the numbers of the new ones."""
    origins: list[int] = []
    fresh: list[int] = []
    for layer in range(layers):
        copies = after.count(layer)
        fresh += range(len(origins) + 1, len(origins) + 1 + copies)
        origins += [layer] * (1 + copies)
    return origins, fresh


def _note(spec: ModelSpec, fresh: list[int]) -> str:
    what = (
        "the gains of the norms on the outputs"
        if Role.POST_NORM in spec.family.silenced
        else "the output matrices and biases"
    )
    numbers = ", ".join(str(layer) for layer in fresh)
    return (
        f"new layers {numbers} start as identities: {what} of attention and FFN are zero. Only "
        "these get a gradient at the first step, everything else from the second step on"
    )
