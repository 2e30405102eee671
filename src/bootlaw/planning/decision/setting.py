"""What is being decided: the base, the budget, and the size that the model ends up with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.planning import validity
from bootlaw.planning.cost import Hardware, Size, flops_per_token

Floats = NDArray[np.float64]
Stage1 = Literal["free", "paid"]


@dataclass(frozen=True)
class Setting:
    """The base at hand and what may be spent.

    Attributes
    ----------
    tokens_stage1 : D1, tokens the base was trained on.
    params, params_base : N of the final model and of the base; None where no law and no cost
        needs them, the base's own size by default the final one.
    shape, shape_base : what costs are counted from: a model's shape, or its parameters.
    base_cost : FLOPs per token of the base over those of the final model, where no size says it.
    stage1 : ``free`` where the base exists; ``paid`` where its training comes out of the budget.
    at : other columns that the laws read.
    on : hardware, for device-hours, days and money.
    """

    tokens_stage1: float
    params: float | None = None
    params_base: float | None = None
    shape: Size | None = None
    shape_base: Size | None = None
    base_cost: float = 1.0
    stage1: Stage1 = "free"
    at: Mapping[str, float] = field(default_factory=dict)
    on: Hardware | None = None

    def __post_init__(self) -> None:
        validity.set_numbers(self, "tokens_stage1", "params", "params_base", "base_cost")
        validity.check_stage1(self.stage1)
        if self.params is not None and (self.params_base or 0.0) > self.params:
            raise InputError(
                f"the base has {self.params_base:g} parameters, more than the {self.params:g} of "
                "the final model: a base can be continued or grown, not shrunk"
            )

    @property
    def base_size(self) -> float | None:
        """N of the base: that of the final model where the base was not given one."""
        return self.params if self.params_base is None else self.params_base

    def size_of(self, method: str) -> float | None:
        """Return N of the model that a method ends with: continued bases keep their own."""
        return self.base_size if method == "cpt" else self.params

    @property
    def per_token(self) -> float:
        """Training FLOPs per token of the final model; 1 where no size is known."""
        return _per_token(self.shape, self.params)

    @property
    def per_token_base(self) -> float:
        """Training FLOPs per token of the base."""
        if self.shape_base is None and self.params_base is None:
            return self.base_cost * self.per_token
        return _per_token(self.shape_base, self.base_size)

    def per_token_of(self, params: Floats | float) -> Floats:
        """Return training FLOPs per token of a model like the final one with so many parameters."""
        if self.params is None:
            return flops_per_token(params)
        return np.asarray(self.per_token * np.asarray(params) / self.params)

    @property
    def counts_flops(self) -> bool:
        """Whether budgets are FLOPs; else they are tokens of the final model."""
        return self.shape is not None or self.params is not None

    @property
    def base_flops(self) -> float:
        """What the base costs out of the budget: nothing where it exists."""
        return self.per_token_base * self.tokens_stage1 if self.stage1 == "paid" else 0.0


def _per_token(shape: Size | None, params: float | None) -> float:
    if shape is not None:
        return float(flops_per_token(shape))
    return 1.0 if params is None else float(flops_per_token(params))
