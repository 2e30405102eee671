"""The sizes that fits to single sizes speak of, where nobody names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bootlaw.errors import InputError
from bootlaw.laws.names import N
from bootlaw.planning.question import own_size
from bootlaw.planning.source import Source


def final_size(
    params: float | None, reuse: Mapping[str, Source], every: Sequence[Source]
) -> float | None:
    """Return N of the final model: as given, else the one size that the laws were fitted to.

    Where methods end at models of different sizes it is the largest, so that a budget counts in
    FLOPs: tokens of a small model and of a large one are not equal budgets. None where the laws do
    not read the size and it is open.

    Raises
    ------
    InputError
        When a law reads the size and none is known.
    """
    if params is not None:
        return params
    sizes = {end for source in every if N in source.ranges for end in source.ranges[N]}
    if len(sizes) == 1 and (size := sizes.pop()) > 0:
        return size
    if any(N in source.law.variables for source in every):
        raise InputError("the laws read the size of the model; give it with --params N")
    own = [own_size(source) for source in reuse.values()]
    known = [size for size in own if size is not None]
    return max(known) if known and len(known) == len(own) else None


def base_size(params_base: float | None, reuse: Mapping[str, Source]) -> float | None:
    """Return N of the base: as given, else that of the continued runs beside grown ones."""
    if params_base is not None or len(reuse) < 2 or "cpt" not in reuse:
        return params_base
    return own_size(reuse["cpt"])


def by_size(scratch: Sequence[Source], params: float | None) -> tuple[Source, ...]:
    """Return laws from scratch, one for each size, that of the final model first."""
    found: dict[float | None, Source] = {}
    for source in scratch:
        found.setdefault(own_size(source), source)
    return tuple(sorted(found.values(), key=lambda source: own_size(source) != params))
