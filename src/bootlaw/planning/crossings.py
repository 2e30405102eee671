"""Every zero of a family of smooth curves on an interval, all curves at once.

The curves of a break-even are differences of two laws along ln D2, one curve per bootstrap
replicate. A grid brackets the sign changes, near touches between grid points are looked into,
and bisection refines all brackets of all curves together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

Curves = Callable[[Indices, Floats], Floats]
"""``curves(which, x)``: values of the curves `which` (k,) at `x` (k, n) or (1, n), as (k, n)."""

GRID_STEP = 0.1
"""Spacing of the grid in x. Laws of tokens bend over whole units of ln D, so a pair of zeros
closer than this leaves a visible near touch, which is searched as well."""

PRECISION = 1e-12
"""Width in x at which a bracket is narrow enough."""

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class Zeros:
    """The zeros of a family of curves, sorted by curve and then by position.

    Attributes
    ----------
    curve : (m,) index of the curve each zero belongs to.
    position : (m,) where it is.
    rising : (m,) True where the curve goes from negative to non-negative.
    starts_above : (k,) True for curves that are non-negative at the lower end.
    """

    curve: Indices
    position: Floats
    rising: NDArray[np.bool_]
    starts_above: NDArray[np.bool_]

    def only(self, curve: int) -> Zeros:
        """Return those of one curve."""
        own = self.curve == curve
        return Zeros(
            np.zeros(int(own.sum()), dtype=np.intp),
            self.position[own],
            self.rising[own],
            self.starts_above[curve : curve + 1],
        )

    def first_rising(self) -> Floats:
        """Return (k,) the first position at which each curve turns non-negative, inf if none."""
        first = np.full(self.starts_above.size, np.inf)
        np.minimum.at(first, self.curve[self.rising], self.position[self.rising])
        return first

    def count(self) -> Indices:
        """Return (k,) the number of zeros of each curve."""
        return np.bincount(self.curve, minlength=self.starts_above.size)


def find_zeros(curves: Curves, n_curves: int, low: float, high: float) -> Zeros:
    """Return every zero of `n_curves` curves on [`low`, `high`], each exact to 1e-12.

    A zero is a change between negative and non-negative. Values that are not finite are
    taken as they compare: +inf is above zero, NaN is not.

    Raises
    ------
    ValueError
        When `low` is not below `high`.
    """
    if not low < high:
        raise ValueError(f"the interval [{low}, {high}] is empty")
    grid = np.linspace(low, high, max(33, int(np.ceil((high - low) / GRID_STEP)) + 1))
    values = curves(np.arange(n_curves), grid[np.newaxis, :])
    above = values >= 0
    brackets = [_sign_changes(above, grid), *_near_touches(curves, values, grid)]
    curve, left, right, rising = (np.concatenate(parts) for parts in zip(*brackets, strict=True))
    position = _bisect(curves, curve, left, right, rising)
    order = np.lexsort((position, curve))
    return Zeros(curve[order], position[order], rising[order], above[:, 0])


Brackets = tuple[Indices, Floats, Floats, NDArray[np.bool_]]


def _sign_changes(above: NDArray[np.bool_], grid: Floats) -> Brackets:
    curve, cell = np.nonzero(above[:, 1:] != above[:, :-1])
    return curve, grid[cell], grid[cell + 1], above[curve, cell + 1]


def _near_touches(curves: Curves, values: Floats, grid: Floats) -> list[Brackets]:
    """Return the brackets of pairs of zeros that hide between neighbouring grid points."""
    before, here, after = values[:, :-2], values[:, 1:-1], values[:, 2:]
    with np.errstate(invalid="ignore", over="ignore"):
        closest = (np.abs(here) <= np.abs(before)) & (np.abs(here) <= np.abs(after))
        # The vertex of a parabola through the three points is within an eighth of their second
        # difference of the middle one; the factor of eight in hand allows for other shapes.
        reach = np.abs(here) <= np.abs(before - 2 * here + after)
    sign = np.where(here >= 0, 1.0, -1.0)
    one_side = ((before >= 0) == (here >= 0)) & ((after >= 0) == (here >= 0))
    curve, cell = np.nonzero(closest & reach & one_side)
    if curve.size == 0:
        return []
    side = sign[curve, cell]
    left, right = grid[cell], grid[cell + 2]
    vertex = _golden_section(curves, curve, left, right, side)
    crossed = (_at(curves, curve, vertex) >= 0) != (side > 0)
    curve, left, right, vertex = curve[crossed], left[crossed], right[crossed], vertex[crossed]
    up = side[crossed] < 0
    return [(curve, left, vertex, up), (curve, vertex, right, ~up)]


def _golden_section(
    curves: Curves, curve: Indices, left: Floats, right: Floats, side: Floats
) -> Floats:
    """Return where ``side * curve`` is smallest on each [left, right]."""
    left, right = left.copy(), right.copy()
    for _ in range(48):
        width = _GOLDEN * (right - left)
        inner_left, inner_right = right - width, left + width
        smaller_left = side * _at(curves, curve, inner_left) < side * _at(
            curves, curve, inner_right
        )
        right = np.where(smaller_left, inner_right, right)
        left = np.where(smaller_left, left, inner_left)
    return (left + right) / 2


def _bisect(
    curves: Curves, curve: Indices, left: Floats, right: Floats, rising: NDArray[np.bool_]
) -> Floats:
    left, right = left.copy(), right.copy()
    widest = float(np.max(right - left, initial=PRECISION))
    for _ in range(int(np.ceil(np.log2(widest / PRECISION)))):
        middle = (left + right) / 2
        past = (_at(curves, curve, middle) >= 0) == rising
        right = np.where(past, middle, right)
        left = np.where(past, left, middle)
    return (left + right) / 2


def _at(curves: Curves, curve: Indices, position: Floats) -> Floats:
    return curves(curve, position[:, np.newaxis])[:, 0]
