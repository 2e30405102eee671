"""How much of the residuals is noise of whole trunks and how much of single rows.

The residuals of a fit are r = T + e: T is shared by the rows of a trunk, normal with standard
deviation sigma_trunk, and e belongs to a row, normal with sigma_row. What p fitted parameters
leave of them is P r, P the projection off the residuals' Jacobian, whose law depends on the two
sigmas only: that is restricted maximum likelihood (Patterson & Thompson, Biometrika 58 (1971)
545). With U an orthonormal basis of the Jacobian's columns and Z the trunks' indicators, the
eigenvectors of Z' (1 - U U') Z turn P r into independent contrasts w_k of variance
sigma_row^2 (1 + rho lambda_k), rho = (sigma_trunk / sigma_row)^2, and a rest of variance
sigma_row^2, which is closed form in sigma_row and leaves one dimension, rho, for a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

RATIOS = np.concatenate([[0.0], np.geomspace(1e-4, 1e8, 360)])
"""Grid of rho times the mean eigenvalue, the rows that share a trunk."""

NO_TRUNK_NOISE = 8.0
"""Prior weight of sigma_trunk = 0, in standard errors of the variance-stabilised rho. A prior
that excludes 0 makes intervals too wide where rows are independent (they cover 99 to 100 %), one
that favours 0 too narrow where the trunk noise is a little smaller than the row noise; chosen by
simulation so that both designs, and those in between, cover 92 to 98 % (`benchmarks/coverage.py`).
"""

_NEGLIGIBLE = 0.1
"""Eigenvalues below this share of the largest belong to contrasts that the parameters all but
absorb. What is left of them says little of trunk noise, and a law's misfit, magnified, was taken
for a trunk noise of tens of per cent; they count as noise of rows, whose variance they have."""

_MANY_TRUNKS = 1000
"""Beyond this many trunks the p parameters take a negligible share out of each."""


@dataclass(frozen=True)
class NoiseScales:
    """Standard deviations of the log residual: of whole trunks, and of rows within them."""

    trunk: float
    row: float


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """The residuals of a fit, reduced to what tells the two scales.

    Attributes
    ----------
    contrasts : (m,) w_k, one per direction between trunks that the parameters leave free.
    eigenvalues : (m,) lambda_k > 0, in rows.
    rest : sum of squares of the contrasts within trunks.
    df : rows less parameters, m of them between trunks.
    """

    contrasts: Floats
    eigenvalues: Floats
    rest: float
    df: int

    def sum_of_squares(self, ratios: Floats) -> Floats:
        """Return S(rho) (k,): S / sigma_row^2 has a chi-squared distribution with `df`."""
        scaled = 1.0 + ratios[:, None] * self.eigenvalues
        return np.asarray(self.rest + (self.contrasts**2 / scaled).sum(axis=1))

    def log_likelihood(self, ratios: Floats) -> Floats:
        """Return the restricted log likelihood (k,) of rho, maximal (or integrated) over sigma_row.

        The two differ by a constant for the scale-invariant prior d sigma_row / sigma_row.
        """
        between = np.log1p(ratios[:, None] * self.eigenvalues).sum(axis=1)
        return np.asarray(-0.5 * (between + self.df * np.log(self.sum_of_squares(ratios))))

    def information(self, ratios: Floats) -> Floats:
        """Return the Fisher information (k,) about rho with sigma_row unknown."""
        slopes = self.eigenvalues / (1.0 + ratios[:, None] * self.eigenvalues)
        total = (slopes**2).sum(axis=1) - slopes.sum(axis=1) ** 2 / self.df
        return np.asarray(0.5 * np.maximum(total, 0.0))

    @cached_property
    def tells_trunks(self) -> bool:
        """Whether trunk noise can be told from row noise: rows share trunks, and noise is there."""
        if self.contrasts.size == 0 or not self.rest > 0:
            return False
        return bool(self.information(np.zeros(1))[0] > _NEGLIGIBLE * self.eigenvalues.max() ** 2)

    def estimate(self) -> NoiseScales:
        """Return the restricted maximum likelihood estimate; NaN without a row to spare.

        Balanced designs have the estimate of the analysis of variance, trunk noise cut at 0.
        """
        ratio = np.array([self._best_ratio() if self.tells_trunks else 0.0])
        row = np.sqrt(self.sum_of_squares(ratio)[0] / self.df) if self.df > 0 else np.nan
        return NoiseScales(trunk=float(row * np.sqrt(ratio[0])), row=float(row))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        """Return `n` pairs of scales (n,), (n,) that the residuals leave possible.

        Drawn from the posterior under the reference prior, the square root of the Fisher
        information about rho times d sigma_row / sigma_row, with the weight `NO_TRUNK_NOISE` on
        rho = 0. Without trunks it is sigma^2 = S / chi^2_df, which makes intervals those of
        Student's t.

        Raises
        ------
        ValueError
            When no row is to spare (`df` is 0).
        """
        if self.df < 1:
            raise ValueError("no row is to spare, so the noise is unknown")
        ratios = self._draw_ratios(rng, n) if self.tells_trunks else np.zeros(n)
        row = np.sqrt(self.sum_of_squares(ratios) / rng.chisquare(self.df, n))
        return row * np.sqrt(ratios), row

    def _grid(self) -> Floats:
        return np.asarray(RATIOS / self.eigenvalues.mean())

    def _draw_ratios(self, rng: np.random.Generator, n: int) -> Floats:
        grid = self._grid()
        likelihood = np.exp(self.log_likelihood(grid) - self.log_likelihood(grid).max())
        density = likelihood * np.sqrt(self.information(grid))
        steps = 0.5 * (density[1:] + density[:-1]) * np.diff(grid)
        cumulative = np.concatenate([[0.0], np.cumsum(steps)])
        at_zero = NO_TRUNK_NOISE * likelihood[0]
        # One draw per n-th part of the distribution, in random order: less luck in its tails.
        levels = (rng.permutation(n) + rng.uniform(size=n)) / n * (at_zero + cumulative[-1])
        return np.asarray(np.interp(levels - at_zero, cumulative, grid), dtype=np.float64)

    def _best_ratio(self) -> float:
        grid = self._grid()
        best = int(np.argmax(self.log_likelihood(grid)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        if self._score(low) <= 0:
            return 0.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._score(middle) > 0 else (low, middle)
        return float(0.5 * (low + high))

    def _score(self, ratio: float) -> float:
        """Return the derivative of the log likelihood, up to the factor 1/2."""
        slopes = self.eigenvalues / (1.0 + ratio * self.eigenvalues)
        pull = (self.contrasts**2 * slopes**2 / self.eigenvalues).sum()
        total = self.sum_of_squares(np.array([ratio]))[0]
        return float(self.df * pull / total - slopes.sum())


def random_effects(
    residuals: Floats, jacobian: Floats, trunks: Labels | None, weights: Floats | None = None
) -> RandomEffects:
    """Return the reduced residuals of a fit.

    Parameters
    ----------
    residuals : (n,) log residuals, without wild ones (see `winsorised`).
    jacobian : (n, p) their derivatives by the parameters that were fitted.
    trunks : (n,) numbers of the rows' trunks from 0, or None where rows are independent.
    weights : (n,) the row noise of a row has variance sigma_row^2 / weight; rows of weight 0 say
        nothing. All 1 if None.
    """
    root = np.ones(residuals.size) if weights is None else np.sqrt(weights)
    basis = _orthonormal(jacobian * root[:, None])
    left = root * residuals
    left = left - basis @ (basis.T @ left)
    df = int((root > 0).sum()) - basis.shape[1]
    total = float(left @ left)
    if df < 1 or trunks is None or trunks.max() + 1 == trunks.size:
        return RandomEffects(np.zeros(0), np.zeros(0), total, max(df, 0))
    eigenvalues, contrasts = _between(root, basis, root * left, trunks)
    rest = max(total - float(contrasts @ contrasts), 0.0)
    return RandomEffects(contrasts, eigenvalues, rest if contrasts.size < df else 0.0, df)


def _orthonormal(jacobian: Floats) -> Floats:
    """Return an orthonormal basis (n, rank) of the columns, whatever their units."""
    sizes = np.sqrt((jacobian**2).sum(axis=0))
    columns = jacobian / np.where(sizes > 0, sizes, 1.0)
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, singular > 1e-12 * max(float(singular.max(initial=0.0)), 1e-300)])


def _between(root: Floats, basis: Floats, left: Floats, trunks: Labels) -> tuple[Floats, Floats]:
    """Return the eigenvalues (m,) > 0 of Z' (1 - U U') Z, and the contrasts (m,) of Z' `left`."""
    sums = np.bincount(trunks, left)
    sizes = np.bincount(trunks, root**2)
    if sizes.size > _MANY_TRUNKS:
        values, along = sizes, sums
    else:
        shared = np.zeros((sizes.size, basis.shape[1]))
        np.add.at(shared, trunks, root[:, None] * basis)
        values, vectors = np.linalg.eigh(np.diag(sizes) - shared @ shared.T)
        along = vectors.T @ sums
    kept = values > _NEGLIGIBLE * values.max()
    return np.asarray(values[kept]), np.asarray(along[kept] / np.sqrt(values[kept]))
