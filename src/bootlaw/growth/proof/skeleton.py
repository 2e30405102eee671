"""The grown model as transformers builds it, without memory: what can be proven of any size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from bootlaw.errors import BootlawError
from bootlaw.growth.proof.quiet import quiet_transformers
from bootlaw.growth.recipe import Shape


def check_skeleton(
    folder: Path,
    shapes: Mapping[str, Shape],
    aliases: Mapping[str, str] | None = None,
    *,
    mixture: bool,
) -> int:
    """Return the parameters of the model that ``config.json`` describes, which must be those made.

    Parameters
    ----------
    folder
        The grown checkpoint.
    shapes
        Name -> shape of the parameters that were made.
    aliases
        Other name of a parameter -> its name: versions of transformers differ in some.
    mixture
        Whether it is a mixture of experts: transformers joins these while it loads, under other
        names, so that only their number is compared.

    Raises
    ------
    BootlawError
        When names, shapes or the number differ.
    """
    known = aliases or {}
    built = {known.get(name, name): shape for name, shape in _built(folder).items()}
    shapes = {known.get(name, name): tuple(shape) for name, shape in shapes.items()}
    if not mixture and built != shapes:
        raise BootlawError(
            "transformers builds another model of the grown config.json than was made: "
            f"{_first_difference(built, shapes)}; nothing was written"
        )
    params = sum(math.prod(shape) for shape in built.values())
    made = sum(math.prod(shape) for shape in shapes.values())
    if params != made:
        raise BootlawError(
            f"transformers builds {params} parameters of the grown config.json, {made} were made; "
            "nothing was written"
        )
    return params


def _built(folder: Path) -> dict[str, Shape]:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with quiet_transformers(), torch.device("meta"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_config(config)
    return {name: tuple(weight.shape) for name, weight in model.named_parameters()}


def _first_difference(built: Mapping[str, Shape], made: Mapping[str, Shape]) -> str:
    for name in sorted({*built, *made}):
        if name not in made:
            return f"{name} was not made"
        if name not in built:
            return f"{name} has no place"
        if tuple(built[name]) != tuple(made[name]):
            return f"{name} should have the shape {list(built[name])}, has {list(made[name])}"
    return "nothing"
