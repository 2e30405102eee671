"""A law on given rows: values and derivatives for many parameter vectors at once.

Internal coordinates are the law's parameters with coefficients replaced by their logarithms.
There a term is exp(eta), and its derivatives are exp(eta) times those of eta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError
from bootlaw.laws.features import D1, CurvedFeature
from bootlaw.laws.law import Law, Term

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _CurvedFactor:
    """A factor whose feature has parameters: the columns of u that it reads."""

    feature: CurvedFeature
    sign: int
    exponent: int
    inner: tuple[int, ...]


class _TermDesign:
    """One term on all rows: eta = X u + sum of sign * exponent * curved feature.

    Rows without the term have X = 0 and a value of 0, so that terms add up without indexing.
    """

    def __init__(self, law: Law, term: Term, columns: Mapping[str, Floats]) -> None:
        has_term = _has_term(term, columns)
        self.amount = np.where(has_term, float(term.sign), 0.0)
        self.everywhere = bool(has_term.all()) and term.sign > 0
        # Rows without the term get a harmless value instead of ln 0.
        self.columns = {name: np.where(has_term, v, 1.0) for name, v in columns.items()}
        self.linear = np.zeros((has_term.size, len(law.parameters)))
        curved: list[_CurvedFactor] = []
        for factor in term.factors:
            _check_positive(law, factor.feature.positive, self.columns)
            at = law.index(factor.parameter)
            if isinstance(factor.feature, CurvedFeature):
                inner = tuple(law.index(name) for name in factor.feature.parameters)
                curved.append(_CurvedFactor(factor.feature, factor.sign, at, inner))
            else:
                self.linear[:, at] += factor.sign * factor.feature.value(self.columns)
        self.linear[~has_term] = 0.0
        self.curved = tuple(curved)

    def value(self, u: Floats) -> Floats:
        """Return the term (..., n), with its sign."""
        eta = u @ self.linear.T
        for factor in self.curved:
            inner = factor.feature.value(self.columns, u[..., factor.inner])
            eta += factor.sign * u[..., factor.exponent, None] * inner
        np.exp(eta, out=eta)
        return eta if self.everywhere else np.asarray(eta * self.amount)

    def slopes(self, u: Floats) -> Floats:
        """Return d eta / d u: (n, p) where it does not depend on u, else (..., n, p)."""
        if not self.curved:
            return self.linear
        total = np.broadcast_to(self.linear, (*u.shape[:-1], *self.linear.shape)).copy()
        for factor in self.curved:
            inside = u[..., factor.inner]
            exponent = u[..., factor.exponent, None, None]
            total[..., factor.exponent] += factor.sign * factor.feature.value(self.columns, inside)
            total[..., factor.inner] += (
                factor.sign * exponent * factor.feature.gradient(self.columns, inside)
            )
        return total

    def add_curvature(self, total: Floats, u: Floats, weights: Floats) -> None:
        """Add the sum over rows of weights (..., n) times d2 eta / d u2 to total (..., p, p)."""
        for factor in self.curved:
            inside, inner = u[..., factor.inner], np.array(factor.inner)
            gradient = factor.feature.gradient(self.columns, inside)
            cross = factor.sign * np.einsum("...n,...nq->...q", weights, gradient)
            total[..., factor.exponent, inner] += cross
            total[..., inner, factor.exponent] += cross
            second = factor.feature.curvature(self.columns, inside)
            block = np.einsum("...n,...nqr->...qr", weights, second)
            exponent = u[..., factor.exponent, None, None]
            total[..., inner[:, None], inner] += factor.sign * exponent * block


class Design:
    """A law on given rows, ready to be evaluated at many parameter vectors.

    Parameters
    ----------
    law : the law.
    columns : arrays (n,) or scalars for each of the law's variables.

    Raises
    ------
    InputError
        When a column is missing, or a row lies where the law has no value.
    """

    def __init__(self, law: Law, columns: Mapping[str, ArrayLike]) -> None:
        self.law = law
        self.columns = _as_columns(law, columns)
        self.n_rows = next(iter(self.columns.values())).shape[0]
        self.terms = tuple(_TermDesign(law, term, self.columns) for term in law.terms)
        self.irreducible = law.index(law.irreducible)
        self.products = self._products_of_linear_terms()

    def loss(self, u: Floats) -> Floats:
        """Return the loss (..., n) at internal coordinates u (..., p)."""
        return self.at(u).loss

    def loss_and_jacobian(self, u: Floats) -> tuple[Floats, Floats]:
        """Return the loss (..., n) and its derivatives (..., n, p) in internal coordinates."""
        there = self.at(u)
        return there.loss, there.jacobian()

    def at(self, u: Floats) -> Expansion:
        """Return the law's expansion at internal coordinates u (..., p)."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = tuple(term.value(u) for term in self.terms)
        return Expansion(self, u, values, sum(values, start=u[..., self.irreducible, None]))

    def _products_of_linear_terms(self) -> dict[tuple[int, int], Floats]:
        """Return (n, p * p) products of the slopes of terms i <= j that share rows.

        Index -1 stands for the irreducible loss, whose slope is constant.
        """
        if any(term.curved for term in self.terms):
            return {}
        constant = np.zeros((self.n_rows, len(self.law.parameters)))
        constant[:, self.irreducible] = 1.0
        slopes = {-1: constant} | {i: term.linear for i, term in enumerate(self.terms)}
        products = {}
        for i, left in slopes.items():
            for j, right in slopes.items():
                product = left[:, :, None] * right[:, None, :]
                if i <= j and product.any():
                    both = product if i == j else product + np.swapaxes(product, 1, 2)
                    products[i, j] = both.reshape(self.n_rows, -1)
        return products


