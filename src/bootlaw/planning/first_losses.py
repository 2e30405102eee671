"""Where reuse first loses to scratch, for every parameter vector at many questions at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, N
from bootlaw.planning.arrays import blocks
from bootlaw.planning.crossings import find_zeros
from bootlaw.planning.duel import Duel, make_duel, paired_gaps, point_gaps
from bootlaw.planning.gaps import PowerGap, Widening
from bootlaw.planning.power_parts import has_power_part, power_part
from bootlaw.planning.source import Source

Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]
Found = tuple[Floats, Bools, Bools]
"""(m, 1 + r) the fields of `FirstLosses`."""

SEARCHED = 1 << 11
"""Curves that are searched at a time, so that their grids stay in the cache."""


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

    def between(self, reuse: Source, rival: Source) -> Questions:
        """Return the same questions to one law of an average, and another or its own."""
        read = {*reuse.law.variables, *rival.law.variables}
        given = {name: value for name, value in self.given.items() if name in read}
        return replace(self, reuse=reuse, rival=None if rival is reuse else rival, given=given)

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
    that are missed). Other laws are searched. Of several laws averaged each replicate is one of
    one law, so that only the mean has to be searched.
    """
    n_vectors = 1 + questions.duel(0).n_replicates
    pieces = blocks(np.arange(len(questions)), n_vectors)
    found = [_piece(questions.take(at)) for at in pieces]
    return FirstLosses(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _piece(questions: Questions) -> Found:
    duel = questions.duel(0)
    if duel.reuse.members or duel.rival.members:
        return _by_law(questions)
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


def _by_law(questions: Questions) -> Found:
    """Return the answers of an average: replicates law by law, and the mean by search."""
    duels = [questions.duel(number) for number in range(len(questions))]
    n_vectors = 1 + duels[0].n_replicates
    first = np.full((len(duels), n_vectors), np.inf)
    above, crossed = np.zeros((2, *first.shape), dtype=bool)
    zeros = find_zeros(point_gaps(duels), len(duels), *questions.ends)
    first[:, 0], above[:, 0] = zeros.first_rising(), zeros.starts_above
    crossed[:, 0] = zeros.count() > 0
    for (reuse, rival), mine in _worlds(duels).items():
        rows = np.flatnonzero(mine.any(axis=1))
        own, wanted = questions.take(rows).between(reuse, rival), mine[rows]
        closed = has_power_part(reuse, "reuse") and has_power_part(rival, "scratch")
        answers = _piece(own) if closed else _by_search(own, wanted)
        for every, found in zip((first, above, crossed), answers, strict=True):
            every[rows] = np.where(wanted, found[:, :n_vectors], every[rows])
    return first, above, crossed


def _worlds(duels: Sequence[Duel]) -> dict[tuple[Source, Source], Bools]:
    """Return, by the laws of reuse and scratch, which replicates (m, 1 + r) follow the two."""
    shape = (len(duels), 1 + duels[0].n_replicates)
    found: dict[tuple[Source, Source], Bools] = {}
    for number, duel in enumerate(duels):
        reuse, rival = duel.reuse.followed, duel.rival.followed
        for place in range(1, shape[1]):
            pair = (reuse[place - 1], rival[place - 1])
            found.setdefault(pair, np.zeros(shape, dtype=bool))[number, place] = True
    return found


def _by_search(questions: Questions, wanted: Bools | None = None) -> Found:
    """Return the answers by search; of the curves `wanted` (m, 1 + r) alone."""
    duels = [questions.duel(number) for number in range(len(questions))]
    if wanted is None:
        wanted = np.ones((len(duels), 1 + duels[0].n_replicates), dtype=bool)
    first, above, crossed = np.full(wanted.shape, np.inf), *np.zeros((2, *wanted.shape), dtype=bool)
    numbers, vectors = np.nonzero(wanted)
    for start in range(0, numbers.size, SEARCHED):
        at = numbers[start : start + SEARCHED], vectors[start : start + SEARCHED]
        zeros = find_zeros(paired_gaps(duels, *at), at[0].size, *questions.ends)
        first[at], above[at] = zeros.first_rising(), zeros.starts_above
        crossed[at] = zeros.count() > 0
    return first, above, crossed
