"""A law at many parameter vectors, each at points of its own.

`Law.loss` evaluates every parameter vector on the same rows. A root search moves each
replicate along its own D2, so it reads the law's declaration row by row instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws import CurvedFeature, Law

Floats = NDArray[np.float64]
Part = Literal["reuse", "scratch"]


def paired_loss(law: Law, internal: Floats, columns: Mapping[str, Floats], part: Part) -> Floats:
    """Return losses (k, n), nats per token: row i holds parameter vector i at its n points.

    Parameters
    ----------
    internal : (k, p) parameters as `Law.to_internal` gives them.
    columns : (k, n) or (1, n) values for each of the law's variables.
    part : ``reuse`` evaluates the terms of rows with D1 > 0, ``scratch`` those with D1 = 0.
    """
    position = {name: number for number, name in enumerate(law.names)}
    total = internal[:, position[law.irreducible], np.newaxis]
    for term in law.terms:
        if term.rows not in ("all", part):
            continue
        eta = np.zeros((1, 1))
        for factor in term.factors:
            feature = factor.feature
            if isinstance(feature, CurvedFeature):
                inner = internal[:, [position[name] for name in feature.parameters]]
                value = feature.value(columns, inner)
            else:
                value = feature.value(columns)
            exponent = internal[:, position[factor.parameter], np.newaxis]
            eta = eta + factor.sign * exponent * value
        with np.errstate(over="ignore"):
            total = total + term.sign * np.exp(eta)
    return np.asarray(total)
