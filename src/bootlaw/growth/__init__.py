"""Growth operators: maps from each new tensor's name to a recipe over old tensors."""

from bootlaw.growth.compose import Step, compose, grown_spec
from bootlaw.growth.counts import Counts, configured_counts, parameter_counts
from bootlaw.growth.families import families
from bootlaw.growth.in_step import ShapeInStep, shape_in_step
from bootlaw.growth.operators import (
    OPERATORS,
    Operator,
    identity,
    interleave,
    overlap,
    pad_hidden,
    stack,
    tile,
    upcycle,
    widen_ffn,
)
from bootlaw.growth.plan import (
    GrowthPlan,
    MomentRecipe,
    MomentRule,
    Preservation,
    materialise,
)
from bootlaw.growth.recipe import Constant, Copy, Reader, Recipe, Rows, Shape, Zeros
from bootlaw.growth.spec import ModelSpec, describe

__all__ = [
    "OPERATORS",
    "Constant",
    "Copy",
    "Counts",
    "GrowthPlan",
    "ModelSpec",
    "MomentRecipe",
    "MomentRule",
    "Operator",
    "Preservation",
    "Reader",
    "Recipe",
    "Rows",
    "Shape",
    "ShapeInStep",
    "Step",
    "Zeros",
    "compose",
    "configured_counts",
    "describe",
    "families",
    "grown_spec",
    "identity",
    "interleave",
    "materialise",
    "overlap",
    "pad_hidden",
    "parameter_counts",
    "shape_in_step",
    "stack",
    "tile",
    "upcycle",
    "widen_ffn",
]
