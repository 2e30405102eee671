"""Directions in which the parameters can move with little change of the fitted losses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.diagnostics.design import HIGH_CORRELATION
from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.local import responses
from bootlaw.laws import Design
from bootlaw.laws.names import D1
from bootlaw.runs.schema import column_named

Floats = NDArray[np.float64]

BEYOND = 10.0
"""How many times beyond the greatest count of tokens or parameters a forecast is tried."""

SLOPPY = 0.02
"""Plug-in standard error of that forecast's log loss from which the direction is sloppy: a
doubling of tokens at an exponent of 0.1 and half of the loss reducible changes it by 3 %."""


def _a3_against_e(e: Evidence) -> Iterator[Diagnostic]:
    name = e.law.irreducible
    if name is None or "a3" not in e.law.names or not e.identifiable or {"a3", name} & e.fixed:
        return
    i, j = e.law.index("a3"), e.law.index(name)
    if e.bootstrap is not None:
        correlation = _rank_correlation(e.replicates[:, i], e.replicates[:, j])
    else:
        correlation = float(e.identifiability.correlation[i, j])
    if not abs(correlation) > HIGH_CORRELATION:
        return
    yield Diagnostic(
        "a3_against_e",
        f"a3 and {name} trade off (correlation {correlation:.3f}): a3 = {e.value('a3'):.3g} holds "
        f"for {name} = {e.value(name):.4g} and differs for another; add runs with more tokens in "
        "both stages",
        "warning",
        correlation,
    )


def _rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation: replicates have long tails that would hide it."""
    if not (one.std() and other.std()):
        return 0.0
    ranks = [np.argsort(np.argsort(values, kind="stable")) for values in (one, other)]
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def _sloppy_forecast(e: Evidence) -> Iterator[Diagnostic]:
    """Try a forecast beyond the data; where it is open, name the pair that leaves it open."""
    if not e.determined or next(_a3_against_e(e), None) is not None:
        return
    error = _forecast_error(e)
    if not error >= SLOPPY:
        return
    one, other, correlation = _tightest_pair(e)
    if not abs(correlation) > HIGH_CORRELATION:
        return
    yield Diagnostic(
        "sloppy_forecast",
        f"{BEYOND:.0f} times beyond the data the forecast is uncertain by {error:.1%}: {one} and "
        f"{other} trade off (correlation {correlation:.3f}), so either holds for the other's "
        "value only; add runs with more tokens",
        "warning",
        error,
    )


def _forecast_error(e: Evidence) -> float:
    """Return the plug-in standard error of the log loss beyond the greatest variables."""
    far = {n: _beyond(n, float(e.rows.table.numbers(n).max())) for n in e.law.variables}
    if not all(value > 0 for value in far.values()):
        return 0.0
    loss, jacobian = Design(e.law, far).loss_and_jacobian(e.optimum.u)
    change = jacobian[0] / loss[0]
    return float(np.sqrt(max(change @ e.identifiability.covariance @ change, 0.0)))


def _beyond(name: str, greatest: float) -> float:
    """Return a value beyond the data; a share of text or a loss has no such place to go to."""
    column = column_named(name)
    return greatest if column is not None and not column.is_count else BEYOND * greatest


def _tightest_pair(e: Evidence) -> tuple[str, str, float]:
    """Return the two of the local exponents and E that are most correlated."""
    points = e.middles
    gradients = {
        f"the exponent of {answer.variable}": answer.exponent_gradient
        for answer in responses(e.law, e.optimum.u, points)
        if answer.point.get(D1, 1.0) > 0 and np.isfinite(answer.exponent)
    }
    if e.law.irreducible is not None:
        gradients[e.law.irreducible] = np.eye(e.values.size)[e.law.index(e.law.irreducible)]
    covariance = e.identifiability.covariance
    best = ("", "", 0.0)
    for (one, left), (other, right) in combinations(gradients.items(), 2):
        sizes = (left @ covariance @ left) * (right @ covariance @ right)
        correlation = float(left @ covariance @ right / np.sqrt(sizes)) if sizes > 0 else 0.0
        if abs(correlation) > abs(best[2]):
            best = (one, other, correlation)
    return best


CHECKS = (_a3_against_e, _sloppy_forecast)
