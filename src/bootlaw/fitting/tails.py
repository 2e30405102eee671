"""Tail probabilities of Student's t and of F, from the incomplete beta function.

`scipy.special` has them too, but its import takes longer than a fit.
"""

from __future__ import annotations

import math

TINY = 1e-300
MAX_TERMS = 10_000


def beta_share(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0 <= x <= 1, a and b above 0.

    The continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, summed
    by Lentz's method; it converges fast below the mean, and I_x(a, b) = 1 - I_1-x(b, a) above.
    """
    if x <= 0.0 or x >= 1.0:
        return float(x > 0.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_share(1.0 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return math.exp(log_front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1 / (1 + d2 / (1 + ...)), the denominator of the continued fraction."""
    value, c, d = 1.0, 1.0, 0.0
    for n in range(1, MAX_TERMS):
        m = n // 2
        if n % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + term * d)
        c = _not_zero(1.0 + term / c)
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def f_tail(f: float, numerator: float, denominator: float) -> float:
    """Return the probability that an F variable with these degrees of freedom exceeds `f`."""
    weight = numerator * max(f, 0.0)
    if f < 1.0:  # the share is near 1 here, and its complement has all the digits
        return 1.0 - beta_share(weight / (denominator + weight), numerator / 2, denominator / 2)
    return beta_share(denominator / (denominator + weight), denominator / 2, numerator / 2)


def t_limit(probability: float, freedom: float) -> float:
    """Return what a t variable exceeds in absolute value with `probability`, by bisection."""
    low, high = 0.0, 1.0
    while f_tail(high**2, 1.0, freedom) > probability:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = (low + high) / 2
        if f_tail(middle**2, 1.0, freedom) > probability:
            low = middle
        else:
            high = middle
    return high
