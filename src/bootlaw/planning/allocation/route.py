"""One way to a model: from scratch, or by two stages with a base of some size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, N
from bootlaw.planning import validity
from bootlaw.planning.cost import ModelShape
from bootlaw.planning.cost.cost import flops_per_token
from bootlaw.planning.paired import Part
from bootlaw.planning.source import Source

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Route:
    """A law, the part of it that speaks, and what a token costs in either stage.

    Attributes
    ----------
    growth_factor : parameters of the final model over those of the base; 1 for continued
        pretraining.
    base_cost : FLOPs per token of the base over those of the final model; None takes those of
        the two sizes (1 / `growth_factor` for 6 N).
    shape : of the model that the law's N counts, scaled to other sizes at a constant ratio of
        width to depth; None takes 6 N.
    """

    source: Source
    part: Part
    growth_factor: float = 1.0
    base_cost: float | None = None
    shape: ModelShape | None = None

    def __post_init__(self) -> None:
        validity.set_numbers(self, "growth_factor", "base_cost")
        wanted = "a ModelShape, such as cost.read_shape('config.json')"
        validity.check_kind("the model's shape", self.shape, ModelShape, wanted)
        if self.growth_factor < 1:
            raise InputError(
                f"the growth factor is {self.growth_factor:g}, a base larger than the final model: "
                "a base can be continued (1) or grown (above 1), not shrunk"
            )

    @property
    def name(self) -> str:
        """What the route is called: scratch, or the method of its runs."""
        if self.part == "scratch":
            return "scratch"
        if self.source.method:
            return self.source.method
        return "cpt" if self.growth_factor == 1 and not self.size_is_of_base else "reuse"

    @property
    def reads_size(self) -> bool:
        """Whether the law reads the model's size."""
        return N in self.source.law.variables

    @property
    def splits(self) -> bool:
        """Whether the law reads the tokens of both stages, so that they can be split."""
        return self.part == "reuse" and D1 in self.source.law.variables

    @property
    def size_is_of_base(self) -> bool:
        """Whether the law's N counts the base's parameters and not the final model's."""
        return self.source.size_of == "base"

    def rates(self, params: Floats) -> tuple[Floats, Floats]:
        """Return training FLOPs per token in stage 1 and in stage 2, at the law's N."""
        own = self._flops_per_token(params)
        if self.size_is_of_base:
            ratio = 1.0 / self.growth_factor if self.base_cost is None else self.base_cost
            return own, own / ratio
        if self.base_cost is not None:
            return own * self.base_cost, own
        if self.growth_factor == 1:
            return own, own
        return self._flops_per_token(params / self.growth_factor), own

    def base_params(self, params: float) -> float:
        """Return the base's non-embedding parameters."""
        return params if self.size_is_of_base else params / self.growth_factor

    def _flops_per_token(self, params: Floats) -> Floats:
        if self.shape is None:
            return flops_per_token(params)
        return self.shape.flops_per_token_at(np.asarray(params))
