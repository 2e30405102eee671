"""The decisions that runs are to serve: a break-even, a forecast, a choice between options.

Each says which quantities it turns on (log losses, or differences of them), how uncertain they
leave it, from when on it is settled, and how its answer reads off one draw of the quantities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bootlaw.laws.names import D1, D2
from bootlaw.planning import validity, words
from bootlaw.planning.breakeven import ABOVE_DATA, BELOW_DATA
from bootlaw.planning.pilots.belief import Belief
from bootlaw.planning.pilots.goals import Goal, Signs, Spread
from bootlaw.planning.pilots.table import log_losses
from bootlaw.planning.question import settled
from bootlaw.planning.source import Source

Floats = NDArray[np.float64]
Kind = Literal["breakeven", "forecast", "optimum"]

PLACES = 65
"""Places along ln D2 at which the winner is asked for."""


class Question(Protocol):
    """A decision."""

    @property
    def kind(self) -> Kind:
        """What kind of decision it is."""
        ...

    @property
    def target(self) -> float:
        """The expected uncertainty at which it counts as settled."""
        ...

    def quantities(self, source: Source, rival: Source) -> Floats:
        """Return what it turns on, (1 + r, m), the point estimate first."""
        ...

    def centre(self, quantities: Floats, deviations: Floats, /) -> Floats:
        """Return the means (m,) that stand for quantities (r, m) of replicates.

        Parameters
        ----------
        deviations : (m,) their standard deviations.
        """
        ...

    def goal(self, quantities: Floats, /) -> Goal:
        """Return how uncertain quantities (r, m) of replicates leave the decision."""
        ...

    def answers(self, quantities: Floats) -> Floats:
        """Return the answer (d,) that draws (d, m) of the quantities give, on a log scale."""
        ...

    def words(self) -> str:
        """Return the question as the rest of the sentence "which runs tell best ..."."""
        ...

    def says(self, uncertainty: float) -> str:
        """Return an expected uncertainty in words."""
        ...

    def shows(self, answer: float) -> str:
        """Return an answer of `answers` in words."""
        ...

    def value(self, answer: float) -> float:
        """Return an answer of `answers` in its own unit: nats, tokens, parameters."""
        ...


@dataclass(frozen=True)
class ForecastQuestion:
    """The loss of one run.

    Attributes
    ----------
    tokens_stage1, tokens_stage2 : of that run; D1 = 0 asks about training from scratch.
    given : other variables of the law, such as params.
    target : standard deviation of the log loss at which it is settled.
    """

    tokens_stage1: float
    tokens_stage2: float
    given: Mapping[str, float] = field(default_factory=dict)
    target: float = 0.005
    kind: ClassVar[Kind] = "forecast"

    def __post_init__(self) -> None:
        validity.set_numbers(self, "tokens_stage1", zero_allowed=True)
        validity.set_numbers(self, "tokens_stage2")
        check_target(self.target)

    def quantities(self, source: Source, rival: Source) -> Floats:
        """Return the log loss (1 + r, 1)."""
        point = {D1: self.tokens_stage1, D2: self.tokens_stage2, **self.given}
        other = self.tokens_stage1 == 0 and not source.answers("scratch")
        columns = {name: np.array([value]) for name, value in point.items()}
        return log_losses_at(rival if other else source, columns)

    def centre(self, quantities: Floats, _deviations: Floats, /) -> Floats:
        """Return the median."""
        return np.asarray(np.median(quantities, axis=0))

    def goal(self, _quantities: Floats, /) -> Goal:
        """Return the standard deviation as the goal."""
        return Spread()

    def answers(self, quantities: Floats) -> Floats:
        """Return the log loss itself."""
        return np.asarray(quantities[:, 0])

    def words(self) -> str:
        """Return what is asked."""
        if self.tokens_stage1 == 0:
            return f"the loss from scratch on {words.tokens(self.tokens_stage2)} tokens"
        stages = f"{words.tokens(self.tokens_stage1)} + {words.tokens(self.tokens_stage2)}"
        return f"the loss after {stages} tokens"

    def says(self, uncertainty: float) -> str:
        """Return the standard deviation in per cent of the loss."""
        return f"known to {words.per_cent(uncertainty)} (standard deviation)"

    def shows(self, answer: float) -> str:
        """Return a loss."""
        return f"{self.value(answer):.4f}"

    def value(self, answer: float) -> float:
        """Return a loss, nats."""
        return float(np.exp(answer))


@dataclass(frozen=True)
class BreakevenQuestion:
    """Where, as D2 grows, starting over catches up with reuse.

    Attributes
    ----------
    tokens_stage1 : D1 of the base.
    stage1, base_cost : as for `bootlaw.breakeven`.
    search : range of D2; by default that of `bootlaw.breakeven`. No crossing counts as its end.
    given : other variables of the laws, such as params.
    target : expected absolute error of ln D* at which it is settled.
    """

    tokens_stage1: float
    stage1: Literal["free", "paid"] = "free"
    base_cost: float = 1.0
    search: tuple[float, float] | None = None
    given: Mapping[str, float] = field(default_factory=dict)
    target: float = float(np.log(1.25))
    kind: ClassVar[Kind] = "breakeven"

    def __post_init__(self) -> None:
        validity.set_numbers(self, "tokens_stage1", "base_cost")
        check_target(self.target)
        validity.check_stage1(self.stage1)
        if self.search is not None:
            object.__setattr__(self, "search", validity.check_tokens_range(self.search))

    def within(self, source: Source) -> BreakevenQuestion:
        """Return the same question with a range."""
        if self.search is not None:
            return self
        low, high = source.ranges[D2]
        search = (low / BELOW_DATA, high * ABOVE_DATA)
        return replace(self, search=search)

    @cached_property
    def places(self) -> Floats:
        """(PLACES,) ln D2."""
        low, high = self.search or (1.0, 1e16)
        return np.linspace(math.log(low), math.log(high), PLACES)

    def quantities(self, source: Source, rival: Source) -> Floats:
        """Return ln reuse - ln scratch (1 + r, PLACES)."""
        tokens = np.exp(self.places)
        more = self.base_cost * self.tokens_stage1 if self.stage1 == "paid" else 0.0
        rest = {name: np.full(PLACES, value) for name, value in self.given.items()}
        reuse = {D1: np.full(PLACES, self.tokens_stage1), D2: tokens, **rest}
        scratch = {D1: np.zeros(PLACES), D2: tokens + more, **rest}
        above, below = log_losses_at(source, reuse), log_losses_at(rival, scratch)
        n = min(len(above), len(below))
        return above[:n] - below[:n]

    def centre(self, quantities: Floats, deviations: Floats, /) -> Floats:
        """Return the means at which normal gaps have the signs of the replicates as often."""
        return as_often_positive(quantities, deviations)

    def goal(self, _quantities: Floats, /) -> Goal:
        """Return the expected absolute error of ln D* as the goal."""
        widths = np.full(PLACES, self.places[1] - self.places[0])
        widths[[0, -1]] /= 2
        return Signs(widths)

    def answers(self, quantities: Floats) -> Floats:
        """Return ln D* (d,), the first place where scratch is ahead; the range's end without."""
        ahead = quantities >= 0
        first = np.argmax(ahead, axis=1)
        rows = np.arange(len(quantities))
        before = quantities[rows, np.maximum(first - 1, 0)]
        here = quantities[rows, first]
        with np.errstate(invalid="ignore", divide="ignore"):
            back = np.where(first > 0, here / (here - before), 0.0)
        step = self.places[1] - self.places[0]
        crossing = self.places[first] - back * step
        return np.asarray(np.where(ahead.any(axis=1), crossing, self.places[-1]))

    def words(self) -> str:
        """Return what is asked."""
        base = words.tokens(self.tokens_stage1)
        return f"where starting over catches up with a base of {base} tokens"

    def says(self, uncertainty: float) -> str:
        """Return the error as a factor."""
        return f"D* off by a factor of {np.exp(uncertainty):.3g} on average"

    def shows(self, answer: float) -> str:
        """Return a number of tokens, or that there is none."""
        tokens = self.value(answer)
        if tokens == 0:
            return "scratch ahead throughout"
        return words.tokens(tokens) if math.isfinite(tokens) else "no crossing"

    def value(self, answer: float) -> float:
        """Return tokens: 0 where scratch is ahead throughout, inf where it never is."""
        if answer <= self.places[0] + 1e-9:
            return 0.0
        return math.exp(answer) if answer < self.places[-1] - 1e-9 else math.inf


