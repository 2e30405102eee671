"""Choices between options by their losses: how to split tokens, which size to train."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity, words
from bootlaw.planning.pilots.goals import Goal, Steps
from bootlaw.planning.pilots.questions import Kind, as_often_positive, check_target, log_losses_at
from bootlaw.planning.source import Source

Floats = NDArray[np.float64]

OPTIONS = 25
"""Options along an allocation."""


@dataclass(frozen=True, eq=False)
class OptimumQuestion:
    """Which of m options has the lowest loss.

    The options lie along a line, with losses that fall to one lowest and rise from there; the
    last one may stand apart from it.

    Attributes
    ----------
    options : the law's columns, (m,) each; D1 = 0 from scratch.
    along : (m,) what tells the options apart, above 0, such as the tokens of stage 1.
    label : what `along` is, in words.
    rival : number of the option that the last one, standing apart, is compared with; None where
        all lie along the line.
    target : expected loss given away, as a share of the loss, at which it is settled.
    """

    options: Mapping[str, Floats]
    along: Floats
    label: str
    rival: int | None = None
    target: float = 1e-3
    kind: ClassVar[Kind] = "optimum"

    def __post_init__(self) -> None:
        check_target(self.target)
        if self.along.size < 2:
            raise InputError("a choice needs at least two options")

    def losses(self, source: Source, rival: Source) -> Floats:
        """Return the log losses (1 + r, m) of the options."""
        if source.answers("scratch") or not (self.options[D1] == 0).any():
            return log_losses_at(source, self.options)
        scratch = self.options[D1] == 0
        found = np.zeros((1 + min(source.n_replicates, rival.n_replicates), scratch.size))
        for which, rows in ((rival, scratch), (source, ~scratch)):
            own = {name: values[rows] for name, values in self.options.items()}
            found[:, rows] = log_losses_at(which, own)[: len(found)]
        return found

    def quantities(self, source: Source, rival: Source) -> Floats:
        """Return the differences of log losses (1 + r, m - 1) from one option to the next."""
        losses = self.losses(source, rival)
        if self.rival is None:
            return np.diff(losses, axis=1)
        apart = losses[:, -1] - losses[:, self.rival]
        return np.column_stack([np.diff(losses[:, :-1], axis=1), apart])

    def centre(self, quantities: Floats, deviations: Floats, /) -> Floats:
        """Return the means at which normal steps have the signs of the replicates as often."""
        return as_often_positive(quantities, deviations)

    def goal(self, _quantities: Floats, /) -> Goal:
        """Return the expected loss given away as the goal."""
        return Steps()

    def answers(self, quantities: Floats) -> Floats:
        """Return ln of `along` at the best option (d,)."""
        steps = quantities if self.rival is None else quantities[:, :-1]
        line = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
        if self.rival is not None:
            line = np.column_stack([line, line[:, self.rival] + quantities[:, -1]])
        return np.asarray(np.log(self.along)[np.argmin(line, axis=1)])

    def words(self) -> str:
        """Return what is asked."""
        return f"the best {self.label}"

    def says(self, uncertainty: float) -> str:
        """Return the regret in per cent of the loss."""
        return f"{words.per_cent(uncertainty)} of the loss given away on average"

    def shows(self, answer: float) -> str:
        """Return the best option."""
        return words.tokens(self.value(answer))

    def value(self, answer: float) -> float:
        """Return `along` at the best option."""
        return float(np.exp(answer))


def split_question(
    source: Source,
    *,
    total_tokens: float,
    least: float = 0.02,
    base_cost: float = 1.0,
    given: Mapping[str, float] | None = None,
    options: int = OPTIONS,
    target: float = 1e-3,
) -> OptimumQuestion:
    """Return the question of how to split tokens between the stages: base_cost D1 + D2 = total.

    All of them in one stage, from scratch, is an option where the law has a part for it.

    Parameters
    ----------
    least : least share of either stage.
    base_cost : FLOPs per token of the base over those of the final model.
    given : other variables of the law, such as params.
    options : splits, evenly spaced in the log odds of the second stage.
    """
    total_tokens = validity.check_tokens("total_tokens", total_tokens)
    base_cost = validity.check_tokens("base_cost", base_cost)
    if not 0 < validity.number("the least share of a stage", least) < 0.5:
        raise InputError(f"the least share of a stage lies between 0 and 0.5, not {least:g}")
    odds = np.linspace(np.log(least / (1 - least)), np.log((1 - least) / least), options)
    second = 1 / (1 + np.exp(-odds))
    stage2 = total_tokens * second
    stage1 = (total_tokens - stage2) / base_cost
    if source.answers("scratch"):
        stage1, stage2 = np.append(stage1, 0.0), np.append(stage2, total_tokens)
    rest = {name: np.full(stage2.size, value) for name, value in (given or {}).items()}
    columns = {D1: stage1, D2: stage2, **rest}
    label = f"number of stage-2 tokens of {words.tokens(total_tokens)} in both stages"
    question = OptimumQuestion(columns, stage2, label, target=target)
    if not source.answers("scratch"):
        return question
    best = int(np.argmin(question.losses(source, source)[0, :-1]))
    return replace(question, rival=best)


def size_question(
    source: Source,
    *,
    flops: float,
    reach: float = 30.0,
    options: int = OPTIONS,
    target: float = 1e-3,
) -> OptimumQuestion:
    """Return the question of which size to train from scratch: 6 N D = flops.

    Parameters
    ----------
    reach : factor around the geometric middle of the fitted tokens per parameter that is offered.
    options : sizes, evenly spaced in the logarithm.
    """
    flops = validity.check_tokens("flops", flops)
    if not validity.check_tokens("reach", reach) > 1:
        raise InputError(f"reach is {reach:g}; it must be a factor above 1")
    if N not in source.law.variables or not source.answers("scratch"):
        raise InputError(f"the law {source.law.key} does not say what a size from scratch reaches")
    ratio = math.sqrt(math.prod(source.ranges[D2]) / math.prod(source.ranges[N]))
    ratios = ratio * np.geomspace(1 / reach, reach, options)
    params = np.sqrt(flops / (6.0 * ratios))
    columns = {D1: np.zeros(options), D2: params * ratios, N: params}
    return OptimumQuestion(
        columns, params, f"number of parameters at {flops:.3g} FLOPs", target=target
    )
