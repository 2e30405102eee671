"""AICc: how much a law's fit is worth after paying for its parameters.

The likelihood is the one that the fits maximise: log residuals are independent with density
exp(-H(r) / s) / Z(s), H the Huber loss with the fit's delta (Huber, Ann. Math. Stat. 35 (1964)
73). Whatever the scale s, the parameters of greatest likelihood are those of the least sum of
Huber losses. A delta far below the residuals makes it a Laplace distribution, a delta far above
them a normal one.
"""

from __future__ import annotations

import math
from collections.abc import Callable


def huber_log_likelihood(objective: float, n_rows: int, delta: float) -> float:
    """Return the greatest log likelihood over s of `n_rows` log residuals, in nats.

    Parameters
    ----------
    objective : the sum of their Huber losses.
    delta : where the Huber loss turns from quadratic to linear.

    Notes
    -----
    With x = delta / sqrt(s) the constant is Z = delta z(x),
    z(x) = sqrt(2 pi) / x erf(x / sqrt 2) + 2 / x^2 exp(-x^2 / 2). H lies between degree 1 and 2 in
    r, so that the mean of H / s lies between 1/2 and 1, which brackets x^2; the function is convex
    in x^2, being a log partition function plus a line.
    """
    if objective <= 0.0:
        return math.inf
    share = objective / (n_rows * delta**2)

    def cost(square: float) -> float:
        return _ln_z(math.sqrt(square)) + share * square

    low, high = 0.5 / share, 1.0 / share
    return -n_rows * (math.log(delta) + cost(_least(cost, low, high)))


def aicc(log_likelihood: float, n_params: int, n_rows: int) -> float | None:
    """Return AICc = 2 k - 2 ln likelihood + 2 k (k + 1) / (n - k - 1), smaller is better.

    k counts the law's parameters and the scale of the noise. None where n <= k + 1, where the
    correction has no value, and for a perfect fit, whose likelihood has no bound. Hurvich & Tsai,
    Biometrika 76 (1989) 297; Burnham & Anderson, Model Selection (2002), 2.4.
    """
    k = n_params + 1
    if n_rows <= k + 1 or not math.isfinite(log_likelihood):
        return None
    return 2 * k - 2 * log_likelihood + 2 * k * (k + 1) / (n_rows - k - 1)


def _ln_z(x: float) -> float:
    inside = math.sqrt(2 * math.pi) / x * math.erf(x / math.sqrt(2))
    return math.log(inside + 2 / x**2 * math.exp(-0.5 * x * x))


def _least(cost: Callable[[float], float], low: float, high: float) -> float:
    """Return where a convex function is least between `low` and `high` (golden section)."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        width = ratio * (high - low)
        left, right = high - width, low + width
        if cost(left) <= cost(right):
            high = right
        else:
            low = left
    return (low + high) / 2
