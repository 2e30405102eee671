"""Whether the rows can tell a law's parameters at all, and which ones they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, free_parameters
from bootlaw.laws.design import Design
from bootlaw.laws.features import D1, D2
from bootlaw.laws.law import Rows

Floats = NDArray[np.float64]

RANK_TOLERANCE = 1e-9
"""Relative singular value of the column-scaled Jacobian below which a direction does not exist
in the data. Real designs stay above 1e-7; exact degeneracy leaves rounding, 1e-15."""

SAME_LEVEL = 0.01
"""Levels closer than 1 % are one: runs stop at whole batches, not at round token counts."""

HOPELESS = 1.0
"""Plug-in standard error of an exponent, in the middle of the data, from which the rows say
nothing about it: published token exponents lie between 0 and 1. (The exponents a1 and a2 of a law
with interaction are those at D = 1 token, far outside any data; their errors there are no
measure.)"""

SMALL_STEP = 1e-3
"""Step in ln D of the difference quotient that gives a term's local exponent."""

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
    """

    reason: str | None
    correlation: Floats
    standard_errors: Floats


def distinct_levels(values: Floats) -> int:
    """Return the number of levels in `values`, all above 0, merging those within 1 %."""
    if values.size == 0:
        return 0
    logs = np.sort(np.log(values))
    return 1 + int((np.diff(logs) > SAME_LEVEL).sum())


def identify(objective: Objective, optimum: Optimum, scale: float) -> Identifiability:
    """Return whether the rows determine the law at the optimum.

    Parameters
    ----------
    scale : standard deviation of the log residuals.
    """
    law = objective.design.law
    free = free_parameters(objective, with_constant=not optimum.at_zero)
    jacobian = objective.residual_jacobian(optimum.u)[:, free]
    names = [name for name, is_free in zip(law.names, free, strict=True) if is_free]
    size = np.linalg.norm(jacobian, axis=0)
    scaled = jacobian / np.where(size > 0, size, 1.0)
    _, singular, basis = np.linalg.svd(scaled, full_matrices=True)
    singular = np.pad(singular, (0, len(names) - singular.size))
    lost = singular <= RANK_TOLERANCE * singular[0]
    errors, correlation = _plug_in(basis, np.where(lost, 0.0, singular), size, scale)
    full_errors, full_correlation = np.zeros(free.size), np.zeros((free.size, free.size))
    full_errors[free] = errors
    full_correlation[np.ix_(free, free)] = correlation
    reason = (
        _too_few_rows(objective)
        or _no_variation(objective)
        or _null_direction(objective, names, basis, lost | (size[-1] == 0))
        or _far_away(objective, optimum)
        or _hopeless(objective, optimum, full_errors[:, None] * full_correlation * full_errors)
    )
    return Identifiability(reason, full_correlation, full_errors)


def _plug_in(basis: Floats, singular: Floats, size: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return standard errors (f,) and correlations (f, f); infinite along lost directions."""
    # A lost direction gets a large finite variance, so that only its parameters are affected.
    inverse = 1.0 / np.maximum(singular, 1e-12) ** 2
    covariance = (basis.T * inverse) @ basis
    deviations = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviations, deviations)
    return scale * deviations / np.where(size > 0, size, 1e-300), correlation


def _too_few_rows(objective: Objective) -> str | None:
    rows, needed = objective.design.n_rows, len(objective.design.law.parameters)
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
    stage2 = columns[D2]
    with_base = columns[D1] > 0 if D1 in columns else np.ones(stage2.size, dtype=bool)
    for name in objective.design.law.variables:
        n_levels = distinct_levels(columns[name][with_base])
        if n_levels == 1:
            return f": {name} has one level; add runs at others"
    if D1 in columns:
        ratio = np.log(columns[D1][with_base] / stage2[with_base])
        if np.ptp(ratio) < SAME_LEVEL:
            return ": tokens_stage2 is proportional to tokens_stage1; add runs off that line"
    for name in objective.design.law.variables:
        if distinct_levels(columns[name][with_base]) == 2:
            return f": {name} has two levels; add runs at a third"
    return "; add runs at other (tokens_stage1, tokens_stage2)"


def _far_away(objective: Objective, optimum: Optimum) -> str | None:
    law = objective.design.law
    reach = np.abs(optimum.u) * np.where(law.logged, 1.0, 100.0)
    reach[objective.design.irreducible] = 0.0
    if optimum.verified or reach.max() < FAR:
        return None
    values = law.from_internal(optimum.u)
    away = [f"{n} = {v:.3g}" for n, v, r in zip(law.names, values, reach, strict=True) if r >= FAR]
    return (
        f"the optimum lies at infinity ({_list(away)} and growing): another form with fewer "
        "parameters fits as well; compare laws"
    )


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
    """Yield for every term and variable the standard error of d ln term / d ln variable.

    The delta method: the exponent's derivative with respect to the parameters is the difference
    quotient of the term's slopes between two points a small step apart.
    """
    law, columns = objective.design.law, objective.design.columns
    for number, term in enumerate(law.terms):
        middle = _middle(columns, term.rows)
        for variable, value in middle.items():
            if value == 0:
                continue
            pair = {name: np.repeat(at, 2) for name, at in middle.items()}
            pair[variable][1] *= np.exp(SMALL_STEP)
            slopes = Design(law, pair).terms[number].slopes(optimum.u)
            change = (slopes[1] - slopes[0]) / SMALL_STEP
            yield variable, float(np.sqrt(max(change @ covariance @ change, 0.0)))


def _middle(columns: Mapping[str, Floats], rows: Rows) -> dict[str, float]:
    """Return the geometric mean of every variable over the rows that a term has."""
    if D1 not in columns:
        return {name: float(np.exp(np.log(values).mean())) for name, values in columns.items()}
    from_scratch = columns[D1] == 0
    kept = from_scratch if rows == "scratch" else ~from_scratch
    middle = {
        name: float(np.exp(np.log(values[kept]).mean()))
        for name, values in columns.items()
        if name != D1 or rows != "scratch"
    }
    return middle if rows != "scratch" else {**middle, D1: 0.0}


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
