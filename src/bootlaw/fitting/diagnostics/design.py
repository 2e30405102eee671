"""Whether the runs vary each variable enough, and apart from the others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.identifiability import distinct_levels
from bootlaw.fitting.local import Response, responses
from bootlaw.laws.names import D1

Floats = NDArray[np.float64]

HIGH_CORRELATION = 0.95

FEW_LEVELS = 3
"""Levels from which a curve can be checked against a power law, which has two parameters."""


def _few_levels(e: Evidence) -> Iterator[Diagnostic]:
    for name in e.law.variables:
        if name in e.law.single_level:
            continue
        values = e.rows.table.numbers(name)
        if np.isin(values, (0.0, 1.0)).all():  # a switch has no exponent
            continue
        n_levels = distinct_levels(values[values > 0] if name == D1 else values)
        if 0 < n_levels < FEW_LEVELS:
            yield Diagnostic(
                "few_levels",
                f"{name} has {n_levels} level{'s' * (n_levels != 1)}: its exponent cannot be "
                "checked against the law's form; three levels or more, a factor of 4 apart, can",
                "warning",
                n_levels,
            )


def _collinear_design(e: Evidence) -> Iterator[Diagnostic]:
    for one, other in combinations(e.law.variables, 2):
        correlation = _log_correlation(e.rows.table.numbers(one), e.rows.table.numbers(other))
        if abs(correlation) > HIGH_CORRELATION:
            yield Diagnostic(
                "collinear_design",
                f"ln {one} and ln {other} are collinear (correlation {correlation:.3f}), so their "
                "exponents cannot be separated; add runs off the line, such as large "
                f"{one} with small {other}",
                "warning",
                correlation,
            )


def _log_correlation(one: Floats, other: Floats) -> float:
    """Return the correlation of the logarithms over the rows where both are above 0."""
    both = (one > 0) & (other > 0)
    logs = np.log([one[both], other[both]])
    if logs.shape[1] < 2 or not (np.ptp(logs, axis=1) > 1e-9).all():
        return 0.0
    return float(np.asarray(np.corrcoef(logs))[0, 1])


def _confounded_exponents(e: Evidence) -> Iterator[Diagnostic]:
    """Compare local exponents: those at 1 token are correlated in every design."""
    if not e.determined or next(_collinear_design(e), None) is not None:
        return
    covariance = _without_constant(e)
    for point in e.middles:
        for one, other in combinations(responses(e.law, e.optimum.u, [point]), 2):
            correlation, errors = _of_pair(one, other, covariance)
            if correlation < -HIGH_CORRELATION:
                yield _confounded(one, other, correlation, errors)


def _confounded(
    one: Response, other: Response, correlation: float, errors: tuple[float, float]
) -> Diagnostic:
    return Diagnostic(
        "confounded_exponents",
        f"the exponents of {one.variable} ({one.exponent:.3g} +- {errors[0]:.2g}) and "
        f"{other.variable} ({other.exponent:.3g} +- {errors[1]:.2g}) trade off (correlation "
        f"{correlation:.3f}): these runs tell their sum rather than each; vary one variable at a "
        "fixed value of the other",
        "warning",
        correlation,
    )


def _without_constant(e: Evidence) -> Floats:
    """Return the plug-in covariance (p, p) at a fixed E, which moves all exponents together."""
    keep = e.identifiability.standard_errors > 0
    if e.law.irreducible is not None:
        keep[e.law.index(e.law.irreducible)] = False
    covariance = np.zeros((keep.size, keep.size))
    inverse = np.linalg.pinv(e.jacobian[:, keep])
    covariance[np.ix_(keep, keep)] = e.scale**2 * inverse @ inverse.T
    return covariance


def _of_pair(
    one: Response, other: Response, covariance: Floats
) -> tuple[float, tuple[float, float]]:
    """Return the correlation of two local exponents and their standard errors; 0 for none."""
    gradients = np.stack([one.exponent_gradient, other.exponent_gradient])
    pair = gradients @ covariance @ gradients.T
    errors = np.sqrt(np.maximum(np.diag(pair), 0.0))
    if not (errors > 0).all():
        return 0.0, (0.0, 0.0)
    return float(pair[0, 1] / errors.prod()), (float(errors[0]), float(errors[1]))


CHECKS = (_few_levels, _collinear_design, _confounded_exponents)
