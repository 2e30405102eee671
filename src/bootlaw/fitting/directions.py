"""Directions of parameter space measured by what they do to the predicted losses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.objective import Objective

Floats = NDArray[np.float64]


def orthonormal_steps(objective: Objective, u: Floats, floor: float = 1e-10) -> Floats:
    """Return T (p, f): steps T v whose residuals change by |v|, for the parameters that move.

    T = V / S from the singular value decomposition of the residuals' Jacobian at u (p,). Logs of
    token counts are far from 0, so that in plain coordinates the Hessian is singular to working
    precision; this is exact centring and scaling for every law. Directions that the data do not
    see are as long as one with `floor` times the largest singular value.
    """
    lower, upper = objective.bounds
    jacobian = objective.residual_jacobian(u)
    free = (lower < upper) & np.isfinite(jacobian).all(axis=0)
    # A QR factor has the same singular values; the rows would only make the SVD slow.
    _, singular, basis = np.linalg.svd(
        np.linalg.qr(jacobian[:, free], mode="r"), full_matrices=False
    )
    steps = np.zeros((u.size, singular.size))
    steps[free] = basis.T / np.maximum(singular, floor * singular.max(initial=1e-300))
    return steps
