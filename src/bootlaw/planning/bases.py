"""Which laws answer the questions about some bases: of averages those that speak of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from bootlaw.planning.average import AverageSource, bases_of
from bootlaw.planning.source import Floats, Indices, Source


def at_bases(
    source: Source, tokens_stage1: ArrayLike, at: Mapping[str, ArrayLike] | None = None
) -> Source:
    """Return what answers questions about some bases: of an average, the laws that can."""
    if isinstance(source, AverageSource):
        return source.at_bases(tokens_stage1, at or {})
    return source


def by_the_same_laws(sources: Mapping[str, Source]) -> dict[str, Source]:
    """Return methods without the laws that one of them is silent by: a world has one law."""
    averages = [one for one in sources.values() if isinstance(one, AverageSource)]
    silent = frozenset[str]().union(*(one.silent for one in averages))
    return {
        method: source.without(silent) if isinstance(source, AverageSource) else source
        for method, source in sources.items()
    }


def by_base(
    source: Source, tokens_stage1: Floats, at: Mapping[str, ArrayLike]
) -> Iterator[tuple[Indices, Source]]:
    """Give the places of bases (n,) that the same laws speak of, each with those laws.

    Bases of D1 = 0, none at all, come together with all laws; other places have D1 > 0.
    """
    if not isinstance(source, AverageSource) or not tokens_stage1.all():
        yield np.arange(tokens_stage1.size), source
        return
    whole = source if source.whole is None else source.whole
    speaks = whole.speaks(bases_of(tokens_stage1, at))
    speaks[:, ~speaks.any(axis=0)] = True
    kinds, kind = np.unique(speaks, axis=1, return_inverse=True)
    for number in range(kinds.shape[1]):
        yield np.flatnonzero(kind.reshape(-1) == number), whole.only(kinds[:, number])
