"""Scaling laws as data: formulas, parameters, exact derivatives, text, sources."""

from bootlaw.laws.catalogue import as_law, get, names
from bootlaw.laws.constraints import Constrained, constrain
from bootlaw.laws.design import Design
from bootlaw.laws.formula import from_formula
from bootlaw.laws.law import Definition, Law, Parameter, Part
from bootlaw.laws.methods import SeveralMethods, several_methods
from bootlaw.laws.parser import parse
from bootlaw.laws.presets import Preset, preset, preset_names
from bootlaw.laws.scratch import with_scratch

__all__ = [
    "Constrained",
    "Definition",
    "Design",
    "Law",
    "Parameter",
    "Part",
    "Preset",
    "SeveralMethods",
    "as_law",
    "constrain",
    "from_formula",
    "get",
    "names",
    "parse",
    "preset",
    "preset_names",
    "several_methods",
    "with_scratch",
]
