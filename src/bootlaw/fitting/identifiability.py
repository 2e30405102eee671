"""Whether the rows can tell a law's parameters at all, and which ones they cannot."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.fitting.local import middles, responses
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, free_parameters
from bootlaw.laws import Law
from bootlaw.laws.names import D1, D2, METHOD_NUMBER
from bootlaw.runs.schema import column_named

Floats = NDArray[np.float64]

RANK_TOLERANCE = 1e-9
"""Relative singular value of the column-scaled Jacobian below which a direction does not exist
in the data. Real designs stay above 1e-7; exact degeneracy leaves rounding, 1e-15."""

HOPELESS = 1.0
"""Plug-in standard error of an exponent, in the middle of the data, from which the rows say
nothing about it: published token exponents lie between 0 and 1. (The exponents a1 and a2 of a law
with interaction are those at D = 1 token, far outside any data; their errors there are no
measure.)"""

TURNING = 10.0
"""Absolute exponent beyond which the curve turns there, so that an exponent means nothing."""

FAR = 300.0
"""Absolute ln of a coefficient, or 100 times an exponent, that no law of losses has."""


@dataclass(frozen=True)
class Identifiability:
    """What the Jacobian at the optimum says.

    Attributes
    ----------
    reason : why the parameters cannot be told, None where they can.
    correlation : (p, p) plug-in correlation of the parameters, internal coordinates; 0 where a
        parameter is fixed.
    standard_errors : (p,) plug-in, internal coordinates; indications only.
    weakest : the least singular value of the column-scaled Jacobian relative to the greatest; 0
        where a direction is lost.
    """

    reason: str | None
    correlation: Floats
    standard_errors: Floats
    weakest: float = 1.0

    @property
    def covariance(self) -> Floats:
        """The plug-in covariance (p, p), internal coordinates."""
        return self.standard_errors[:, None] * self.correlation * self.standard_errors


def distinct_levels(values: Floats) -> int:
    """Return the number of levels in `values`, merging those within 1 % of a level's least.

    (Merging neighbours would make one level of a dense range.)
    """
    logs = np.sort(np.log(values[values > 0]))
    levels, first = np.unique(values[~(values > 0)]).size, 0
    while first < logs.size:
        levels += 1
        first = int(np.searchsorted(logs, logs[first] + SAME_LEVEL, side="right"))
    return levels


def identify(objective: Objective, optimum: Optimum, scale: float) -> Identifiability:
    """Return whether the rows determine the law at the optimum.

    Parameters
    ----------
    scale : standard deviation of the log residuals.
    """
    law = objective.design.law
    free = free_parameters(objective, optimum)
    jacobian = weighted_jacobian(objective, optimum.u)[:, free]
    names = [name for name, is_free in zip(law.names, free, strict=True) if is_free]
    size = np.linalg.norm(jacobian, axis=0)
    scaled = jacobian / np.where(size > 0, size, 1.0)
    # All right singular vectors, but never (n, n) left ones: n may be a million.
    _, singular, basis = np.linalg.svd(scaled, full_matrices=scaled.shape[0] < scaled.shape[1])
    singular = np.pad(singular, (0, len(names) - singular.size))
    lost = singular <= RANK_TOLERANCE * singular[0]
    errors, correlation = _plug_in(basis, np.where(lost, 0.0, singular), size, scale)
    full_errors, full_correlation = np.zeros(free.size), np.zeros((free.size, free.size))
    full_errors[free] = errors
    full_correlation[np.ix_(free, free)] = correlation
    weakest = 0.0 if lost.any() else float(singular[-1] / singular[0])
    said = Identifiability(None, full_correlation, full_errors, weakest)
    reason = (
        _too_few_rows(objective)
        or _no_variation(objective)
        or _null_direction(objective, names, basis, lost | (size[-1] == 0))
        or _far_away(objective, optimum)
        or _still_moving(objective, optimum)
        or _hopeless(objective, optimum, said.covariance)
    )
    return Identifiability(reason, full_correlation, full_errors, weakest)


def weighted_jacobian(objective: Objective, u: Floats) -> Floats:
    """Return d r / d u (n, p) at u (p,), each row times the square root of its weight."""
    return objective.residual_jacobian(u) * np.sqrt(objective.weights)[:, None]


def _plug_in(basis: Floats, singular: Floats, size: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return standard errors (f,) and correlations (f, f); infinite along lost directions."""
    # A lost direction gets a large finite variance, so that only its parameters are affected.
    inverse = 1.0 / np.maximum(singular, 1e-12) ** 2
    covariance = (basis.T * inverse) @ basis
    deviations = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviations, deviations)
    # A parameter without any effect gets an error whose square is still a float.
    return scale * deviations / np.maximum(size, 1e-100), correlation


def _too_few_rows(objective: Objective) -> str | None:
    rows = int((objective.weights > 0).sum())
    needed = int(free_parameters(objective).sum())
    if rows >= needed:
        return None
    return f"{rows} rows cannot determine {needed} parameters; add at least {needed - rows} runs"


def _no_variation(objective: Objective) -> str | None:
    if objective.targets.size < 2 or np.ptp(objective.targets) > 0:
        return None
    return (
        f"all {objective.targets.size} losses are equal ({np.exp(objective.targets[0]):.6g}), so "
        "no curve can be told from them; check the column loss"
    )