@dataclass(frozen=True)
class Expansion:
    """The loss of every row near given parameters, to second order.

    Attributes
    ----------
    u : (..., p) internal coordinates.
    values : per term (..., n), with its sign.
    loss : (..., n).
    """

    design: Design
    u: Floats
    values: tuple[Floats, ...]
    loss: Floats

    def jacobian(self) -> Floats:
        """Return d loss / d u, (..., n, p)."""
        total = np.zeros((*self.loss.shape, self.u.shape[-1]))
        total[..., self.design.irreducible] = 1.0
        for term, value in zip(self.design.terms, self.values, strict=True):
            total += value[..., None] * term.slopes(self.u)
        return total

    def gradient(self, weights: Floats) -> Floats:
        """Return the sum over rows of weights (..., n) times d loss / d u, (..., p)."""
        total = np.zeros(self.u.shape)
        total[..., self.design.irreducible] = weights.sum(axis=-1)
        for term, value in zip(self.design.terms, self.values, strict=True):
            amount, slopes = weights * value, term.slopes(self.u)
            if slopes.ndim == 2:
                total += amount @ slopes
            else:
                total += np.einsum("...n,...np->...p", amount, slopes)
        return total

    def hessian(self, first: Floats, second: Floats) -> Floats:
        """Return the sum over rows of ``first * loss'' + second * loss' loss'^T``, (..., p, p).

        `first` and `second` are (..., n); primes are derivatives with respect to u.
        """
        size = self.u.shape[-1]
        if self.design.products:
            return self._linear_hessian(first, second).reshape(*self.u.shape[:-1], size, size)
        jacobian = self.jacobian()
        total = np.swapaxes(jacobian * second[..., None], -1, -2) @ jacobian
        for term, value in zip(self.design.terms, self.values, strict=True):
            amount, slopes = first * value, term.slopes(self.u)
            total += np.swapaxes(slopes * amount[..., None], -1, -2) @ slopes
            term.add_curvature(total, self.u, amount)
        return total

    def _linear_hessian(self, first: Floats, second: Floats) -> Floats:
        """Return (..., p * p); where all slopes are constant every sum is one matrix product."""
        total: Floats | float = 0.0
        for (i, j), product in self.design.products.items():
            weights = second if i < 0 else second * self.values[i]
            if j >= 0:
                weights = weights * self.values[j]
            if i == j and i >= 0:
                weights += first * self.values[i]
            total = total + weights @ product
        return np.asarray(total)


def _has_term(term: Term, columns: Mapping[str, Floats]) -> NDArray[np.bool_]:
    if term.rows == "all":
        return np.ones(next(iter(columns.values())).shape, dtype=bool)
    from_scratch = np.asarray(columns[D1] == 0)
    return from_scratch if term.rows == "scratch" else ~from_scratch


def _as_columns(law: Law, columns: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    missing = [name for name in law.variables if name not in columns]
    if missing:
        raise InputError(f"law {law.key} needs the column {missing[0]!r}")
    arrays = [np.atleast_1d(np.asarray(columns[name], dtype=np.float64)) for name in law.variables]
    return dict(zip(law.variables, np.broadcast_arrays(*arrays), strict=True))


def _check_positive(law: Law, names: tuple[str, ...], columns: Mapping[str, Floats]) -> None:
    for name in names:
        bad = np.flatnonzero(~(columns[name] > 0))
        if bad.size:
            hint = ""
            if name == D1 and not law.has_scratch_part:
                hint = f"; use {law.key}+scratch for such rows"
            raise InputError(
                f"law {law.key} has no value at {name} = {columns[name][bad[0]]:g}{hint}"
            )
