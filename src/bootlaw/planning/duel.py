"""Reuse against scratch at one D1: two loss curves along D2, once per replicate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.comparable import joint_form
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.bases import at_bases
from bootlaw.planning.crossings import Curves
from bootlaw.planning.question import refuse_other_texts, refuse_unread, settled
from bootlaw.planning.source import POINT, Source

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Columns = dict[str, Floats]


@dataclass(frozen=True)
class Duel:
    """The two curves to compare, for the point estimate and for each replicate.

    Attributes
    ----------
    reuse, rival : what reuse and scratch rest on; the same joint fit where it holds both. The
        replicates of a joint fit are paired; those of two separate fits are independent, so any
        pairing of them is as good as another.
    tokens_stage1 : D1 of the base.
    head_start : tokens that scratch trains on beyond D2, its share of a paid stage 1.
    reuse_at, scratch_at : values of the laws' other variables.
    """

    reuse: Source
    rival: Source
    tokens_stage1: float
    head_start: float
    reuse_at: Mapping[str, float]
    scratch_at: Mapping[str, float]

    @property
    def n_replicates(self) -> int:
        """Return the number of paired replicates, without the point estimate."""
        if self.reuse.published or self.rival.published:
            return 0
        return min(self.reuse.n_replicates, self.rival.n_replicates)

    @property
    def only_size(self) -> float | None:
        """N of all runs behind the laws; None where they differ or are not known."""
        low, high = self.reuse.ranges.get(N, (0.0, 0.0))
        return low if low == high and low > 0 else None

    def reuse_loss(self, which: Indices, ln_tokens: Floats) -> Floats:
        """Return losses (k, n) after D1 + exp(`ln_tokens`) tokens of reuse."""
        columns = _columns(self.tokens_stage1, np.exp(ln_tokens), self.reuse_at)
        return self.reuse.paired_loss(which, columns, "reuse")

    def scratch_loss(self, which: Indices, ln_tokens: Floats) -> Floats:
        """Return losses (k, n) from scratch on exp(`ln_tokens`) tokens plus the head start."""
        columns = _columns(0.0, np.exp(ln_tokens) + self.head_start, self.scratch_at)
        return self.rival.paired_loss(which, columns, "scratch")

    def gap(self, which: Indices, ln_tokens: Floats) -> Floats:
        """Return reuse minus scratch (k, n), nats; not negative where scratch is no worse."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.reuse_loss(which, ln_tokens) - self.scratch_loss(which, ln_tokens)

    def log_gap(self, ln_tokens: Floats) -> Floats:
        """Return ln reuse - ln scratch (n,) of the point estimate at `ln_tokens` (n,)."""
        points = ln_tokens[np.newaxis, :]
        ratio = self.reuse_loss(POINT, points) / self.scratch_loss(POINT, points)
        return np.asarray(np.log(ratio)[0])

    def largest_log_gap(self) -> float:
        """Return the largest |ln reuse - ln scratch| over the fitted D2, NaN if unknown."""
        if D2 not in self.reuse.ranges:
            return np.nan
        low, high = np.log(self.reuse.ranges[D2])
        return float(np.abs(self.log_gap(np.linspace(low, high, 65))).max())


def _columns(
    tokens_stage1: float, tokens_stage2: Floats, others: Mapping[str, float]
) -> dict[str, Floats]:
    constant = {name: np.full_like(tokens_stage2, value) for name, value in others.items()}
    return {D1: np.full_like(tokens_stage2, tokens_stage1), D2: tokens_stage2, **constant}


def point_gaps(duels: Sequence[Duel]) -> Curves:
    """Return reuse minus scratch of the point estimates, curve i that of duel i, nats.

    Parameters
    ----------
    duels : between the same two sources, at bases and sizes of their own.
    """
    speaking = [duel.reuse.shares for duel in duels]
    groups = [np.flatnonzero([own == one for own in speaking]) for one in dict.fromkeys(speaking)]
    curves = [
        paired_gaps([duels[i] for i in group.tolist()], np.arange(group.size), np.zeros_like(group))
        for group in groups
    ]
    place, group_of = np.empty((2, len(duels)), dtype=np.intp)
    for number, group in enumerate(groups):
        group_of[group], place[group] = number, np.arange(group.size)

    def gaps(which: Indices, ln_tokens: Floats) -> Floats:
        points = np.broadcast_to(ln_tokens, (which.size, ln_tokens.shape[1]))
        found = np.empty(points.shape)
        for number in np.unique(group_of[which]):
            rows = group_of[which] == number
            found[rows] = curves[number](place[which[rows]], points[rows])
        return found

    return curves[0] if len(curves) == 1 else gaps


