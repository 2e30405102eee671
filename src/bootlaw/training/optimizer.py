"""AdamW with weight decay on matrices only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootlaw.errors import InputError

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import AdamW


@dataclass(frozen=True)
class OptimizerSpec:
    """Hyper-parameters of an update; the rate itself comes from the schedule."""

    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.1
    """Decoupled decay of matrices; vectors (norm gains) are never decayed."""
    clip: float = 1.0
    """Largest global norm of the gradient."""

    def __post_init__(self) -> None:
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise InputError(f"betas must lie in [0, 1), found {self.beta1}, {self.beta2}")
        if self.weight_decay < 0:
            raise InputError(f"weight_decay must not be negative, found {self.weight_decay}")
        if self.clip <= 0:
            raise InputError(f"clip must be above 0, found {self.clip}")


def build_optimizer(model: Module, spec: OptimizerSpec) -> AdamW:
    """Return an AdamW with fresh state; its learning rate is set before every update."""
    from torch.optim import AdamW

    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": spec.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=0.0, betas=(spec.beta1, spec.beta2), fused=True)
