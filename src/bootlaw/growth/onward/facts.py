"""What is known when a model has been grown: of its parent's training, and of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bootlaw.errors import InputError


@dataclass(frozen=True)
class Known:
    """What the owner says about the parent and the stage to come; the rest stays open."""

    peak_lr: float | None = None
    """Peak learning rate with which the parent was trained."""
    batch_tokens: int | None = None
    """Tokens an update of the parent."""
    schedule_state: str | None = None
    """``stable`` (the parent is on the plateau of its rate) or ``cooled``."""
    tokens: int | None = None
    """Length of the stage to come, D2."""

    def __post_init__(self) -> None:
        for name in ("peak_lr", "batch_tokens", "tokens"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InputError(f"{name} must be above 0, found {value}")
        if self.schedule_state not in (None, "stable", "cooled"):
            raise InputError(
                f"the parent's schedule is stable or cooled, found {self.schedule_state!r}"
            )


@dataclass(frozen=True)
class Grown:
    """What the advice needs to know of the grown model."""

    name: str
    preserving: bool
    """Whether the grown model computes what its parent does, up to rounding."""
    width: float
    """How many times wider the inputs of hidden matrices have become; 1 for depth."""
    experts: tuple[int, int] | None
    """(experts, chosen ones) of an upcycled model, else none."""
    params: int
    """Non-embedding parameters used by a token: the N of the laws."""
    dtype: str
    """Of the stored weights."""
    context: int
    """Longest sequence of the model, tokens."""
    carried: bool
    """Whether the parent's optimiser moments were carried over."""
    warms_up: bool = True
    """Whether a fresh optimiser begins with a warm-up: not where ``reset`` was asked for."""
    freezable: tuple[str, ...] = ()
    """Patterns of parameters that the operator suggests to freeze, empty if none."""
    freeze: bool = False
    """Whether to follow that suggestion."""
    tiled: float = 1.0
    """How many times smaller the weights of hidden matrices have become: `tile` divides them."""