def paired_gaps(duels: Sequence[Duel], numbers: Indices, vectors: Indices) -> Curves:
    """Return reuse minus scratch, nats: curve i that of one duel and one parameter vector.

    Parameters
    ----------
    duels : between the same two sources, at bases and sizes of their own.
    numbers, vectors : (k,) the duel and the parameter vector of each curve.
    """
    reuse, rival = duels[0].reuse, duels[0].rival
    stage1 = np.array([duel.tokens_stage1 for duel in duels])
    head_start = np.array([duel.head_start for duel in duels])
    reuse_at = _stacked([duel.reuse_at for duel in duels])
    scratch_at = _stacked([duel.scratch_at for duel in duels])

    def gaps(which: Indices, ln_tokens: Floats) -> Floats:
        tokens = np.exp(ln_tokens) + np.zeros((which.size, 1))
        at, vector = numbers[which, np.newaxis], vectors[which]

        def columns(first: Floats, second: Floats, others: Mapping[str, Floats]) -> Columns:
            wide = {name: values[at] + np.zeros_like(tokens) for name, values in others.items()}
            return {D1: first + np.zeros_like(tokens), D2: second, **wide}

        with np.errstate(over="ignore", invalid="ignore"):
            one = columns(stage1[at], tokens, reuse_at)
            other = columns(np.zeros(1), tokens + head_start[at], scratch_at)
            return reuse.paired_loss(vector, one, "reuse") - rival.paired_loss(
                vector, other, "scratch"
            )

    return gaps


def _stacked(rows: Sequence[Mapping[str, float]]) -> Columns:
    """Return values by name (m,), of mappings with the same names."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def make_duel(
    reuse: Source,
    scratch: Source | None,
    tokens_stage1: float,
    head_start: float,
    given: Mapping[str, float],
) -> Duel:
    """Return the duel of `reuse` against its own scratch part, or against `scratch`.

    Raises
    ------
    InputError
        When there is no scratch law or there are two, a law is of the wrong kind, or one of its
        variables is not known.
    """
    rival = _checked_rival(reuse, scratch)
    refuse_unread(given, reuse, rival)
    refuse_other_texts(reuse, rival)
    reuse_at = settled(reuse, given)
    speaking = at_bases(reuse, tokens_stage1, reuse_at)
    return Duel(
        reuse=speaking,
        rival=speaking if rival is reuse else rival,
        tokens_stage1=tokens_stage1,
        head_start=head_start,
        reuse_at=reuse_at,
        scratch_at=settled(rival, given),
    )


def _checked_rival(reuse: Source, scratch: Source | None) -> Source:
    key, label = reuse.law.key, reuse.label
    if not reuse.law.is_two_stage:
        raise InputError(
            f"{key} is not a law of two stages; break-even needs one of reuse runs in the first "
            "place, and the law of runs from scratch with --scratch"
        )
    joint = reuse.law.has_scratch_part
    if joint and scratch is not None:
        raise InputError(f"the fit of {key} holds a scratch law already; leave --scratch out")
    if scratch is not None and scratch.law.is_two_stage:
        raise InputError(
            f"--scratch is {scratch.label}, of {scratch.law.key}, a law of two stages; it must be "
            "a one-stage law (power, chinchilla) of runs from scratch"
        )
    if not joint and scratch is None:
        raise InputError(_missing_rival(reuse, label))
    return reuse if scratch is None else scratch


def _missing_rival(reuse: Source, label: str) -> str:
    if reuse.published:
        return (
            f"{label} hold no scratch law: give --scratch published coefficients of runs from "
            "scratch on the same text, such as liew2025-upcycling-moe beside "
            "liew2025-upcycling-upcycled, or a fit"
        )
    return (
        f"the fit of {reuse.law.key} has no scratch law: fit {joint_form(reuse.law)}, which "
        "shares E, or give --scratch a fit of the power law on the scratch rows"
    )
