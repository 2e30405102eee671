"""The families that growth knows: every module here that declares a ``FAMILY``.

To add one, write a file here like ``llama.py`` and nothing else:

* `slots`: the name of every tensor in the checkpoint's files, with its role and its axes (the
  parts that families share are in ``blocks.py``); `describe` refuses a checkpoint in which a
  tensor is missing, left over or of another shape, so that nothing can be forgotten;
* `defaults`: the fields that ``config.json`` may leave out, with the values of `transformers`;
* `silenced`: what to zero so that a block adds nothing; the norms, where they follow the block;
* what is peculiar: gains of 1 + w, norms that subtract the mean, a scaled embedding, windows.

The operators need no more. Add the family to ``tests/support/tiny_decoders.py`` and every
operator is tested on it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bootlaw.errors import InputError
from bootlaw.growth.family import Family


@cache
def families() -> dict[str, Family]:
    """Return `model_type` -> family, for every family file beside this one."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    declared = [module.FAMILY for module in modules if hasattr(module, "FAMILY")]
    return {family.model_type: family for family in declared}


def family_of(model_type: object) -> Family:
    """Return the family of a configuration's ``model_type``.

    Raises
    ------
    InputError
        When no file declares it; the message says what to write.
    """
    known = families()
    if isinstance(model_type, str) and model_type in known:
        return known[model_type]
    if not model_type:
        raise InputError("config.json has no model_type; set it to one of " + ", ".join(known))
    raise InputError(
        f"growth does not know the family {model_type!r} (it knows {', '.join(known)}); to add it, "
        f"write src/bootlaw/growth/families/{model_type}.py with a FAMILY that names its tensors, "
        "their roles and axes, as llama.py there does"
    )


__all__ = ["families", "family_of"]
