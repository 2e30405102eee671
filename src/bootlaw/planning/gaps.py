"""Where reuse first loses to scratch, for any number of pairs of laws at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.misfit import Misfit
from bootlaw.laws.names import D2
from bootlaw.planning.paired import Part
from bootlaw.planning.power_parts import PowerPart
from bootlaw.planning.roots import Crossings, crossings
from bootlaw.planning.source import EXTREME, Source

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]

SCAN_STEP = 0.25
"""Spacing in ln D2 at which signs are compared where no closed form holds. Laws of tokens bend
over whole units of ln D2."""

HALVINGS = 34
"""Of a bracket of one step: to 1e-11 in ln D2."""


@dataclass(frozen=True, eq=False)
class Widening:
    """What hold-outs along D2 add to the logs of the replicates' losses beyond the data.

    Attributes
    ----------
    terms : misfit, its draws (1, k) and +1 for reuse or -1 for scratch.
    """

    terms: tuple[tuple[Misfit, Floats, int], ...]

    @classmethod
    def of(cls, reuse: Source, rival: Source, n_vectors: int) -> Widening:
        """Return that of the first `n_vectors` parameter vectors of a pair of sources."""
        terms = []
        sides: tuple[tuple[Source, Part, int], ...] = (
            (reuse, "reuse", 1),
            (rival, "scratch", -1),
        )
        for source, part, sign in sides:
            for misfit in source.misfits:
                if misfit.variable == D2 and misfit.covers(part) and misfit.step > 0:
                    draws = np.concatenate([[0.0], misfit.draws(source.n_replicates, part)])
                    terms.append((misfit, draws[np.newaxis, :n_vectors], sign))
        return cls(tuple(terms))

    def begins(self, head_start: Floats) -> float:
        """Return the least ln D2 from which on it is not zero, infinite if there is none."""
        starts = [
            np.log(np.maximum(misfit.largest - (head_start if sign < 0 else 0.0), 1e-300)).min()
            for misfit, _, sign in self.terms
        ]
        return float(min(starts, default=np.inf))


@dataclass(frozen=True, eq=False)
class PowerGap:
    """Pairs (m, k) of laws that are a power of D2 and a constant.

    Attributes
    ----------
    head_start : (m, 1) tokens that scratch trains on beyond D2.
    """

    reuse: PowerPart
    scratch: PowerPart
    head_start: Floats
    widening: Widening

    def firsts(self, low: float, high: float) -> tuple[Floats, Bools, Bools]:
        """Return, (m, k), the first ln D2 between `low` and `high` where reuse loses (infinite
        if it never does), whether it is behind at `low`, and whether the winner changes."""
        bent = self.widening.begins(self.head_start)
        free = not self.head_start.any()
        edge = min(high, bent) if free else low
        if edge > low:
            above = self._above(low, self._shape)
            found = _between(crossings(self.reuse, self.scratch), low, edge)
            # Laws that do not read D1 cross at one place for all questions.
            first, crossed = np.zeros(above.shape), np.zeros(above.shape, dtype=bool)
            first[:], crossed[:] = found
        else:
            edge = low
            above = self._above(low, self._shape)
            first, crossed = np.full(above.shape, np.inf), np.zeros(above.shape, dtype=bool)
        if edge < high:
            rest = np.nonzero(np.isinf(first))
            beyond, changes = _scan(self._flat(rest), rest[0].size, edge, high)
            first[rest] = beyond
            crossed[rest] |= changes
        return first, above, crossed

    @property
    def _shape(self) -> tuple[int, ...]:
        parts = (self.reuse, self.scratch)
        arrays = [a for part in parts for a in (part.ln_factor, part.exponent, part.constant)]
        return np.broadcast_shapes(*(a.shape for a in arrays), self.head_start.shape)

    def _above(self, at: float, shape: tuple[int, ...]) -> Bools:
        """Return, `shape`, whether reuse is no better than scratch at ln D2 = `at`."""
        tokens = np.exp(at) + self.head_start
        ratio = self.reuse.log_loss(np.array(at)) - self.scratch.log_loss(np.log(tokens))
        for misfit, draws, sign in self.widening.terms:
            beyond = draws * misfit.log_sd(np.exp([[at]]) if sign > 0 else tokens)
            ratio = ratio + sign * np.clip(beyond, -EXTREME, EXTREME)
        return np.asarray(np.broadcast_to(ratio >= 0, shape))

    def _flat(self, rows: tuple[Indices, ...]) -> Callable[[Indices, Floats], Floats]:
        """Return the log gap of some pairs as a function of their numbers and of ln D2."""
        shape = self._shape
        reuse, scratch = (
            [np.broadcast_to(a, shape)[rows] for a in (p.ln_factor, p.exponent, p.constant)]
            for p in (self.reuse, self.scratch)
        )
        head = np.broadcast_to(self.head_start, shape)[rows]
        terms = [
            (misfit, np.broadcast_to(draws, shape)[rows], sign)
            for misfit, draws, sign in self.widening.terms
        ]

        def gap(which: Indices, y: Floats) -> Floats:
            y_scratch = np.log(np.exp(y) + head[which]) if head.any() else y
            one = np.exp(reuse[0][which] - reuse[1][which] * y) + reuse[2][which]
            other = np.exp(scratch[0][which] - scratch[1][which] * y_scratch) + scratch[2][which]
            found = np.log(one / other)
            for misfit, draws, sign in terms:
                tokens = np.exp(y if sign > 0 else y_scratch)
                beyond = draws[which] * misfit.log_sd(tokens)
                found += sign * np.clip(beyond, -EXTREME, EXTREME)
            return np.asarray(found)

        return gap


def _between(found: Crossings, low: float, high: float) -> tuple[Floats, Bools]:
    """Return the rising crossings inside the ends, infinite where there is none, and whether
    there is any crossing inside."""
    with np.errstate(invalid="ignore"):
        rising, falling = ((low < y) & (y <= high) for y in (found.rising, found.falling))
    return np.where(rising, found.rising, np.inf), rising | falling


def _scan(
    gap: Callable[[Indices, Floats], Floats], n: int, low: float, high: float
) -> tuple[Floats, Bools]:
    """Return (n,) the first rising zero of each gap, infinite if none, and whether any changes."""
    first, changes = np.full(n, np.inf), np.zeros(n, dtype=bool)
    grid = np.linspace(low, high, max(2, int(np.ceil((high - low) / SCAN_STEP)) + 1))
    todo = np.arange(n)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        below = gap(todo, np.full(n, grid[0])) < 0
        for left, right in itertools.pairwise(grid.tolist()):
            now_below = gap(todo, np.full(todo.size, right)) < 0
            changes[todo[below != now_below]] = True
            rises = below & ~now_below
            if rises.any():
                first[todo[rises]] = _bisected(gap, todo[rises], left, right)
                todo, now_below = todo[~rises], now_below[~rises]
            below = now_below
    return first, changes


def _bisected(
    gap: Callable[[Indices, Floats], Floats], which: Indices, left: float, right: float
) -> Floats:
    """Return where gaps rise through zero between two points, by false position and halving."""
    low, high = np.full(which.size, left), np.full(which.size, right)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        past = gap(which, middle) >= 0
        high, low = np.where(past, middle, high), np.where(past, low, middle)
    return np.asarray((low + high) / 2)
