"""Several laws as one source: what a plan expects is their mean, and resamples disagree by law.

The point estimate is the weighted geometric mean of the laws' losses. A replicate is a whole
world: it follows one law, drawn by its weight, and that law's own replicate. So intervals, and
the shares in which an option is best, hold what the laws disagree about beyond the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting import LawAverage
from bootlaw.laws.average import average_law
from bootlaw.laws.names import D1, N
from bootlaw.planning import words
from bootlaw.planning.paired import Part
from bootlaw.planning.source import Floats, Indices, Source
from bootlaw.planning.validity import invalid_at, invalid_scratch, stage2_exponents

Bools = NDArray[np.bool_]

SAID = 0.05
"""Weight below which a law, and what its fit warns of, is not mentioned."""


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
    settled_on : (r,) the law that each replicate follows wherever it has a loss, from `at_base`;
        None where each follows the first law of its draw that has one.
    left_out : (k,) laws that say nothing about the base of `at_base`.
    """

    weights: Floats = field(default_factory=lambda: np.ones(1))
    settled_on: Indices | None = None
    left_out: tuple[bool, ...] = ()

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

    def at_base(self, tokens_stage1: float, at: Mapping[str, float]) -> AverageSource:
        """Return the average for questions about one base: every replicate follows one law.

        A law without an answer at this D1 is left out, of runs from scratch as well, so that
        reuse and scratch are compared by one law.
        """
        if tokens_stage1 <= 0:
            return self
        columns = {name: np.array([[value]]) for name, value in {**at, D1: tokens_stage1}.items()}
        out = [invalid_at(member, tokens_stage1, at) is not None for member in self.members]
        if all(out):
            return self
        valid = self._valid(np.arange(1 + self.n_replicates), columns, "reuse")[:, :, 0]
        valid &= ~np.array(out)[:, np.newaxis]
        followed = np.argmax(np.where(valid[:, 1:], self.preferences, -np.inf), axis=0)
        silent = tuple(
            f"{member.label} has no answer for a base of {words.tokens(tokens_stage1)} tokens and "
            f"is left out (its weight was {weight:.2f})"
            for member, weight, gone in zip(self.members, self.weights, out, strict=True)
            if gone and weight >= SAID
        )
        return replace(
            self, settled_on=followed, left_out=tuple(out), warnings=(*silent, *self.warnings)
        )

    def paired_loss(self, which: Indices, columns: Mapping[str, Floats], part: Part) -> Floats:
        """Return losses (k, n) as `Source.paired_loss` does."""
        valid = self._valid(which, columns, part)
        shape = (which.size, max(values.shape[1] for values in columns.values()))
        followed = np.broadcast_to(self._followed(which, valid), shape)
        point = (which == 0)[:, np.newaxis]
        weight, logs = np.zeros(shape), np.zeros(shape)
        for number, member in enumerate(self.members):
            share = np.where(point, self.weights[number], followed == number) * valid[number]
            rows = np.flatnonzero((share > 0).any(axis=1))
            if rows.size:
                losses = member.paired_loss(which[rows], _rows(columns, rows), part)
                with np.errstate(divide="ignore", invalid="ignore"):
                    own = np.where(share[rows] > 0, share[rows] * np.log(losses), 0.0)
                logs[rows] += own
                weight[rows] += share[rows]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return np.asarray(np.exp(logs / weight))

    def _followed(self, which: Indices, valid: Bools) -> Indices:
        """Return (k, n) or (k, 1) the law that each parameter vector follows."""
        wanted = np.concatenate([np.zeros((len(self.members), 1)), self.preferences], axis=1)
        if self.settled_on is not None:
            wanted[self.settled_on, 1 + np.arange(self.settled_on.size)] = np.inf
        return np.asarray(np.argmax(np.where(valid, wanted[:, which, np.newaxis], -np.inf), axis=0))

    def _valid(self, which: Indices, columns: Mapping[str, Floats], part: Part) -> Bools:
        """Return (members, k, n or 1) whether each law has a loss there, replicate by replicate."""
        found = [
            _has_loss(member, which, columns, part) & (part == "reuse" or not self._is_out(number))
            for number, member in enumerate(self.members)
        ]
        shape = np.broadcast_shapes((which.size, 1), *(one.shape for one in found))
        valid = np.stack([np.broadcast_to(one, shape) for one in found])
        # A replicate none of whose laws holds here has to follow one all the same.
        return valid | ~valid.any(axis=0)

    def _is_out(self, number: int) -> bool:
        return bool(self.left_out) and self.left_out[number]


def at_base(source: Source, tokens_stage1: float, at: Mapping[str, float]) -> Source:
    """Return what answers questions about one base: of an average, the laws that can."""
    return source.at_base(tokens_stage1, at) if isinstance(source, AverageSource) else source


def average_source(average: LawAverage, members: Sequence[Source]) -> AverageSource:
    """Return the laws of an average as one source; `members` are its fits as sources."""
    weights, holdouts = average.weights, " and ".join(average.holdouts)
    r = min(member.n_replicates for member in members)
    own = np.hstack([member.params[: 1 + r] for member in members])
    scales = np.array([member.residual_scale for member in members])
    said = ", ".join(
        f"{member.law.key} {weight:.2f}"
        for member, weight in zip(members, weights, strict=True)
        if weight >= SAID
    )
    first = members[int(np.argmax(weights))]
    return AverageSource(
        law=average_law([member.law for member in members]),
        params=np.hstack([own, np.broadcast_to(weights, (1 + r, len(members)))]),
        label=f"the average of {len(members)} laws",
        ranges=first.ranges,
        residual_scale=float(np.sqrt(np.sum(weights * scales**2))),
        level=first.level,
        method=first.method,
        warnings=(
            f"laws averaged by their error on {holdouts}: {said}; a resample follows one of them",
            *_warnings(average),
        ),
        misfits=first.misfits,
        members=tuple(members),
        weights=weights,
    )


def _warnings(average: LawAverage) -> list[str]:
    """Return what the fits warn of, those that say the same together."""
    saying: dict[tuple[str, str], list[str]] = {}
    for fit, weight in zip(average.fits, average.weights, strict=True):
        if weight >= SAID:
            for remark in fit.diagnostics:
                if remark.severity == "warning":
                    saying.setdefault((remark.code, remark.message), []).append(fit.law.key)
    return [
        f"the {' and '.join(laws)} {'fits warn' if len(laws) > 1 else 'fit warns'} "
        f"({code}): {message}"
        for (code, message), laws in saying.items()
    ]


def _has_loss(member: Source, which: Indices, columns: Mapping[str, Floats], part: Part) -> Bools:
    if part == "scratch":
        return np.full((1, 1), invalid_scratch(member) is None)
    exponents = stage2_exponents(member, which, columns[D1], columns.get(N))
    return np.ones((1, 1), dtype=bool) if exponents is None else np.asarray(exponents > 0)


def _rows(columns: Mapping[str, Floats], rows: Indices) -> dict[str, Floats]:
    return {name: values if len(values) == 1 else values[rows] for name, values in columns.items()}


def _gumbel(stem: str, n: int) -> Floats:
    """Return (n,) standard Gumbel variables that hang on the name of a law, in a shuffled order."""
    seed = hashlib.sha256(stem.encode()).digest()
    order = np.random.default_rng(int.from_bytes(seed[:8], "little")).permutation(n)
    return np.asarray(-np.log(-np.log((order + 0.5) / max(n, 1))))
