"""A law at many parameter vectors, each at points of its own.

`Law.loss` evaluates every parameter vector on the same rows. A root search moves each
replicate along its own D2, so it reads the law's declaration row by row instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws import Law
from bootlaw.laws.expression import evaluate

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
    values = {name: internal[:, number, np.newaxis] for number, name in enumerate(law.names)}
    natural = {
        name: np.exp(value) if logged else value
        for (name, value), logged in zip(values.items(), law.logged, strict=True)
    }
    formula = next(p.expression for p in law.parts if p.rows in ("all", part))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.asarray(evaluate(formula, {**columns, **natural}))
