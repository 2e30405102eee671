"""Depth stacking: the whole block of layers repeated on top of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.recipe import Copy, GrowthPlan, Preservation

_LAYER = re.compile(r"^(?P<prefix>.*\blayers\.)(?P<index>\d+)(?P<suffix>\..*)$")


def stack(config: Mapping[str, Any], tensor_names: Iterable[str], factor: int = 2) -> GrowthPlan:
    """Return the plan that repeats the layers of a decoder `factor` times.

    New layer i takes the tensors of old layer i mod L; embedding, final norm and head are
    copied. The operator does not preserve the function: the loss jumps and training repairs it.

    Parameters
    ----------
    config
        The parent's configuration with ``num_hidden_layers``.
    tensor_names
        Names of the parent's tensors, layers named ``...layers.<i>....``.
    factor
        How many times the layers stand in the grown model, at least 2.

    Raises
    ------
    InputError
        When `factor` is below 2, or the tensors' layers and the configuration disagree.

    Notes
    -----
    G_stack of Du et al., "Stacking Your Transformers" (arXiv 2405.15319).
    """
    layers = int(config["num_hidden_layers"])
    names = list(tensor_names)
    if factor < 2:
        raise InputError(f"stack needs a factor of at least 2, found {factor}")
    found = {int(match["index"]) for name in names if (match := _LAYER.match(name))}
    if found != set(range(layers)):
        raise InputError(
            f"the configuration says {layers} layers, the tensors hold layers {sorted(found)}"
        )
    return GrowthPlan(
        operator="stack",
        arguments={"factor": factor},
        config=_deepened(config, layers, factor),
        recipes=dict(_recipes(names, layers, factor)),
        preservation=Preservation.APPROXIMATE,
        source="arXiv 2405.15319, G_stack (depthwise, direct copy)",
    )


def _deepened(config: Mapping[str, Any], layers: int, factor: int) -> dict[str, Any]:
    grown = {**config, "num_hidden_layers": layers * factor}
    layer_types = config.get("layer_types")
    if layer_types:
        # A per-layer list moves with its layers, else sliding and full attention swap in silence.
        grown["layer_types"] = list(layer_types) * factor
    return grown


def _recipes(names: Iterable[str], layers: int, factor: int) -> Iterable[tuple[str, Copy]]:
    for name in names:
        match = _LAYER.match(name)
        if match is None:
            yield name, Copy(name)
            continue
        for copy in range(factor):
            new_index = int(match["index"]) + copy * layers
            yield f"{match['prefix']}{new_index}{match['suffix']}", Copy(name)
