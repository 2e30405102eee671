"""How a law answers to each of its variables at a point: local exponents, by differences.

Only values and derivatives of the law are used, so that this holds for every form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws import Design, Law
from bootlaw.laws.names import METHOD_NUMBER

Floats = NDArray[np.float64]

STEP = 0.05
"""Step in the logarithm of a variable: wide enough that rounding does not show in second
differences of the loss, and exact for a power law at any width."""

FLAT = 1e-9
"""Change of the loss over a step, relative to the loss, below which it is rounding."""


ABOVE = -1.0
"""Kind of a value above 0; no number of a method."""


@dataclass(frozen=True)
class Response:
    """How the loss answers to one variable v at one point.

    Attributes
    ----------
    point : the values of all variables.
    slope : d loss / d ln v, nats.
    exponent, exponent_gradient : -d ln(loss - E) / d ln v and its derivatives (p,) with respect
        to the internal coordinates; NaN where the loss does not lie above E.
    decay, decay_gradient : the exponent with which the *effect* of v falls,
        -d ln|d loss / d ln v| / d ln v, and its derivatives. In a sum of power laws it is the
        exponent of the term that has v, whatever the other terms and E are; NaN where v has no
        effect.
    """

    variable: str
    point: Mapping[str, float]
    slope: float
    exponent: float
    exponent_gradient: Floats
    decay: float
    decay_gradient: Floats


def middles(columns: Mapping[str, Floats]) -> list[dict[str, float]]:
    """Return the middle (geometric mean) of the rows, one for each pattern of zeros and method.

    Runs from scratch have tokens_stage1 = 0 and are a group of their own. A variable that is
    not above 0 keeps its mean.
    """
    kinds = np.stack([_kind(name, values) for name, values in columns.items()], axis=1)
    points = []
    for pattern in np.unique(kinds, axis=0):
        rows = (kinds == pattern).all(axis=1)
        points.append(
            {
                name: float(np.exp(np.log(values[rows]).mean()))
                if kind == ABOVE
                else float(values[rows].mean())
                for (name, values), kind in zip(columns.items(), pattern, strict=True)
            }
        )
    return points


def _kind(name: str, values: Floats) -> Floats:
    """Return (n,) which group each row is in, as one column has it."""
    if name == METHOD_NUMBER:
        return values
    return np.where(values > 0, ABOVE, 0.0)


def responses(law: Law, u: Floats, points: Sequence[Mapping[str, float]]) -> list[Response]:
    """Return how the loss answers to every variable above 0 at every point.

    Parameters
    ----------
    u : (p,) internal coordinates: parameters with coefficients replaced by their logarithms.
    """
    varied = [name for name in law.variables if name != METHOD_NUMBER]
    asked = [(name, point) for point in points for name in varied if point[name] > 0]
    if not asked:
        return []
    factors = np.exp(STEP * np.array([-1.0, 0.0, 1.0]))
    columns = {
        name: np.concatenate(
            [point[name] * (factors if name == v else np.ones(3)) for v, point in asked]
        )
        for name in law.variables
    }
    loss, jacobian = Design(law, columns).loss_and_jacobian(u)
    losses, slopes = loss.reshape(-1, 3), jacobian.reshape(len(asked), 3, -1)
    return [
        _response(law, u, name, point, losses[i], slopes[i])
        for i, (name, point) in enumerate(asked)
    ]


def _response(
    law: Law, u: Floats, name: str, point: Mapping[str, float], loss: Floats, jacobian: Floats
) -> Response:
    exponent = _exponent(law, u, loss, jacobian)
    decay = _decay(loss, jacobian)
    slope = float(loss[2] - loss[0]) / (2 * STEP)
    return Response(name, point, slope, *exponent, *decay)


def _exponent(law: Law, u: Floats, loss: Floats, jacobian: Floats) -> tuple[float, Floats]:
    above, slopes = loss.copy(), jacobian.copy()
    if law.irreducible is not None:
        at = law.index(law.irreducible)
        above -= u[at]
        slopes[:, at] -= 1.0
    if not (above > FLAT * np.abs(loss)).all():
        return np.nan, np.full(u.size, np.nan)
    change = slopes / above[:, None]
    value = -float(np.log(above[2] / above[0])) / (2 * STEP)
    return value, (change[0] - change[2]) / (2 * STEP)


def _decay(loss: Floats, jacobian: Floats) -> tuple[float, Floats]:
    first, second = np.diff(loss)
    small = FLAT * float(np.abs(loss).max())
    if not (first * second > 0 and min(abs(first), abs(second)) > small):
        return np.nan, np.full(jacobian.shape[1], np.nan)
    changes = np.diff(jacobian, axis=0)
    return -float(np.log(second / first)) / STEP, (changes[0] / first - changes[1] / second) / STEP
