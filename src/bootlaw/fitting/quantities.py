"""What a profile holds fixed: a parameter, a combination of them, a forecast, a break-even.

A quantity is held either by a linear constraint ``normal . u = offset`` on the internal
coordinates, which one parameter is solved for and leaves the law's formula, or by one more row
that says what the loss is there, with a weight so large that the fit must pass through it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.objective import Objective
from bootlaw.laws import Design, Law
from bootlaw.laws.expression import (
    Expression,
    Number,
    Symbol,
    call,
    product,
    substitute,
    total,
)
from bootlaw.laws.names import D1, D2

Floats = NDArray[np.float64]

HOLD = 1e6
"""Weight of the row that holds a forecast, in those of the heaviest row of the table: the curve
misses it by less than 1e-6 of the summed pull of the rows."""


@dataclass(frozen=True)
class Linear:
    """A quantity whose value fixes one linear constraint on the internal coordinates.

    Attributes
    ----------
    of : u (R, p) -> (R,) values.
    constraint : value -> (normal (p,), offset) with normal . u = offset where it has that value.
    lower : least value that the law allows.
    """

    of: Callable[[Floats], Floats]
    constraint: Callable[[float], tuple[Floats, float]]
    lower: float = -np.inf

    def held(self, objective: Objective, value: float, starts: Floats) -> tuple[Objective, Floats]:
        """Return the objective in one parameter less, and its starts (R, p - 1)."""
        normal, offset = self.constraint(value)
        law = objective.design.law
        at = _pivot(law, normal)
        shorter = _solved_for(law, normal, offset, at)
        lower, upper = (np.delete(bound, at) for bound in objective.bounds)
        held = replace(
            objective,
            design=Design(shorter, objective.design.columns),
            lower=lower,
            upper=upper,
            prior=None,
        )
        return held, np.delete(starts, at, axis=1)


@dataclass(frozen=True)
class Forecast:
    """ln loss at one point of the law's variables."""

    law: Law
    at: Mapping[str, float]
    lower: float = -np.inf

    def of(self, u: Floats) -> Floats:
        """Return ln loss (R,) at internal coordinates (R, p)."""
        columns = {name: np.array([value]) for name, value in self.at.items()}
        return np.log(Design(self.law, columns).loss(u))[..., 0]

    def held(self, objective: Objective, value: float, starts: Floats) -> tuple[Objective, Floats]:
        """Return the objective with one more row whose log loss is `value`, and `starts`."""
        design = objective.design
        columns = {n: np.append(c, self.at[n]) for n, c in design.columns.items()}
        row = HOLD * float(objective.weights.max())
        held = replace(
            objective,
            design=Design(self.law, columns),
            targets=_appended(objective.targets, value),
            weights=_appended(objective.weights, row),
        )
        return held, starts


Quantity = Linear | Forecast


def _appended(values: Floats, last: float) -> Floats:
    return np.concatenate([values, np.full((*values.shape[:-1], 1), last)], axis=-1)


def _pivot(law: Law, normal: Floats) -> int:
    """Return the parameter that a constraint is solved for: a coefficient where one has a part."""
    size = np.abs(normal) * np.where(law.logged, 1e6, 1.0)
    return int(np.argmax(size))


def _solved_for(law: Law, normal: Floats, offset: float, at: int) -> Law:
    """Return the law in one parameter less: that one follows from the constraint."""
    internal: list[Expression] = [Number(offset / normal[at])]
    for i, name in enumerate(law.names):
        if i != at and normal[i]:
            own = call("log", Symbol(name)) if law.logged[i] else Symbol(name)
            internal.append(product(Number(-float(normal[i] / normal[at])), own))
    value = call("exp", total(*internal)) if law.logged[at] else total(*internal)
    name = law.names[at]
    return replace(
        law,
        parameters=tuple(p for p in law.parameters if p.name != name),
        parts=tuple(
            replace(part, expression=substitute(part.expression, {name: value}))
            for part in law.parts
        ),
        irreducible=None if law.irreducible == name else law.irreducible,
    )


def parameter(law: Law, name: str) -> Linear:
    """Return a parameter, in internal coordinates: the logarithm of a coefficient."""
    at = law.index(name)
    return combination(np.eye(len(law.parameters))[at], lower=law.parameters[at].lower, law=law)


def combination(normal: ArrayLike, *, law: Law, lower: float = -np.inf) -> Linear:
    """Return normal . u, such as a local exponent: a1 - a3 ln D2 at a given D2."""
    direction = np.asarray(normal, dtype=np.float64)
    logged = law.logged[np.flatnonzero(direction)]
    return Linear(
        of=lambda u: np.asarray(u @ direction),
        constraint=lambda value: (direction, value),
        lower=-np.inf if logged.any() else lower,
    )


def breakeven(law: Law, tokens_stage1: float) -> Linear:
    """Return ln D2 at which reuse from `tokens_stage1` and training from scratch are level.

    Where both have one power-law term, E drops out and the logarithms of the terms differ by
    a + b ln D2, linear in the internal coordinates. Infinite where they are level nowhere.

    Raises
    ------
    InputError
        For a law without a scratch part, or with several terms.
    """
    refused = InputError(
        "a profile of the break-even needs a joint law whose reuse and scratch parts are one power "
        f"law each, such as bootstrapped+scratch; {law.key} is none"
    )
    if not law.has_scratch_part:
        raise refused
    ones = np.where(law.logged, 0.0, 1.0)
    if not np.allclose(_log_gap(law, tokens_stage1, 0 * ones), _log_gap(law, tokens_stage1, ones)):
        raise refused
    at_one, per_ln = _log_gap(law, tokens_stage1, 0 * ones)

    def position(u: Floats) -> Floats:
        level, slope = u @ at_one, u @ per_ln
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(slope > 0, -level / slope, np.inf)

    return Linear(of=position, constraint=lambda value: (at_one + value * per_ln, 0.0))


def _log_gap(law: Law, tokens_stage1: float, u: Floats) -> tuple[Floats, Floats]:
    """Return normals (p,) of ln reuse - ln scratch at ln D2 = 0, and of its slope in ln D2.

    They are the slopes of ln(loss - E) at `u`, which are the same everywhere for power laws.
    """
    irreducible = law.index(str(law.irreducible))
    point = np.where(np.arange(u.size) == irreducible, 0.0, u)
    gaps = []
    for tokens in (1.0, float(np.e)):
        columns = {D1: np.array([tokens_stage1, 0.0]), D2: np.full(2, tokens)}
        natural = law.from_internal(point)
        slopes = law.jacobian(natural, columns) * np.where(law.logged, natural, 1.0)
        logs = slopes / law.loss(natural, columns)[:, None]
        gaps.append(np.where(np.arange(u.size) == irreducible, 0.0, logs[0] - logs[1]))
    return gaps[0], gaps[1] - gaps[0]