def _null_direction(
    objective: Objective, names: list[str], basis: Floats, lost: NDArray[np.bool_]
) -> str | None:
    if not lost.any():
        return None
    involved = np.abs(basis[lost]).max(axis=0) > 0.05
    together = [name for name, is_in in zip(names, involved, strict=True) if is_in]
    return (
        f"{_list(together)} can change together without changing any fitted loss{_cause(objective)}"
    )


def _cause(objective: Objective) -> str:
    """Return what about the design leaves a direction open, as the rest of a sentence."""
    columns = objective.design.columns
    variables = tuple(n for n in objective.design.law.variables if n != METHOD_NUMBER)
    with_base = columns[D1] > 0 if D1 in columns else np.ones(objective.design.n_rows, dtype=bool)
    used = {name: columns[name][with_base] for name in variables}
    levels = {name: distinct_levels(values) for name, values in used.items()}
    for name in variables:
        if levels[name] == 1:
            return f": {name} has one level; add runs at others{_for_one_base(name, variables)}"
    if tied := _tied(used):
        return f": {tied}; add runs off that line"
    for name in variables:
        if levels[name] == 2:
            return f": {name} has two levels; add runs at a third"
    return f"; add runs at other ({', '.join(variables)})"


def _for_one_base(name: str, variables: tuple[str, ...]) -> str:
    """Return which law answers for one base: its D1 is all that can be asked about."""
    if name != D1 or D2 not in variables:
        return ""
    return (
        ", or ask about this base alone with --law fixed-base, A D2^-a + E "
        "(fixed-base+scratch where the table has runs from scratch too)"
    )


def _tied(columns: Mapping[str, Floats]) -> str | None:
    """Return which variable is a power of which other one, None where none is."""
    for one, other in combinations(columns, 2):
        if not ((columns[one] > 0).all() and (columns[other] > 0).all()):
            continue
        x, y = np.log(columns[one]), np.log(columns[other])
        if np.ptp(y - x) < SAME_LEVEL:
            return f"{other} is proportional to {one}"
        centred = x - x.mean()
        slope = float(centred @ y / (centred @ centred)) if np.ptp(x) > SAME_LEVEL else 0.0
        if x.size > 2 and abs(slope) > SAME_LEVEL and np.ptp(y - slope * x) < SAME_LEVEL:
            return f"{other} is proportional to {one}^{slope:.3g}"
    return None


def _far_away(objective: Objective, optimum: Optimum) -> str | None:
    law = objective.design.law
    reach = np.abs(optimum.u) * np.where(_in_logs(law), 1.0, 100.0)
    if law.irreducible is not None:
        reach[law.index(law.irreducible)] = 0.0
    if optimum.verified or reach.max() < FAR:
        return None
    values = np.where(_in_logs(law), np.exp(np.clip(optimum.u, -700.0, 700.0)), optimum.u)
    away = [f"{n} = {v:.3g}" for n, v, r in zip(law.names, values, reach, strict=True) if r >= FAR]
    return (
        f"the optimum lies at infinity ({_list(away)} and growing): another form with fewer "
        "parameters fits as well; compare laws"
    )


DRIFTING = 0.01
"""Change of a log coefficient, or relative change of an exponent, in the last iterations from
which a fit that never comes to rest is on its way to infinity."""


def _still_moving(objective: Objective, optimum: Optimum) -> str | None:
    if optimum.drift is None or optimum.drift.max() < DRIFTING:
        return None
    law = objective.design.law
    named = optimum.drift >= max(0.1 * optimum.drift.max(), DRIFTING)
    values = np.where(_in_logs(law), np.exp(np.clip(optimum.u, -700.0, 700.0)), optimum.u)
    away = [f"{n} = {v:.3g}" for n, v, is_in in zip(law.names, values, named, strict=True) if is_in]
    return (
        f"the optimum lies at infinity ({_list(away)} and still moving): another form with fewer "
        "parameters fits as well; compare laws"
    )


def _in_logs(law: Law) -> NDArray[np.bool_]:
    return np.array([parameter.kind == "coefficient" for parameter in law.parameters])


def _hopeless(objective: Objective, optimum: Optimum, covariance: Floats) -> str | None:
    poor = [
        f"the exponent of {variable} (standard error {error:.2g} in the middle of the data)"
        for variable, error in _local_exponent_errors(objective, optimum, covariance)
        if error >= HOPELESS
    ]
    if not poor:
        return None
    return f"the rows say nothing about {_list(poor)}{_cause(objective)}"


def _local_exponent_errors(
    objective: Objective, optimum: Optimum, covariance: Floats
) -> Iterator[tuple[str, float]]:
    """Yield for every count and group of rows the standard error of its local exponent.

    The exponent is that with which the effect of the variable falls, in the middle of the rows
    (those from scratch have a middle of their own); its error is that of the delta method.
    """
    law, columns = objective.design.law, objective.design.columns
    for answer in responses(law, optimum.u, middles(columns)):
        column = column_named(answer.variable)
        if column is None or not column.is_count or not abs(answer.decay) < TURNING:
            continue
        change = answer.decay_gradient
        yield answer.variable, math.sqrt(max(float(change @ covariance @ change), 0.0))


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
