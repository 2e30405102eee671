"""What the figures draw, as small frozen records without any fitting in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.reports.quantities import Interval

Floats = NDArray[np.float64]

SAME = 1e-6
"""Levels that differ by less, relatively, are one: they went through logarithms and back."""


@dataclass(frozen=True)
class Runs:
    """The runs of one method: arrays of shape (n,); tokens and nats per token."""

    tokens_stage1: Floats
    tokens_stage2: Floats
    loss: Floats

    def __len__(self) -> int:
        return int(self.loss.size)

    def select(self, keep: NDArray[np.bool_]) -> Runs:
        """Return the runs where `keep` is true."""
        return Runs(self.tokens_stage1[keep], self.tokens_stage2[keep], self.loss[keep])

    def at_stage1(self, tokens_stage1: float) -> Runs:
        """Return the runs from the base of `tokens_stage1` tokens, by second-stage tokens."""
        found = self.select(np.isclose(self.tokens_stage1, tokens_stage1, rtol=SAME, atol=0))
        order = np.argsort(found.tokens_stage2, kind="stable")
        return Runs(found.tokens_stage1[order], found.tokens_stage2[order], found.loss[order])

    def at_stage2(self, tokens_stage2: float) -> Runs:
        """Return the runs with `tokens_stage2` second-stage tokens, by base."""
        found = self.select(np.isclose(self.tokens_stage2, tokens_stage2, rtol=SAME, atol=0))
        order = np.argsort(found.tokens_stage1, kind="stable")
        return Runs(found.tokens_stage1[order], found.tokens_stage2[order], found.loss[order])

    @property
    def levels_stage1(self) -> Floats:
        """The distinct D1, ascending."""
        return np.unique(self.tokens_stage1)

    @property
    def levels_stage2(self) -> Floats:
        """The distinct D2, ascending."""
        return np.unique(self.tokens_stage2)

    def mean_loss(self, tokens_stage1: float, tokens_stage2: float) -> float:
        """Return the mean loss over the seeds of one cell, NaN where it has no run."""
        here = (self.tokens_stage1 == tokens_stage1) & (self.tokens_stage2 == tokens_stage2)
        return float(self.loss[here].mean()) if here.any() else float("nan")


NO_RUNS = Runs(np.zeros(0), np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class PowerLaw:
    """One power law of the tokens of one stage while the other stage is fixed at `level`.

    loss = factor * (tokens / reference)^-exponent + irreducible.
    `factor` is the loss above `irreducible` at `reference` tokens, so that neither it nor its
    interval is an extrapolation to one token.
    """

    level: float
    exponent: Interval
    factor: Interval
    reference: float
    irreducible: float

    def loss(self, tokens: ArrayLike) -> Floats:
        """Return the loss in nats per token after `tokens` tokens."""
        ratio = np.asarray(tokens, dtype=np.float64) / self.reference
        return np.asarray(self.factor.value * ratio**-self.exponent.value + self.irreducible)


@dataclass(frozen=True)
class Band:
    """A curve with its interval over `x`, all of shape (n,); no interval where both are None."""

    x: Floats
    y: Floats
    lower: Floats | None = None
    upper: Floats | None = None


@dataclass(frozen=True)
class SaturationSeries:
    """The three panels of one method: loss by D2, exponent by D1, factor by D1.

    `by_base` holds one power law per base; `exponent` and `factor` are the main law over D1.
    """

    runs: Runs
    scratch: Runs
    by_base: tuple[PowerLaw, ...]
    scratch_law: PowerLaw | None
    exponent: Band | None
    factor: Band | None


@dataclass(frozen=True)
class Stage1Series:
    """Loss against D1 at each D2, with one power law per D2."""

    runs: Runs
    by_stage2: tuple[PowerLaw, ...]


@dataclass(frozen=True)
class ObservedSeries:
    """Predicted against observed loss, nats; `held_out` marks the runs the fit did not see."""

    observed: Floats
    predicted: Floats
    held_out: NDArray[np.bool_]
    rms_in: float
    rms_out: float


@dataclass(frozen=True)
class ForgettingSeries:
    """Loss on the old text after stage 2, and the base's own loss on it per D1."""

    runs: Runs
    base_loss: Runs


@dataclass(frozen=True)
class BreakevenSeries:
    """The reuse curves of some bases against starting over, and where they meet.

    `crossings` holds one interval per base, None where the curves do not meet;
    `data` is the range of D2 that the runs cover, tokens.
    """

    levels: tuple[float, ...]
    reuse: tuple[Band, ...]
    scratch: Band
    crossings: tuple[Interval | None, ...]
    data: tuple[float, float]
