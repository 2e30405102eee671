"""Where a fit starts: points derived from the data, law by law from its declaration.

For a given irreducible loss E a single exponential term is linear least squares in ln(L - E),
and a sum of terms with given exponents is linear in its coefficients. So a grid over E, and over
the few parameters that stay nonlinear, gives starts close to every local optimum.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws import Design, Law, Term
from bootlaw.laws.features import D1, CurvedFeature

Floats = NDArray[np.float64]

SHARES = np.array([0.0, 0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995, 0.9995])
"""Grid of E as shares of the lowest loss."""

EXPONENTS = (0.03, 0.1, 0.2, 0.4, 0.8)
"""Grid of exponents for laws with several terms; published token exponents are 0.04 to 0.8."""


def starting_points(design: Design, losses: Floats, constants: Floats | None = None) -> Floats:
    """Return starts (S, p) in internal coordinates for the losses (n,) in nats.

    Parameters
    ----------
    constants : values of E, each with the same number of starts in a row; `SHARES` of the lowest
        loss if None.
    """
    points = []
    for constant in SHARES * losses.min() if constants is None else constants:
        parts = [
            _part_starts(design, terms, rows, losses[rows], constant)
            for terms, rows in _parts(design)
        ]
        for combination in product(*parts):
            point = np.sum(combination, axis=0)
            point[design.irreducible] = constant
            points.append(point)
    return np.array(points)


def _parts(design: Design) -> list[tuple[list[Term], NDArray[np.intp]]]:
    """Return the groups of terms that share rows, with their row numbers."""
    groups: dict[str, list[Term]] = {}
    for term in design.law.terms:
        groups.setdefault(term.rows, []).append(term)
    everything = np.ones(design.n_rows, dtype=bool)
    from_scratch = design.columns[D1] == 0 if D1 in design.columns else ~everything
    masks = {"all": everything, "scratch": from_scratch, "reuse": ~from_scratch}
    return [(terms, np.flatnonzero(masks[rows])) for rows, terms in groups.items()]


def _part_starts(
    design: Design, terms: list[Term], rows: NDArray[np.intp], losses: Floats, constant: float
) -> list[Floats]:
    """Return points (p,), filled only at the parameters of these terms."""
    columns = {name: values[rows] for name, values in design.columns.items()}
    if len(terms) == 1:
        return _logarithmic(design.law, terms[0], columns, losses, constant)
    return _given_exponents(design.law, terms, columns, losses, constant)


def _logarithmic(
    law: Law, term: Term, columns: dict[str, Floats], losses: Floats, constant: float
) -> list[Floats]:
    """Fit ln(L - E) by least squares, once per point of the curved features' grid."""
    reducible = losses - constant
    # A relative error of the loss is L / (L - E) times as large in ln(L - E).
    weights = reducible / losses
    curved = [f.feature for f in term.factors if isinstance(f.feature, CurvedFeature)]
    grid = curved[0].grid(columns) if curved else np.zeros((1, 0))
    points = []
    for inner in grid:
        design = np.zeros((losses.size, len(law.parameters)))
        for factor in term.factors:
            feature = factor.feature
            value = (
                feature.value(columns, inner)
                if isinstance(feature, CurvedFeature)
                else feature.value(columns)
            )
            design[:, law.index(factor.parameter)] += factor.sign * value
        used = np.flatnonzero(design.any(axis=0))
        point = np.zeros(len(law.parameters))
        point[used] = np.linalg.lstsq(
            design[:, used] * weights[:, None], np.log(reducible) * weights
        )[0]
        for feature in curved:
            point[[law.index(name) for name in feature.parameters]] = inner
        points.append(point)
    return points


def _given_exponents(
    law: Law, terms: list[Term], columns: dict[str, Floats], losses: Floats, constant: float
) -> list[Floats]:
    """Fit the coefficients of several terms by least squares, over a grid of exponents."""
    free = [[f for f in term.factors if f.feature.base] for term in terms]
    coefficients = [
        law.index(f.parameter) for term in terms for f in term.factors if not f.feature.base
    ]
    names = [factor.parameter for factors in free for factor in factors]
    points = []
    for exponents in product(EXPONENTS, repeat=len(names)):
        values = dict(zip(names, exponents, strict=True))
        powers = np.stack([_power(factors, columns, values) for factors in free], axis=1)
        scale = 1.0 / losses[:, None]
        amounts = np.linalg.lstsq(powers * scale, (losses - constant) / losses)[0]
        # A vanished term could not come back: leave it one percent of the reducible loss.
        least = 0.01 * np.mean(losses - constant) / powers.mean(axis=0)
        point = np.zeros(len(law.parameters))
        point[coefficients] = np.log(np.maximum(amounts, least))
        for name, value in values.items():
            point[law.index(name)] = value
        points.append(point)
    return points


def _power(factors: list, columns: dict[str, Floats], values: dict[str, float]) -> Floats:  # type: ignore[type-arg]
    total = np.zeros(next(iter(columns.values())).shape)
    for factor in factors:
        total += factor.sign * values[factor.parameter] * factor.feature.value(columns)
    return np.exp(total)
