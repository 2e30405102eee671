"""The warm-up-stable-decay schedule as pure functions of the step.

A *trunk* warms up and then keeps its peak rate for ever; a *cooldown* branches off at a step
and falls linearly to zero. A trunk with a cooldown branch at every length of interest costs
about half of separate runs (Haegele et al., arXiv 2405.18392).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bootlaw.errors import InputError


class Schedule(Protocol):
    """A learning rate for every step."""

    def learning_rate(self, step: int) -> float:
        """Return the rate of the update that turns step `step` into `step` + 1."""
        ...


@dataclass(frozen=True)
class Trunk:
    """Linear warm-up to `peak_lr` over `warmup_steps` updates, constant from then on."""

    peak_lr: float
    warmup_steps: int

    def __post_init__(self) -> None:
        if self.peak_lr <= 0:
            raise InputError(f"peak_lr must be above 0, found {self.peak_lr}")
        if self.warmup_steps < 0:
            raise InputError(f"warmup_steps must not be negative, found {self.warmup_steps}")

    def learning_rate(self, step: int) -> float:
        """Return the rate of update `step`, counted from 0; the first is already above zero."""
        if step >= self.warmup_steps:
            return self.peak_lr
        return self.peak_lr * (step + 1) / self.warmup_steps


@dataclass(frozen=True)
class Cooldown:
    """The trunk's rate up to `start`, then a linear fall that would reach 0 at update `end`."""

    trunk: Trunk
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InputError(f"a cooldown needs 0 <= start < end, found {self.start}, {self.end}")

    def learning_rate(self, step: int) -> float:
        """Return the rate of update `step`; the last one, `end` - 1, is still above zero."""
        if step < self.start:
            return self.trunk.learning_rate(step)
        remaining = (self.end - step) / (self.end - self.start)
        return self.trunk.learning_rate(step) * max(remaining, 0.0)
