"""One stage at a time: the power law in D2 for each base, and in D1 for each second stage.

Figures 1 and 3 of arXiv 2510.06548. Straight lines in log-log axes are the plainest evidence for
or against the main law: the exponents should fall linearly in the logarithm of the other stage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.identifiability import distinct_levels
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.laws.names import D1, D2
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]

LEAST_LEVELS = 3


@dataclass(frozen=True)
class PowerLawSlice:
    """``L = factor * D^-exponent + E`` at one level of the other stage, E given.

    Attributes
    ----------
    level : tokens of the stage held fixed (geometric mean of the merged levels).
    exponent, exponent_se : per ln token, and its standard error.
    factor, ln_factor_se : nats per token at D = 1 token, and the standard error of its log.
    n_rows : rows used.
    n_left_out : rows whose loss is not above E, which have no ln(L - E).
    """

    level: float
    exponent: float
    exponent_se: float
    factor: float
    ln_factor_se: float
    n_rows: int
    n_left_out: int


def per_base_power_laws(table: RunTable, irreducible: float) -> tuple[PowerLawSlice, ...]:
    """Return the power law in tokens_stage2 of each base (level of tokens_stage1), by level.

    Parameters
    ----------
    table : rows of one method, as `select_rows` returns them; those without a base are ignored.
    irreducible : E in nats, the same for all levels, such as a fit's.

    Raises
    ------
    InputError
        When E is negative.
    """
    return _slices(table, irreducible, fixed=D1, moving=D2)


def per_stage2_power_laws(table: RunTable, irreducible: float) -> tuple[PowerLawSlice, ...]:
    """Return the power law in tokens_stage1 for each level of tokens_stage2, by level.

    Parameters and errors as for `per_base_power_laws`.
    """
    return _slices(table, irreducible, fixed=D2, moving=D1)


def _slices(
    table: RunTable, irreducible: float, *, fixed: str, moving: str
) -> tuple[PowerLawSlice, ...]:
    if not irreducible >= 0:
        raise InputError(f"the irreducible loss is at least 0, not {irreducible}")
    both = (table.numbers(D1) > 0) & (table.numbers(D2) > 0)
    levels, tokens = table.numbers(fixed)[both], table.numbers(moving)[both]
    losses = table.numbers("loss")[both]
    found = []
    for rows in _same_level(levels):
        above = rows[losses[rows] > irreducible]
        if distinct_levels(tokens[above]) >= LEAST_LEVELS:
            level = float(np.exp(np.log(levels[rows]).mean()))
            line = _line(tokens[above], losses[above], irreducible)
            found.append(PowerLawSlice(level, *line, above.size, rows.size - above.size))
    return tuple(found)


def _same_level(levels: Floats) -> list[NDArray[np.intp]]:
    """Return the row numbers of each level, smallest level first."""
    order = np.argsort(levels, kind="stable")
    jumps = np.flatnonzero(np.diff(np.log(levels[order])) > SAME_LEVEL) + 1
    return [part for part in np.split(order, jumps) if part.size]


def _line(tokens: Floats, losses: Floats, irreducible: float) -> tuple[float, float, float, float]:
    """Return exponent, its standard error, factor, standard error of its log.

    Least squares of ln(L - E) on ln D, weighted so that every row has the same relative error
    of its loss; the standard errors use the residual variance with n - 2 degrees of freedom.
    """
    weights = (losses - irreducible) / losses
    logs = np.log(tokens)
    centre = float(np.average(logs, weights=weights**2))
    design = np.column_stack([np.ones_like(logs), centre - logs]) * weights[:, None]
    target = np.log(losses - irreducible) * weights
    inverse = np.linalg.inv(design.T @ design)
    at_centre, exponent = inverse @ design.T @ target
    residuals = target - design @ np.array([at_centre, exponent])
    covariance = inverse * (residuals @ residuals) / (logs.size - 2)
    # ln factor = value at the centre + exponent * centre.
    back = np.array([1.0, centre])
    return (
        float(exponent),
        float(np.sqrt(covariance[1, 1])),
        float(np.exp(at_centre + exponent * centre)),
        float(np.sqrt(back @ covariance @ back)),
    )
