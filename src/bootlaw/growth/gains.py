"""Arithmetic on the gains of norms, whether stored as g or, in Gemma, as g - 1."""

from __future__ import annotations

from bootlaw.growth.family import Family
from bootlaw.growth.recipe import Affine, Recipe


def gain_times(family: Family, weight: Recipe, factor: float) -> Recipe:
    """Return the stored weight of a norm whose gain is `factor` times that of `weight`."""
    if factor == 1.0:
        return weight
    return Affine(weight, factor, factor - 1.0 if family.one_plus_gain else 0.0)


def gain_weight(family: Family, gain: float) -> float:
    """Return the stored weight of a norm with a gain."""
    return gain - 1.0 if family.one_plus_gain else gain
