"""Where two laws that are a power of D2 and a constant cross, for any number of pairs at once.

With y = ln D2 the gap is P exp(-p y) - Q exp(-q y) + C: two exponentials and a constant. Bring
the smaller side's constant over and take logarithms,

    G(y) = ln(exp(u - s y) + c) + t y - v,   c = |C|,

and the gap has the sign of G (C >= 0: u = ln P, s = p, t = q, v = ln Q) or of -G (C < 0, the
laws change places). G is convex and lies above its two asymptotes u - v + (t - s) y and
ln c - v + t y, so it has at most two zeros, each asymptote's zero is a start on the far side of
the zero sought, and Newton's steps from there fall onto it without ever passing it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.planning.power_parts import PowerPart

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_STEPS = 60
PRECISION = 1e-9
"""Last step in ln D2; convergence is quadratic, so that the error is far smaller."""


@dataclass(frozen=True, eq=False)
class Crossings:
    """The at most two crossings of each pair of laws, all arrays of one shape.

    Attributes
    ----------
    rising, falling : ln D2 where reuse minus scratch turns non-negative, and negative; NaN
        where it never does.
    """

    rising: Floats
    falling: Floats


@dataclass(frozen=True, eq=False)
class _Convex:
    """G of the module's text, flat arrays (n,); `ln_c` is -inf where the constants are equal."""

    u: Floats
    s: Floats
    ln_c: Floats
    t: Floats
    v: Floats

    def value_and_slope(self, y: Floats) -> tuple[Floats, Floats]:
        """Return G and its derivative."""
        power = self.u - self.s * y
        top = np.maximum(power, self.ln_c)
        one, other = np.exp(power - top), np.exp(self.ln_c - top)
        total = one + other
        return top + np.log(total) + self.t * y - self.v, self.t - self.s * (one / total)

    def take(self, at: NDArray[np.intp]) -> _Convex:
        """Return some of the curves."""
        return _Convex(self.u[at], self.s[at], self.ln_c[at], self.t[at], self.v[at])


def crossings(reuse: PowerPart, scratch: PowerPart) -> Crossings:
    """Return every crossing of each pair, exact to rounding; no search range is needed."""
    shape = np.broadcast_shapes(
        *(a.shape for part in (reuse, scratch) for a in (part.ln_factor, part.exponent)),
        reuse.constant.shape,
        scratch.constant.shape,
    )
    u, s, v, t, c = (
        np.broadcast_to(a, shape).ravel()
        for a in (
            reuse.ln_factor,
            reuse.exponent,
            scratch.ln_factor,
            scratch.exponent,
            reuse.constant - scratch.constant,
        )
    )
    swapped = c < 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        convex = _Convex(
            np.where(swapped, v, u),
            np.where(swapped, t, s),
            np.log(np.abs(c)),
            np.where(swapped, s, t),
            np.where(swapped, u, v),
        )
        left, right = _zeros(convex)
    return Crossings(
        np.where(swapped, left, right).reshape(shape), np.where(swapped, right, left).reshape(shape)
    )


def _zeros(g: _Convex) -> tuple[Floats, Floats]:
    """Return (n,) the zeros of G where it falls and where it rises, NaN where there is none."""
    steep, flat = g.t - g.s, g.t
    zero_steep = (g.v - g.u) / steep
    zero_flat = np.where(np.isfinite(g.ln_c), (g.v - g.ln_c) / flat, np.nan)
    no_flat = ~np.isfinite(g.ln_c)
    first = np.where(no_flat, steep, np.minimum(steep, flat))
    last = np.where(no_flat, steep, np.maximum(steep, flat))
    below = _dips(g, first, last)
    right = np.fmin(np.where(steep > 0, zero_steep, np.nan), np.where(flat > 0, zero_flat, np.nan))
    left = np.fmax(np.where(steep < 0, zero_steep, np.nan), np.where(flat < 0, zero_flat, np.nan))
    left[~((first < 0) & below)] = np.nan
    right[~((last > 0) & below)] = np.nan
    return _newton(g, left), _newton(g, right)


def _dips(g: _Convex, first: Floats, last: Floats) -> Bools:
    """Return (n,) whether G is negative anywhere, from its slopes at either end."""
    bottom = (first < 0) & (last > 0)
    # G' = t - s w is 0 at the share w = t / s of the power in the sum.
    share = g.t / g.s
    at = (g.u - g.ln_c - np.log(share / (1.0 - share))) / g.s
    lowest = np.where(bottom, g.value_and_slope(np.where(bottom, at, 0.0))[0], np.nan)
    # Without a bottom it runs to minus infinity at one end, or along a level asymptote.
    level = np.where(first == 0, np.where(g.t == 0, g.ln_c - g.v, g.u - g.v), -np.inf)
    level = np.where(last == 0, np.where(g.t == 0, g.ln_c - g.v, g.u - g.v), level)
    return np.asarray(np.where(bottom, lowest < 0, level < 0))


def _newton(g: _Convex, start: Floats) -> Floats:
    """Return (n,) the zeros that Newton's steps reach from starts on their far side."""
    y = start.copy()
    todo = np.flatnonzero(np.isfinite(start))
    part = g.take(todo)
    for _ in range(MOST_STEPS):
        if todo.size == 0:
            break
        value, slope = part.value_and_slope(y[todo])
        step = value / slope
        y[todo] -= step
        going = np.abs(step) > PRECISION * np.maximum(1.0, np.abs(y[todo]))
        if not going.all():
            # Copying the rest pays once much of it has arrived.
            if going.mean() < 0.8:
                todo, part = todo[going], part.take(np.flatnonzero(going))
            if not going.any():
                break
    return y
