"""The best use of a budget, and the least budget for a loss, for every parameter vector at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.allocation.problem import Design, Problem
from bootlaw.planning.allocation.search import Minima, minimise, polish

Floats = NDArray[np.float64]

BUDGETS = {False: (math.log(1e9), math.log(1e34)), True: (math.log(1e3), math.log(1e22))}
"""Between which ln budgets (FLOPs; tokens) the least one for a loss is searched."""
_SCANNED = 61
_AROUND = np.array([-60, -24, -12, -6, -3, -2, -1, 0, 1, 2, 3, 6, 12, 24, 60])
_ROOT_STEPS = 40
_ROOT_WIDTH = 1e-9
_ROOT_GAP = 1e-10


@dataclass(frozen=True, eq=False)
class Optima:
    """The optimum of the point estimate, first, and of each replicate.

    Attributes
    ----------
    points : (1 + r, d) coordinates, see `Problem.lower`.
    loss : (1 + r,) nats per token; inf where the budget buys nothing sensible.
    ln_budget : (1 + r,); inf where no budget reaches the loss asked for.
    design : sizes and tokens (1 + r,).
    """

    points: Floats
    loss: Floats
    ln_budget: Floats
    design: Design

    @property
    def found(self) -> NDArray[np.bool_]:
        """(1 + r,) whether there is an optimum."""
        return np.isfinite(self.loss) & np.isfinite(self.ln_budget)


def best_use(problem: Problem, budget: float) -> Optima:
    """Return where a budget, in FLOPs or tokens, gives the lowest loss."""
    k = len(problem.route.source.params)
    ln_budget = np.full(k, math.log(budget))
    return _optima(problem, _minima(problem, np.arange(k), ln_budget), ln_budget)


def least_budget(problem: Problem, target: float) -> Optima:
    """Return the least budget whose best use reaches the loss `target`.

    The best loss of a budget need not fall for ever (a product law ends at exp(a2/a3) stage-1
    tokens), so that budgets are scanned upwards: all of them for the point estimate, and for
    the replicates, from its designs, those around the one that it needs. False position with
    bisection (Illinois) closes in on the first that suffices. The best designs of power laws lie
    on a line in the logarithms, so that each step starts from the line between the ends.
    """
    budgets = np.linspace(*BUDGETS[problem.in_tokens], _SCANNED)
    which = np.arange(len(problem.route.source.params))
    point = _minima(problem, np.zeros(budgets.size, dtype=np.intp), budgets)
    enough = np.flatnonzero(point.values <= target)
    if enough.size == 0:
        nothing = np.full(which.size, np.inf)
        at_top = np.repeat(point.points[-1:], which.size, axis=0)
        return _optima(problem, Minima(at_top, nothing), nothing)
    near = np.unique(np.clip(enough[0] + _AROUND, 0, budgets.size - 1))
    bracket, reached = _bracket(problem, target, budgets[near], point.points[near])
    at = _root(problem, target, bracket)
    found = _minima(problem, which, at)
    return _optima(problem, found, np.where(reached, at, np.inf))


def _bracket(
    problem: Problem, target: float, budgets: Floats, starts: Floats
) -> tuple[_Bracket, NDArray[np.bool_]]:
    """Return the first step of ascending ln budgets (m,) over which each vector gets to `target`.

    Also whether it does at all; `starts` (m, d) are designs near the best ones.
    """
    which = np.arange(len(problem.route.source.params))
    steps = [
        _followed(problem, which, np.full(which.size, budget), np.tile(start, (which.size, 1)))
        for budget, start in zip(budgets, starts, strict=True)
    ]
    enough = np.stack([step.values for step in steps]) <= target
    reached = np.asarray(enough.any(axis=0))
    last = np.where(reached, enough.argmax(axis=0), budgets.size - 1)
    first = np.maximum(last - 1, 0)
    ends = [
        Minima(
            np.stack([step.points for step in steps])[end, which],
            np.stack([step.values for step in steps])[end, which],
        )
        for end in (first, last)
    ]
    return _Bracket(budgets[first], budgets[last], ends[0], ends[1]), reached


@dataclass(frozen=True, eq=False)
class _Bracket:
    """Ln budgets (k,) that buy too high a loss and a low enough one, with their optima."""

    low: Floats
    high: Floats
    first: Minima
    last: Minima

    def between(self, at: Floats) -> Floats:
        """Return coordinates (k, d) on the line between the optima of the ends."""
        share = ((at - self.low) / np.maximum(self.high - self.low, 1e-300))[:, np.newaxis]
        line = self.first.points + share * (self.last.points - self.first.points)
        known = np.isfinite(self.first.values)[:, np.newaxis]
        return np.where(known, line, self.last.points)

    def narrowed(self, at: Floats, found: Minima, too_little: NDArray[np.bool_]) -> _Bracket:
        """Return the half that still holds the root."""
        return _Bracket(
            np.where(too_little, at, self.low),
            np.where(too_little, self.high, at),
            _either(too_little, found, self.first),
            _either(too_little, self.last, found),
        )


def _root(problem: Problem, target: float, bracket: _Bracket) -> Floats:
    """Return (k,) ln budgets at which the best loss is `target`, within the bracket."""
    which = np.arange(bracket.low.size)
    root = np.full(which.size, np.nan)
    above, below = bracket.first.values - target, bracket.last.values - target
    for step in range(_ROOT_STEPS):
        low, high = bracket.low, bracket.high
        with np.errstate(invalid="ignore", divide="ignore"):
            line = low + (high - low) * above / (above - below)
        # Below the cost of a base the loss is infinite, and no line leads through that.
        sensible = (line > low) & (line < high) & (step % 3 != 2)
        at = np.where(sensible, line, (low + high) / 2)
        found = _followed(problem, which, at, bracket.between(at))
        gap = found.values - target
        too_little = gap > 0
        root = np.where(
            np.isnan(root) & ((np.abs(gap) < _ROOT_GAP) | (high - low < _ROOT_WIDTH)), at, root
        )
        if not np.isnan(root).any():
            break
        above, below = (
            np.where(too_little, gap, above / 2),
            np.where(too_little, below / 2, gap),
        )
        bracket = bracket.narrowed(at, found, too_little)
    return np.where(np.isnan(root), (bracket.low + bracket.high) / 2, root)


def _followed(
    problem: Problem, which: NDArray[np.intp], ln_budget: Floats, start: Floats
) -> Minima:
    """Return the optima near `start`."""

    def objective(points: Floats) -> Floats:
        return problem.loss(which, points, ln_budget[:, np.newaxis])

    here = Minima(start, objective(start[:, np.newaxis])[:, 0])
    return polish(objective, here, problem.lower, problem.upper)


def _either(first: NDArray[np.bool_], one: Minima, other: Minima) -> Minima:
    return Minima(
        np.where(first[:, np.newaxis], one.points, other.points),
        np.where(first, one.values, other.values),
    )


def _minima(problem: Problem, which: NDArray[np.intp], ln_budget: Floats) -> Minima:
    def objective(points: Floats) -> Floats:
        return problem.loss(which, points, ln_budget[:, np.newaxis])

    return minimise(objective, problem.lower, problem.upper, which.size)


def _optima(problem: Problem, found: Minima, ln_budget: Floats) -> Optima:
    finite = np.where(np.isfinite(ln_budget), ln_budget, 0.0)
    with np.errstate(over="ignore"):
        many = problem.design(found.points[:, np.newaxis], finite[:, np.newaxis])
    design = Design(
        *(values[:, 0] for values in (many.params, many.tokens_stage1, many.tokens_stage2))
    )
    return Optima(found.points, found.values, ln_budget, design)
