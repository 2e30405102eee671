"""Which optima lie at the edge of what was searched, and whether anybody set that edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, N
from bootlaw.planning.allocation.optimum import Optima
from bootlaw.planning.allocation.problem import Problem
from bootlaw.planning.allocation.question import Question

Flags = NDArray[np.bool_]

_AT_EDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Edge:
    """Where a variable is chosen at an end of what was searched.

    Attributes
    ----------
    low, high : (1 + r,) which optima lie at the lower end, and at the upper one.
    set_low, set_high : whether the question set that end.
    """

    low: Flags
    high: Flags
    set_low: bool = False
    set_high: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the point estimate's optimum lies at an end."""
        return bool(self.low[0] or self.high[0])

    @property
    def unbounded(self) -> bool:
        """Whether it lies at an end that nobody set: the loss falls beyond what was searched."""
        return bool((self.low[0] and not self.set_low) or (self.high[0] and not self.set_high))


def edges_of(question: Question, problem: Problem, optima: Optima) -> Mapping[str, Edge]:
    """Return the edges by the names of the variables that are chosen."""
    low = optima.points <= problem.lower + _AT_EDGE
    high = optima.points >= problem.upper - _AT_EDGE
    found = {}
    if problem.chooses_size:
        found[N] = Edge(
            low[:, 0],
            high[:, 0],
            question.min_params == problem.sizes[0],
            question.max_params == problem.sizes[1],
        )
    if problem.chooses_split:
        fewest, most = problem.bases
        tokens = optima.design.tokens_stage1
        found[D1] = Edge(
            low[:, -1] | (tokens <= fewest * (1 + _AT_EDGE)),
            high[:, -1] | (tokens >= most * (1 - _AT_EDGE)),
        )
    return found
