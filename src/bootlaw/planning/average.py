"""Several laws as one source: what a plan expects is their mean, and resamples disagree by law.

The point estimate is the weighted geometric mean of the laws' losses. A replicate is a whole
world: it follows one law, drawn by its weight, and that law's own replicate. So intervals, and
the shares in which an option is best, hold what the laws disagree about beyond the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from bootlaw.fitting import LawAverage
from bootlaw.laws.names import D1, N
from bootlaw.planning import words
from bootlaw.planning.arrays import valid_for_reuse
from bootlaw.planning.average_fields import SAID, remarks_on, together
from bootlaw.planning.paired import Part
from bootlaw.planning.source import Bools, Floats, Indices, Shares, Source
from bootlaw.planning.validity import invalid_scratch, speaks_of_base

FAR_BEHIND = 1e6
"""Taken off the preference of a law that does not hold: others come first, whatever the weights."""


@dataclass(frozen=True, eq=False)
class AverageSource(Source):
    """Laws fitted to the same runs, averaged by weight.

    Beyond exp(a2 / a3) a product law has no loss (`bootlaw.planning.validity`): there it takes no
    part, the weights of the others are scaled up, and a replicate that follows it goes on with
    the next law of its draw.

    Attributes
    ----------
    members : the laws, each with its replicates; ``params`` holds theirs side by side.
    weights : (k,) shares of sum 1.
    about : columns (1, n) of the bases that `at_bases` was asked for; None of all laws.
    whole : all laws, where some are silent about those bases.
    """

    weights: Floats = field(default_factory=lambda: np.ones(1))
    about: Mapping[str, Floats] | None = None
    whole: AverageSource | None = None

    @property
    def shares(self) -> Shares:
        """Key and weight of each law that answers."""
        keys = (member.law.key for member in self.members)
        return tuple(zip(keys, self.weights.tolist(), strict=True))

    @property
    def followed(self) -> tuple[Source, ...]:
        """(r,) the law that each replicate follows."""
        return tuple(self.members[number] for number in self.first.tolist())

    @property
    def noise(self) -> ArrayLike:
        """(r, 1) that of the law which each replicate follows."""
        own = np.array([member.residual_scale for member in self.members])
        own = np.where(np.isfinite(own), own, self.residual_scale)
        return np.asarray(own[self.first, np.newaxis])

    @property
    def floor(self) -> float | None:
        """The mean of the laws' irreducible losses; None where one has none."""
        floors = [member.floor for member in self.members]
        known = np.array([floor for floor in floors if floor is not None])
        if known.size < len(floors):
            return None
        with np.errstate(divide="ignore"):
            return float(np.exp(self.weights @ np.log(known)))

    def reducible(self, loss: float) -> float:
        """Return the mean over the laws of what more compute can take off a loss."""
        return float(self.weights @ [member.reducible(loss) for member in self.members])

    @cached_property
    def preferences(self) -> Floats:
        """(k, r) the higher, the sooner a replicate follows a law.

        ln weight plus a Gumbel variable, so that of any set of laws each comes first with a
        probability in proportion to its weight. The variables hang on the law alone: averages of
        two methods follow one law in one resample, as one world has.
        """
        drawn = [_gumbel(member.law.stem, self.n_replicates) for member in self.members]
        with np.errstate(divide="ignore"):
            return np.log(self.weights)[:, np.newaxis] + np.stack(drawn)

    @cached_property
    def first(self) -> Indices:
        """(r,) the law that each replicate follows wherever it has a loss.

        The first of its draw, of those that have a loss at all bases of `at_bases`.
        """
        wanted = self.preferences
        if self.about is not None and self.n_replicates:
            which = 1 + np.arange(self.n_replicates)
            holds = self._holds(which, self.about, "reuse").all(axis=2)
            wanted = np.where(holds, wanted, wanted - FAR_BEHIND)
        return np.asarray(np.argmax(wanted, axis=0))

    def at_bases(self, tokens_stage1: ArrayLike, at: Mapping[str, ArrayLike]) -> AverageSource:
        """Return the average for questions that compare what comes of some bases, or of none.

        A law without an answer about one of them (or about runs from scratch) is left out, and
        every replicate follows one law, so that like is compared with like. Where no law answers
        for all, all stay.

        Parameters
        ----------
        tokens_stage1, at : D1 and other variables of the bases, (n,) or scalars; D1 = 0, no base,
            says nothing.
        """
        whole = self if self.whole is None else self.whole
        about = bases_of(tokens_stage1, at)
        speaks = np.asarray(whole.speaks(about).all(axis=1))
        if not about[D1].size or not speaks.any():
            return whole
        silent = whole.leaving(speaks, lambda member: f"{_silence(member, about)} and is left out")
        return replace(
            whole.only(speaks), about=about, whole=whole, warnings=(*silent, *whole.warnings)
        )

    @property
    def silent(self) -> frozenset[str]:
        """The stems of the laws that are left out."""
        every = () if self.whole is None else self.whole.members
        return frozenset(one.law.stem for one in every) - {one.law.stem for one in self.members}

    def without(self, stems: frozenset[str]) -> AverageSource:
        """Return the average without some laws; all of it where none is left."""
        stay = np.array([member.law.stem not in stems for member in self.members])
        if stay.all() or not stay.any():
            return self
        why = "is left out, as another method has no answer by this law"
        gone = self.leaving(stay, lambda _: why)
        whole = self if self.whole is None else self.whole
        return replace(self.only(stay), whole=whole, warnings=(*gone, *self.warnings))

    def leaving(self, stay: Bools, why: Callable[[Source], str]) -> tuple[str, ...]:
        """Return sentences about the laws that do not stay (k,), those of little weight unsaid."""
        return tuple(
            f"{member.label} {why(member)} (its weight was {weight:.2f})"
            for member, weight, stays in zip(self.members, self.weights, stay, strict=True)
            if not stays and weight >= SAID
        )

    def speaks(self, about: Mapping[str, Floats]) -> Bools:
        """Return (k, n) whether each law has an answer about each base, and from scratch.

        A law with none from scratch has one about bases where no other has.
        """
        reuse = np.vstack([valid_for_reuse(member, about) for member in self.members])
        scratch = np.array([invalid_scratch(member) is None for member in self.members])
        both = reuse & scratch[:, np.newaxis]
        return np.where(both.any(axis=0), both, reuse)

    def only(self, kept: Bools) -> AverageSource:
        """Return some of the laws, (k,), their weights scaled up."""
        key = tuple(kept.tolist())
        if all(key):
            return self
        if key not in self._parts:
            members = [one for one, stays in zip(self.members, key, strict=True) if stays]
            weights = self.weights[kept] / self.weights[kept].sum()
            self._parts[key] = replace(
                self,
                members=tuple(members),
                weights=weights,
                **together(members, weights, self.n_replicates),
            )
        return self._parts[key]

    def paired_loss(self, which: Indices, columns: Mapping[str, Floats], part: Part) -> Floats:
        """Return losses (k, n) as `Source.paired_loss` does."""
        holds = self._holds(which, columns, part)
        # A replicate none of whose laws holds here has to follow one all the same.
        holds |= ~holds.any(axis=0)
        shape = (which.size, max(values.shape[1] for values in columns.values()))
        point = which == 0
        followed = np.argmax(np.where(holds, self._wanted(which), -np.inf), axis=0)
        followed = np.broadcast_to(followed, shape)
        weight, logs = np.zeros(shape), np.zeros(shape)
        for number, member in enumerate(self.members):
            own = np.where(point[:, np.newaxis], self.weights[number], followed == number)
            share = own * holds[number]
            rows = np.flatnonzero((share > 0).any(axis=1))
            if rows.size:
                losses = member.paired_loss(which[rows], _rows(columns, rows), part)
                with np.errstate(divide="ignore", invalid="ignore"):
                    logs[rows] += np.where(share[rows] > 0, share[rows] * np.log(losses), 0.0)
                weight[rows] += share[rows]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return np.asarray(np.exp(logs / weight))

    def falls(self, which: Indices, tokens_stage1: Floats, params: Floats | None = None) -> Bools:
        """Return (k, n) whether the loss falls with stage 2, by the law of each replicate.

        The point estimate's falls where that of every law does, those of little weight left out:
        beyond the limit of one, the mean of the others is a mean of other worlds.
        """
        each = [member.falls(which, tokens_stage1, params) for member in self.members]
        shape = np.broadcast_shapes((which.size, 1), *(one.shape for one in each))
        falls = np.stack([np.broadcast_to(one, shape) for one in each])
        first = np.argmax(self._wanted(which)[:, :, 0], axis=0)
        own = falls[first, np.arange(which.size)]
        heard = self.weights >= min(SAID, float(self.weights.max()))
        return np.where((which == 0)[:, np.newaxis], falls[heard].all(axis=0), own)

    def _wanted(self, which: Indices) -> Floats:
        """Return (members, k, 1) the higher, the sooner each parameter vector follows a law."""
        wanted = np.hstack([np.zeros((len(self.members), 1)), self.preferences])
        wanted[self.first, 1 + np.arange(self.first.size)] = np.inf
        return np.asarray(wanted[:, which, np.newaxis])

    def _holds(self, which: Indices, columns: Mapping[str, Floats], part: Part) -> Bools:
        """Return (members, k, n or 1) whether each law has a loss there, replicate by replicate."""
        found = [_has_loss(member, which, columns, part) for member in self.members]
        shape = np.broadcast_shapes((which.size, 1), *(one.shape for one in found))
        return np.stack([np.broadcast_to(one, shape) for one in found])

    @cached_property
    def _parts(self) -> dict[tuple[bool, ...], AverageSource]:
        return {}


