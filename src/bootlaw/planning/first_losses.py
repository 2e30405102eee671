"""Where reuse first loses to scratch, for every parameter vector at many questions at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, N
from bootlaw.planning.arrays import blocks
from bootlaw.planning.crossings import find_zeros
from bootlaw.planning.duel import Duel, make_duel
from bootlaw.planning.gaps import PowerGap, Widening
from bootlaw.planning.power_parts import has_power_part, power_part
from bootlaw.planning.source import Source

Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Questions:
    """m questions about one pair of sources.

    Attributes
    ----------
    asked : D1 and, where sizes are asked about, N (m,).
    base_cost : FLOPs per token of the base over those of the final model; 0 with stage 1 free.
    ends : ln of the lowest and of the highest D2.
    given : values of the laws' other variables.
    """

    reuse: Source
    rival: Source | None
    asked: Mapping[str, Floats]
    base_cost: float
    ends: tuple[float, float]
    given: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.asked[D1].size)

    def take(self, at: Indices) -> Questions:
        """Return some of the questions."""
        return replace(self, asked={name: values[at] for name, values in self.asked.items()})

    def given_at(self, number: int) -> dict[str, float]:
        """Return the size and the other variables that one question names."""
        size = {N: float(self.asked[N][number])} if N in self.asked else {}
        return {**self.given, **size}

    def duel(self, number: int) -> Duel:
        """Return the two curves of one question."""
        stage1 = float(self.asked[D1][number])
        head_start = self.base_cost * stage1
        return make_duel(self.reuse, self.rival, stage1, head_start, self.given_at(number))


@dataclass(frozen=True, eq=False)
class FirstLosses:
    """What becomes of m questions, arrays (m, 1 + r), the point estimate first.

    Attributes
    ----------
    first : the lowest ln D2 at which reuse loses its lead; infinite where it never does.
    above : whether scratch is no worse at the lower end of the search.
    crossed : whether the winner changes at all.
    """

    first: Floats
    above: Bools
    crossed: Bools

    def take(self, number: int) -> FirstLosses:
        """Return what becomes of one question."""
        row = slice(number, number + 1)
        return FirstLosses(self.first[row], self.above[row], self.crossed[row])

    @property
    def kinds(self) -> Indices:
        """(m, 1 + r) numbers of the verdicts, see `bootlaw.planning.verdict.VERDICTS`."""
        return np.where(self.crossed, 0, np.where(self.above, 2, 1))

    @property
    def positions(self) -> Floats:
        """(m, 1 + r) `first`, and minus infinity where starting over is ahead from the start."""
        return np.where(self.above & ~self.crossed, -np.inf, self.first)

    @property
    def agreement(self) -> Floats:
        """(m,) share of the replicates with the verdict of the point estimate, at a crossing in
        the same direction; NaN without replicates."""
        if self.first.shape[1] < 2:
            return np.full(len(self.first), np.nan)
        same = self.kinds[:, 1:] == self.kinds[:, :1]
        direction = np.isfinite(self.first)
        return np.asarray((same & (direction[:, 1:] == direction[:, :1])).mean(axis=1))


def first_losses(questions: Questions) -> FirstLosses:
    """Return where reuse first loses, to 1e-9 in ln D2.

    Laws that are a power of D2 and a constant are solved exactly as far as nothing else moves the
    curves along D2; with stage 1 paid, and beyond the largest D2 where hold-outs widen the
    replicates, signs are compared every quarter of a unit of ln D2 (two crossings closer than
    that are missed). Other laws are searched one question after the other.
    """
    n_vectors = 1 + questions.duel(0).n_replicates
    pieces = blocks(np.arange(len(questions)), n_vectors)
    found = [_piece(questions.take(at)) for at in pieces]
    return FirstLosses(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _piece(questions: Questions) -> tuple[Floats, Bools, Bools]:
    duel = questions.duel(0)
    if not (has_power_part(duel.reuse, "reuse") and has_power_part(duel.rival, "scratch")):
        return _by_search(questions)
    n_vectors = 1 + duel.n_replicates
    size = len(questions)
    one = {name: np.full(size, v) for name, v in duel.reuse_at.items()}
    other = {name: np.full(size, v) for name, v in duel.scratch_at.items()}
    sizes = {name: values for name, values in questions.asked.items() if name != D1}
    gap = PowerGap(
        reuse=power_part(duel.reuse, "reuse", n_vectors, {**one, **questions.asked}),
        scratch=power_part(duel.rival, "scratch", n_vectors, {**other, **sizes}),
        head_start=questions.base_cost * questions.asked[D1][:, np.newaxis],
        widening=Widening.of(duel.reuse, duel.rival, n_vectors),
    )
    return gap.firsts(*questions.ends)


def _by_search(questions: Questions) -> tuple[Floats, Bools, Bools]:
    rows = []
    for number in range(len(questions)):
        duel = questions.duel(number)
        zeros = find_zeros(duel.gap, 1 + duel.n_replicates, *questions.ends)
        rows.append((zeros.first_rising(), zeros.starts_above, zeros.count() > 0))
    first, above, crossed = (np.stack(column) for column in zip(*rows, strict=True))
    return first, above, crossed