def as_often_positive(values: Floats, deviations: Floats) -> Floats:
    """Return the means (m,) at which normal values are positive as often as replicates (r, m).

    Far from the data replicates are skewed, and only their signs count. Where all agree the
    median stands, at least as sure as so many replicates can make it.
    """
    ahead = (values >= 0).mean(axis=0)
    surest = float(ndtri(1 - 0.5 / (len(values) + 1)))
    spread = np.maximum(deviations, 1e-300)
    odds = np.clip(np.median(values, axis=0) / spread, -1e6, 1e6)
    agreed = (ahead == 0) | (ahead == 1)
    sure = np.where(ahead == 1, 1.0, -1.0) * np.maximum(np.abs(odds), surest)
    split = ndtri(np.where(agreed, 0.5, ahead))
    return np.asarray(np.where(agreed, sure, split) * spread)


def log_losses_at(source: Source, columns: Mapping[str, Floats]) -> Floats:
    """Return ln losses (1 + r, n); variables that are left out have the one value fitted."""
    size = columns[D2].size
    known = settled(source, {name: float(values[0]) for name, values in columns.items()})
    filled = {name: np.full(size, value) for name, value in known.items() if name not in columns}
    return log_losses(source, {**filled, **columns})


def check_target(target: float) -> None:
    """Raise InputError unless a target is an uncertainty above 0."""
    validity.check_tokens("the target", target)


def sampled_answers(question: Question, belief: Belief, outcomes: int, draws: int) -> Floats:
    """Return answers (outcomes, draws): draws of what is left open, after each possible outcome."""
    rng = np.random.default_rng(0)
    shown = rng.standard_normal((outcomes, len(belief.learned))) @ belief.learned
    left = rng.standard_normal((draws, len(belief.quantities))) @ belief.quantities
    every = (belief.mean + shown)[:, None, :] + left
    return question.answers(every.reshape(-1, belief.mean.size)).reshape(outcomes, draws)
