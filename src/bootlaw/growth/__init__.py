"""Growth operators: maps from each new tensor's name to a recipe over old tensors."""

from bootlaw.growth.recipe import Copy, GrowthPlan, Preservation, materialise
from bootlaw.growth.stack import stack

__all__ = ["Copy", "GrowthPlan", "Preservation", "materialise", "stack"]