def bases_of(tokens_stage1: ArrayLike, at: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Return D1 and other variables (1, n) of the bases that there are, D1 > 0."""
    values = np.broadcast_arrays(*map(np.atleast_1d, (tokens_stage1, *at.values())))
    based = values[0] > 0
    return {
        name: np.asarray(one[based], dtype=np.float64)[np.newaxis]
        for name, one in zip((D1, *at), values, strict=True)
    }


def average_source(average: LawAverage, members: Sequence[Source]) -> AverageSource:
    """Return the laws of an average as one source; `members` are its fits as sources."""
    r = min(member.n_replicates for member in members)
    return AverageSource(
        label=f"the average of {len(members)} laws",
        level=members[0].level,
        method=members[0].method,
        warnings=remarks_on(average, resampled=r > 0),
        members=tuple(members),
        weights=average.weights,
        **together(members, average.weights, r),
    )


def _has_loss(member: Source, which: Indices, columns: Mapping[str, Floats], part: Part) -> Bools:
    if part == "scratch":
        return np.full((1, 1), invalid_scratch(member) is None)
    if D1 not in columns:
        return np.ones((1, 1), dtype=bool)
    falls = member.falls(which, columns[D1], columns.get(N))
    return np.asarray(falls & speaks_of_base(member, columns[D1]))


def _silence(member: Source, about: Mapping[str, Floats]) -> str:
    """Return about what a law says nothing."""
    silent = ~valid_for_reuse(member, about)
    if not silent.any():
        return "has no answer for runs from scratch"
    return f"has no answer for a base of {words.tokens(about[D1][silent][0])} tokens"


def _rows(columns: Mapping[str, Floats], rows: Indices) -> dict[str, Floats]:
    return {name: values if len(values) == 1 else values[rows] for name, values in columns.items()}


def _gumbel(stem: str, n: int) -> Floats:
    """Return (n,) standard Gumbel variables that hang on the name of a law.

    The first are the same whatever `n`: averages may have replicates in different number.
    """
    seed = hashlib.sha256(stem.encode()).digest()
    drawn = np.random.default_rng(int.from_bytes(seed[:8], "little")).random(n)
    return np.asarray(-np.log(-np.log(np.clip(drawn, 1e-300, None))))
