"""The features of a law's terms: what an exponent is multiplied with inside an exponential.

Most features are functions of the run table alone (``ln D1``). A feature with parameters of its
own (effective data) also declares its first and second derivatives with respect to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats]

D1 = "tokens_stage1"
D2 = "tokens_stage2"


@dataclass(frozen=True)
class Feature:
    """A function of table columns that an exponent multiplies.

    Attributes
    ----------
    base, base_latex : what is raised to the power in text, ``D2``; empty for the constant 1.
    multiplier, multiplier_latex : what the exponent is multiplied with in text, ``ln D1``.
    variables : the columns it reads; it has no value where one of `positive` is not above 0.
    positive : the columns whose logarithm it takes.
    value : columns -> (n,) values.
    """

    base: str
    base_latex: str
    variables: tuple[str, ...]
    value: Callable[[Columns], Floats]
    multiplier: str = ""
    multiplier_latex: str = ""
    positive: tuple[str, ...] = ()


@dataclass(frozen=True)
class CurvedFeature:
    """A feature with parameters of its own, in internal coordinates (logs of coefficients).

    Attributes
    ----------
    parameters : names of its parameters.
    value : (columns, u (..., q)) -> (..., n).
    gradient : the same arguments -> (..., n, q).
    curvature : the same arguments -> (..., n, q, q), second derivatives.
    grid : columns -> (g, q), values of its parameters to start a fit from.
    """

    base: str
    base_latex: str
    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    value: Callable[[Columns, Floats], Floats]
    gradient: Callable[[Columns, Floats], Floats]
    curvature: Callable[[Columns, Floats], Floats]
    grid: Callable[[Columns], Floats]
    multiplier: str = ""
    multiplier_latex: str = ""
    positive: tuple[str, ...] = ()


def _one(columns: Columns) -> Floats:
    return np.ones_like(columns[D2])


def _ln_d1(columns: Columns) -> Floats:
    return np.log(columns[D1])


def _ln_d2(columns: Columns) -> Floats:
    return np.log(columns[D2])


def _ln_d1_ln_d2(columns: Columns) -> Floats:
    return np.log(columns[D1]) * np.log(columns[D2])


def _ln_total(columns: Columns) -> Floats:
    return np.log(columns[D1] + columns[D2])


ONE = Feature("", "", (), _one)
LN_D1 = Feature("D1", "D_1", (D1,), _ln_d1, positive=(D1,))
LN_D2 = Feature("D2", "D_2", (D2,), _ln_d2, positive=(D2,))
LN_D1_LN_D2 = Feature("D2", "D_2", (D1, D2), _ln_d1_ln_d2, "ln D1", r"\ln D_1", positive=(D1, D2))
LN_TOTAL = Feature("(D1 + D2)", "(D_1 + D_2)", (D1, D2), _ln_total, positive=(D2,))


def _transfer(columns: Columns, u: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ln D2, ln D1 (0 where there is no stage 1) and ln(k D1^c / D2), all (..., n)."""
    tokens, ln_d2 = columns[D1], np.log(columns[D2])
    ln_d1 = np.log(np.where(tokens > 0, tokens, 1.0))
    ratio = u[..., :1] + u[..., 1:] * ln_d1 - ln_d2
    return ln_d2, ln_d1, np.where(tokens > 0, ratio, -np.inf)


def _share(ratio: Floats) -> Floats:
    """Return the logistic function of `ratio`: the transferred share of the effective data."""
    return 1.0 / (1.0 + np.exp(-np.clip(ratio, -700.0, 700.0)))


def _effective_value(columns: Columns, u: Floats) -> Floats:
    ln_d2, _, ratio = _transfer(columns, u)
    return np.asarray(ln_d2 + np.logaddexp(0.0, ratio))


def _effective_gradient(columns: Columns, u: Floats) -> Floats:
    _, ln_d1, ratio = _transfer(columns, u)
    share = _share(ratio)
    return np.stack([share, share * ln_d1], axis=-1)


def _effective_curvature(columns: Columns, u: Floats) -> Floats:
    _, ln_d1, ratio = _transfer(columns, u)
    slope = _share(ratio) * _share(-ratio)
    cross = slope * ln_d1
    rows = [np.stack([slope, cross], axis=-1), np.stack([cross, cross * ln_d1], axis=-1)]
    return np.stack(rows, axis=-1)


def _effective_grid(columns: Columns) -> Floats:
    """Return starts (g, 2) of (ln k, c): the transferred share at the middle row by exponent."""
    with_base = columns[D1] > 0
    middle_d1 = np.median(np.log(columns[D1][with_base])) if with_base.any() else 0.0
    middle_d2 = np.median(np.log(columns[D2]))
    shares = np.array([-4.0, -2.0, -0.7, 0.7, 2.0, 4.0])
    exponents = np.array([0.05, 0.2, 0.4, 0.7, 1.0, 1.5])
    ratio, c = (grid.ravel() for grid in np.meshgrid(shares, exponents))
    return np.stack([ratio + middle_d2 - c * middle_d1, c], axis=-1)


EFFECTIVE_DATA = CurvedFeature(
    "(D2 + k D1^c)",
    "(D_2 + k D_1^{c})",
    (D1, D2),
    ("k", "c"),
    _effective_value,
    _effective_gradient,
    _effective_curvature,
    _effective_grid,
    positive=(D2,),
)
