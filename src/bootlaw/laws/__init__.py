"""Scaling laws as data: terms, parameters, exact derivatives, text, sources."""

from bootlaw.laws.catalogue import get, names
from bootlaw.laws.design import Design, Expansion
from bootlaw.laws.features import CurvedFeature, Feature
from bootlaw.laws.law import Factor, Law, Parameter, Term
from bootlaw.laws.scratch import with_scratch

__all__ = [
    "CurvedFeature",
    "Design",
    "Expansion",
    "Factor",
    "Feature",
    "Law",
    "Parameter",
    "Term",
    "get",
    "names",
    "with_scratch",
]
