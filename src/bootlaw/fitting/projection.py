"""The best amounts for given exponents: what enters a law linearly needs no search.

With the exponents and the parameters inside sums held, the loss is a sum of shapes times amounts
plus E, and the best amounts of at least 0 follow by least squares (variable projection: Golub &
Pereyra, SIAM J. Numer. Anal. 10 (1973) 413). Random exponents with projected amounts are starts
in places that no grid has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws import Design
from bootlaw.laws.expression import Expression, Product, Sum, Symbol, factors_of, symbols

Floats = NDArray[np.float64]

_NOTHING = -300.0
"""The logarithm of an amount that counts as 0."""

_HUGE = 1e100

_LEAST_SHARE = 1e-3
"""Share of the lowest loss that an amount of 0 is given, so that a solver can make it grow."""


def linear_parameters(design: Design) -> list[int]:
    """Return the numbers of coefficients, and E last, in which jointly the loss is affine."""
    law = design.law
    chosen: list[int] = []
    constant = [] if design.irreducible is None else [design.irreducible]
    expressions = [group.expression for group in design.groups]
    for number in np.flatnonzero(law.logged):
        names = {law.names[i] for i in [*chosen, int(number), *constant]}
        if all(_degree(expression, names) <= 1 for expression in expressions):
            chosen.append(int(number))
    return chosen + constant


def _degree(expression: Expression, names: set[str]) -> float:
    """Return the degree of a polynomial in `names`, infinite where it is none."""
    if isinstance(expression, Symbol):
        return float(expression.name in names)
    if isinstance(expression, Sum):
        return max(_degree(term, names) for term in expression.terms)
    if isinstance(expression, Product):
        return sum(_degree(factor, names) for factor in factors_of(expression))
    return np.inf if names & set(symbols(expression)) else 0.0


def project(design: Design, losses: Floats, weights: Floats, points: Floats) -> Floats:
    """Return `points` (s, p) with the best amounts and E for losses (n,), weighted rows (n,)."""
    linear = linear_parameters(design)
    if not linear or not len(points):
        return points
    bare = points.copy()
    bare[:, linear] = np.where(design.law.logged[linear], _NOTHING, 0.0)
    with np.errstate(all="ignore"):
        rest = design.loss(bare)
        shapes = np.stack([_shape(design, bare, j) - rest for j in linear], axis=2)
    usable = (np.abs(shapes) < _HUGE).all(axis=(1, 2)) & (np.abs(rest) < _HUGE).all(axis=1)
    shapes, rest, out = shapes[usable], rest[usable], bare[usable]
    amounts = _non_negative(shapes * weights[:, None], (losses - rest) * weights)
    typical = np.maximum(np.abs(shapes).mean(axis=1), 1 / _HUGE)
    least = _LEAST_SHARE * max(float(np.abs(losses).min()), 1 / _HUGE) / typical
    logged = design.law.logged[linear]
    out[:, linear] = np.where(logged, np.log(np.maximum(amounts, least)), amounts)
    return out


def _shape(design: Design, bare: Floats, parameter: int) -> Floats:
    """Return the loss (s, n) with an amount of 1 for one parameter and 0 for the other ones."""
    moved = bare.copy()
    moved[:, parameter] = 0.0 if design.law.logged[parameter] else 1.0
    return design.loss(moved)


def _non_negative(shapes: Floats, targets: Floats) -> Floats:
    """Return amounts (s, k) of at least 0 for shapes (s, n, k) and targets (s, n).

    Least squares, leaving out the most negative amount until none is negative.
    """
    size = np.maximum(np.sqrt((shapes**2).sum(axis=1)), 1e-300)
    scaled = shapes / size[:, None, :]
    normal = np.swapaxes(scaled, 1, 2) @ scaled
    right = (np.swapaxes(scaled, 1, 2) @ targets[:, :, None])[:, :, 0]
    n_amounts = size.shape[1]
    kept = np.ones(size.shape, dtype=bool)
    for _ in range(n_amounts + 1):
        both = kept[:, :, None] & kept[:, None, :]
        ridge = np.eye(n_amounts) * np.where(kept, 1e-12, 1.0)[:, None, :]
        matrix = np.where(both, normal, 0.0) + ridge
        solution = np.linalg.solve(matrix, np.where(kept, right, 0.0)[:, :, None])[:, :, 0]
        lowest = solution.argmin(axis=1)
        below = solution.min(axis=1) < 0
        if not below.any():
            break
        kept[np.flatnonzero(below), lowest[below]] = False
    return np.asarray(np.maximum(solution, 0.0) / size)


def scattered(design: Design, points: Floats, n: int, seed: int = 0) -> Floats:
    """Return `n` of the points, moved at random: exponents to other sizes and signs."""
    rng = np.random.default_rng(seed)
    chosen = points[rng.integers(len(points), size=n)]
    sign = rng.choice([1.0, 1.0, 1.0, -1.0], chosen.shape)
    other = chosen * sign * np.exp(rng.normal(0.0, 1.0, chosen.shape))
    return np.where(design.law.logged, chosen + rng.normal(0.0, 2.0, chosen.shape), other)


FACTORS = (-1.5, -0.5, 0.4, 0.7, 0.85, 1.2, 1.5, 2.5, 6.0)
"""What neighbours multiply an exponent by."""

STEPS = (0.5, 4.0)
"""Exponents that neighbours have whatever that of the best point is: no multiple of one near 0
reaches the law that is a step between the smallest values and the others."""

DEAD = 1e-9
"""Derivative of the log loss by an exponent below which its term has vanished from all rows."""

REVIVED = (-1.0, -0.3, -0.1, 0.1, 0.3, 1.0)
"""Values that neighbours give to an exponent whose term has vanished from all rows."""

SHIFTS = (-4.0, -1.5, -0.5, 0.5, 1.5, 4.0)
"""What neighbours add to the logarithm of a coefficient inside a sum."""


FAINT = 1e-3
"""Derivative of the log loss by a log coefficient inside a sum below which its term is as good as
gone, or has swallowed the others."""

WAKING = np.arange(-60.0, 61.0, 1.5)
"""Logarithms that such a coefficient is tried at."""


def neighbours(design: Design, u: Floats, size: Floats) -> Floats:
    """Return points (s, p) that differ from u (p,) in one parameter each, to be projected.

    Parameters
    ----------
    size : (p,) how much the log loss moves with each parameter at u, in the row that moves most.
    """
    points = []
    for j in set(range(u.size)) - set(linear_parameters(design)):
        if design.law.logged[j]:
            values = _waking(design, u, j) if size[j] < FAINT else u[j] + np.array(SHIFTS)
        else:
            near = np.array([*(u[j] * np.array(FACTORS)), *STEPS])
            values = np.array(REVIVED) if size[j] < DEAD else near
        moved = np.tile(u, (values.size, 1))
        moved[:, j] = values
        points.append(moved)
    return np.concatenate(points) if points else np.zeros((0, u.size))


def _waking(design: Design, u: Floats, j: int) -> Floats:
    """Return logarithms of a coefficient at which the rows see it, spread over all that do."""
    tried = np.tile(u, (WAKING.size, 1))
    tried[:, j] = WAKING
    with np.errstate(all="ignore"):
        losses, slopes = design.loss_and_jacobian(tried)
        seen = np.abs(slopes[:, :, j] / losses).max(axis=1)
    values = WAKING[(seen > FAINT) & np.isfinite(seen)]
    return np.asarray(values[:: max(values.size // len(SHIFTS), 1)])
