"""What a plan costs: FLOPs per token from a model's shape, and hardware's time, money, energy."""

from bootlaw.planning.cost.configuration import read_shape, shape_from_config
from bootlaw.planning.cost.cost import (
    UNITS,
    Cost,
    Size,
    Unit,
    cost_of_flops,
    flops_basis,
    flops_of,
    flops_per_token,
    inference_cost,
    training_cost,
)
from bootlaw.planning.cost.hardware import HARDWARE, Hardware, hardware, read_hardware
from bootlaw.planning.cost.shape import ModelShape

__all__ = [
    "HARDWARE",
    "UNITS",
    "Cost",
    "Hardware",
    "ModelShape",
    "Size",
    "Unit",
    "cost_of_flops",
    "flops_basis",
    "flops_of",
    "flops_per_token",
    "hardware",
    "inference_cost",
    "read_hardware",
    "read_shape",
    "shape_from_config",
    "training_cost",
]
