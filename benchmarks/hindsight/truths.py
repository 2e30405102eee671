"""Worlds to plan in: losses of reuse and of scratch that follow one of several laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]
Loss = Callable[[Floats, Floats], Floats]

PARAMS = 1e8
MID1, MID2 = 6e9, 4e9
"""Tokens of the two stages in the middle of the pilots."""

PILOT1 = np.array([20.0, 45.0, 90.0, 200.0]) * PARAMS
PILOT2 = np.array([1e9, 2e9, 4e9, 8e9])
TRUNK_NOISE, ROW_NOISE = 0.002, 0.002
"""Standard deviations of the log loss, of a trunk and of a row."""


@dataclass(frozen=True)
class Truth:
    """Losses (n,), nats, after D1 and D2 tokens; D1 = 0 from scratch."""

    family: str
    reuse: Loss
    scratch: Callable[[Floats], Floats]

    def loss(self, stage1: ArrayLike, stage2: ArrayLike) -> Floats:
        """Return the loss without noise."""
        d1, d2 = np.broadcast_arrays(np.asarray(stage1, float), np.asarray(stage2, float))
        return np.where(d1 > 0, self.reuse(np.maximum(d1, 1.0), d2), self.scratch(d2))

    def pilots(self, rng: np.random.Generator) -> RunTable:
        """Return the runs that a team can afford: 4 bases and scratch, 4 second stages each."""
        d1, d2 = (axis.ravel() for axis in np.meshgrid([0.0, *PILOT1], PILOT2, indexing="ij"))
        trunk = np.unique(d1, return_inverse=True)[1]
        noise = TRUNK_NOISE * rng.standard_normal(trunk.max() + 1)[trunk]
        noise += ROW_NOISE * rng.standard_normal(d1.size)
        return read_runs(
            {
                "method": ["cpt" if one else "scratch" for one in d1],
                "params": np.full(d1.size, PARAMS),
                "tokens_stage1": d1,
                "tokens_stage2": d2,
                "loss": self.loss(d1, d2) * np.exp(noise),
                "trunk": [f"t{number}" for number in trunk],
            }
        )


def truth(family: str, rng: np.random.Generator) -> Truth:
    """Return a random world of a family.

    From scratch the reducible loss is 0.8 to 1.6 nats at 4e9 tokens and falls with an exponent
    of 0.2 to 0.4; reuse of the middle base begins 5 to 45 % below it and falls more slowly.
    """
    floor, level, slope = rng.uniform(1.0, 1.8), rng.uniform(0.8, 1.6), rng.uniform(0.2, 0.4)
    start = level * rng.uniform(0.55, 0.95)

    def scratch(d2: Floats) -> Floats:
        return floor + level * (d2 / MID2) ** -slope

    make = _FAMILIES[family]
    gain = make(rng, Middle(start, slope, lambda d2: level * (d2 / MID2) ** -slope))
    return Truth(family, lambda d1, d2: floor + gain(d1, d2), scratch)


@dataclass(frozen=True)
class Middle:
    """What the worlds have in common: reducible losses, in nats.

    Attributes
    ----------
    start : of reuse at (`MID1`, `MID2`).
    slope : exponent of training from scratch.
    own : from scratch, at D2.
    """

    start: float
    slope: float
    own: Callable[[Floats], Floats]


Make = Callable[[np.random.Generator, Middle], Loss]


def _bootstrapped(rng: np.random.Generator, at: Middle) -> Loss:
    a1, a2, a3 = (
        rng.uniform(0.03, 0.12),
        at.slope * rng.uniform(0.4, 0.95),
        rng.uniform(0.003, 0.02),
    )

    def gain(d1: Floats, d2: Floats) -> Floats:
        x, y = np.log(d1 / MID1), np.log(d2 / MID2)
        return at.start * np.exp(-a1 * x - a2 * y + a3 * x * y)

    return gain


def _multiplicative(rng: np.random.Generator, at: Middle) -> Loss:
    a1, a2 = rng.uniform(0.03, 0.12), at.slope * rng.uniform(0.4, 0.95)
    return lambda d1, d2: at.start * (d1 / MID1) ** -a1 * (d2 / MID2) ** -a2


def _additive(rng: np.random.Generator, at: Middle) -> Loss:
    share, a1, a2 = rng.uniform(0.2, 0.6), rng.uniform(0.1, 0.4), at.slope * rng.uniform(0.6, 1.2)
    return lambda d1, d2: at.start * (share * (d1 / MID1) ** -a1 + (1 - share) * (d2 / MID2) ** -a2)


def _hybrid(rng: np.random.Generator, at: Middle) -> Loss:
    share, a1, a2 = rng.uniform(0.2, 0.7), rng.uniform(0.1, 0.4), at.slope * rng.uniform(0.4, 0.95)
    return lambda d1, d2: at.start * (share * (d1 / MID1) ** -a1 + 1 - share) * (d2 / MID2) ** -a2


def _effective(rng: np.random.Generator, at: Middle) -> Loss:
    worth, power = MID2 * rng.uniform(0.5, 4.0), rng.uniform(0.4, 1.0)
    return lambda d1, d2: at.own(d2 + worth * (d1 / MID1) ** power)


def _dynamics(rng: np.random.Generator, at: Middle) -> Loss:
    share, b, f = rng.uniform(0.2, 0.6), rng.uniform(0.4, 1.0), rng.uniform(0.5, 3.0) / MID2
    a = at.slope * rng.uniform(0.5, 1.0)
    adapted = (1 + f * MID2) ** -b

    def gain(d1: Floats, d2: Floats) -> Floats:
        trained = ((d1 + d2) / (MID1 + MID2)) ** -a
        return at.start * ((1 - share) * trained + share * (1 + f * d2) ** -b / adapted)

    return gain


def _no_shift(_: np.random.Generator, at: Middle) -> Loss:
    return lambda d1, d2: at.own(d1 + d2)


def _ceiling(rng: np.random.Generator, at: Middle) -> Loss:
    """A law of nobody's catalogue: bases above a ceiling are worth no more, and learn less."""
    ceiling, a1 = MID1 * 10 ** rng.uniform(0.3, 1.5), rng.uniform(0.05, 0.15)
    a2, lost = at.slope * rng.uniform(0.6, 1.0), rng.uniform(0.02, 0.15)

    def gain(d1: Floats, d2: Floats) -> Floats:
        worth = d1 / (1 + d1 / ceiling)
        rate = a2 / (1 + lost * np.log1p(d1 / ceiling))
        return at.start * (worth / MID1) ** -a1 * (d2 / MID2) ** -rate

    return gain


_FAMILIES: dict[str, Make] = {
    "bootstrapped": _bootstrapped,
    "multiplicative": _multiplicative,
    "additive": _additive,
    "hybrid": _hybrid,
    "effective-data": _effective,
    "cpt-dynamics": _dynamics,
    "no shift": _no_shift,
    "ceiling": _ceiling,
}
FAMILIES = tuple(_FAMILIES)
