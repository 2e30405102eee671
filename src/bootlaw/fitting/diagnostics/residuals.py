"""Single rows that do not belong, or on which much rests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.tails import t_limit

Floats = NDArray[np.float64]

SCREEN = 3.5
"""Standardised residual below which no row of any table is an outlier."""

FALSE_ALARM = 0.001
"""Probability that a table of normal residuals has a row that is called an outlier."""

MEDIAN_EFFICIENCY = 0.37
"""Efficiency of the median absolute deviation for normal residuals (Hampel et al., Robust
Statistics, 1986): the scale is as uncertain as one from this share of the rows."""

HIGH_LEVERAGE = 0.5
"""Diagonal of the hat matrix from which a row determines its own prediction more than all other
rows together (Huber, Robust Statistics, 1981, section 7.2)."""

UNUSUAL = 3.0
"""How many times the average leverage, p / n, a row must have besides."""

COSTLY = 1.5
"""How many times as large an error must become without the row."""

_SHOWN = 3


@dataclass(frozen=True)
class _Linear:
    """The fit as a linear regression on the Jacobian at the optimum.

    Attributes
    ----------
    free : (p,) which parameters move.
    unscaled : (f, f) the inverse of J'J over them.
    jacobian : (n, f).
    leverage : (n,) diagonal of J (J'J)^-1 J'.
    """

    free: NDArray[np.bool_]
    unscaled: Floats
    jacobian: Floats
    leverage: Floats


def _linear(e: Evidence) -> _Linear:
    free = e.identifiability.standard_errors > 0
    jacobian = e.jacobian[:, free]
    basis, upper = np.linalg.qr(jacobian)
    inverse = np.linalg.pinv(upper)
    return _Linear(free, inverse @ inverse.T, jacobian, np.asarray((basis**2).sum(axis=1)))


def _outliers(e: Evidence) -> Iterator[Diagnostic]:
    if not e.determined or e.scale <= 0 or len(e.rows.table) <= e.values.size + 1:
        return
    standardised = np.abs(e.residuals) * np.sqrt(e.objective.weights) / e.scale
    if standardised.max() <= SCREEN:
        return
    found = np.flatnonzero(standardised > _limit(standardised.size, e.values.size))
    if not found.size:
        return
    worst = found[np.argsort(-standardised[found])]
    named = ", ".join(
        f"{e.rows.table.place(i)} ({np.expm1(-e.residuals[i]):+.2%})" for i in worst[:_SHOWN]
    )
    more = f" and {worst.size - _SHOWN} more" if worst.size > _SHOWN else ""
    yield Diagnostic(
        "outliers",
        f"{worst.size} rows lie further from the curve than noise of {e.scale:.2g} explains: "
        f"{named}{more}, the first {standardised[worst[0]]:.0f} times as far; without it "
        f"{_shift(e, int(worst[0]))}: look at those runs",
        "warning",
        float(standardised[worst[0]]),
    )


def _limit(n_rows: int, n_params: int) -> float:
    """Return the standardised residual that no row of a clean table reaches, all but rarely."""
    freedom = max(MEDIAN_EFFICIENCY * (n_rows - n_params), 1.0)
    return max(SCREEN, t_limit(FALSE_ALARM / n_rows, freedom))


def _shift(e: Evidence, row: int) -> str:
    """Return which parameter moves most in units of its error without a row, in words.

    One step from the optimum: (J'J)^-1 J_i psi_i / ((1 - h_i) s), with psi the clipped residual
    and s the share of the rows inside delta, the mean slope of psi (Huber 1981, section 7.6).
    """
    linear = _linear(e)
    pull = float(np.clip(e.residuals[row], -e.delta, e.delta)) * np.sqrt(e.objective.weights[row])
    inside = float((np.abs(e.residuals) < e.delta).mean())
    left = max(1.0 - linear.leverage[row], 1e-6) * max(inside, 1.0 / e.residuals.size)
    step = np.zeros(e.values.size)
    step[linear.free] = linear.unscaled @ linear.jacobian[row] * pull / left
    errors = e.identifiability.standard_errors
    most = int(np.argmax(np.where(errors > 0, np.abs(step) / np.maximum(errors, 1e-300), 0.0)))
    return f"{e.law.names[most]} = {e.values[most]:.4g} becomes about {_moved(e, most, step):.4g}"


def _moved(e: Evidence, at: int, step: Floats) -> float:
    """Return a parameter after a step (p,) in internal coordinates, natural units."""
    if e.law.parameters[at].kind == "coefficient":
        return float(e.values[at] * np.exp(np.clip(step[at], -50.0, 50.0)))
    return float(e.values[at] + step[at])


def _high_leverage(e: Evidence) -> Iterator[Diagnostic]:
    if not e.determined or e.scale <= 0:
        return
    linear = _linear(e)
    rows, params = linear.jacobian.shape
    limit = max(HIGH_LEVERAGE, UNUSUAL * params / rows)
    found = np.flatnonzero(linear.leverage > limit)
    if not found.size:
        return
    row = int(found[np.argmax(linear.leverage[found])])
    name, growth = _error_growth(e, linear, row)
    if growth < COSTLY:
        return
    others = f", and {found.size - 1} more like it" if found.size > 1 else ""
    yield Diagnostic(
        "high_leverage",
        f"{e.rows.table.place(row)} has leverage {linear.leverage[row]:.2f} (1: the curve must go "
        f"through it, average {params / rows:.2f}){others}: without it the error of {name} is "
        f"{growth:.3g} times as large; repeat that run, or add runs near it",
        "warning",
        float(linear.leverage[row]),
    )


def _error_growth(e: Evidence, linear: _Linear, row: int) -> tuple[str, float]:
    """Return the parameter whose standard error grows most without a row, and how many times.

    By the rank-one update of (J'J)^-1, exact for the linear problem.
    """
    moved = linear.unscaled @ linear.jacobian[row]
    left = max(1.0 - linear.leverage[row], 1e-6)
    growth = np.sqrt(1.0 + moved**2 / (left * np.diag(linear.unscaled)))
    names = [n for n, is_free in zip(e.law.names, linear.free, strict=True) if is_free]
    most = int(np.argmax(growth))
    return names[most], float(growth[most])


CHECKS = (_outliers, _high_leverage)
