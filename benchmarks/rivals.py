"""What others reach on the same objective: scipy from generic starts, and a brute-force search."""

from __future__ import annotations

import time
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from bootlaw.fitting.graduated import follow
from bootlaw.fitting.objective import Objective

Floats = NDArray[np.float64]

TOURNAMENT = 100
"""Random points of which the best one becomes a start."""


def generic_starts(objective: Objective, n: int, seed: int = 0) -> Floats:
    """Return starts (n, p) that know the kinds of the parameters and nothing of our own starts.

    Each is the best of `TOURNAMENT` random points: exponents of 0.01 to 2, interactions of either
    sign up to 0.05, coefficients over their published range, E below the lowest loss.
    """
    rng = np.random.default_rng(seed)
    law = objective.design.law
    lowest = float(np.exp(objective.targets.min()))
    size = (n, TOURNAMENT)
    drawn = []
    for parameter in law.parameters:
        if parameter.kind == "irreducible":
            drawn.append(rng.uniform(0.0, lowest, size))
        elif parameter.kind == "coefficient":
            drawn.append(rng.uniform(-15.0, 25.0, size))
        elif parameter.name == "a3":
            drawn.append(rng.normal(0.0, 0.02, size))
        else:
            drawn.append(np.exp(rng.uniform(np.log(0.01), np.log(2.0), size)))
    points = np.stack(drawn, axis=-1)
    values = objective.with_delta(1.0).value(points.reshape(-1, points.shape[-1])).reshape(size)
    return np.asarray(points[np.arange(n), values.argmin(axis=1)])


def by_least_squares(objective: Objective, start: Floats) -> Floats:
    """Return where scipy's least_squares ends: Huber loss, analytic Jacobian, E >= 0."""
    lower, upper = objective.bounds
    inside = np.clip(start, lower + 1e-12, upper)

    def residuals(u: Floats) -> Floats:
        return np.nan_to_num(objective.residuals(u), nan=1e6, posinf=1e6, neginf=-1e6)

    def jacobian(u: Floats) -> Floats:
        return np.nan_to_num(objective.residual_jacobian(u), posinf=1e6, neginf=-1e6)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(
            least_squares(
                residuals, inside, jac=jacobian, bounds=(lower, upper), loss="huber",
                f_scale=objective.delta, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15,
                max_nfev=300,
            ).x
        )  # fmt: skip


def by_lbfgs(objective: Objective, start: Floats) -> Floats:
    """Return where scipy's L-BFGS-B ends, with tight tolerances and the exact gradient.

    The parameters are scaled by the residuals' Jacobian at the start, without which logarithms
    of coefficients and exponents are too different in size for it.
    """
    lower, upper = objective.bounds
    size = np.linalg.norm(np.nan_to_num(objective.residual_jacobian(start)), axis=0)
    scale = 1.0 / np.maximum(size, 1e-6)

    def both(x: Floats) -> tuple[float, Floats]:
        u = (x * scale)[None, :]
        value = objective.value(u)[0]
        gradient = objective.derivatives(u)[0][0] * scale
        return (value if np.isfinite(value) else 1e6), np.nan_to_num(gradient)

    bounds = list(zip(lower / scale, upper / scale, strict=True))
    options = {"maxiter": 2000, "maxfun": 3000, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 20}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = minimize(both, start / scale, jac=True, method="L-BFGS-B", bounds=bounds,
                         options=options)  # fmt: skip
    return np.clip(found.x * scale, lower, upper)


def best_of_scipy(objective: Objective, starts: Floats, seconds: float) -> tuple[float, int]:
    """Return the least objective of both methods and the starts used in at most `seconds`."""
    until = time.process_time() + seconds
    best, used = np.inf, 0
    for start in starts:
        for method in (by_least_squares, by_lbfgs):
            try:
                end = method(objective, start)
            except (ValueError, np.linalg.LinAlgError):
                continue  # scipy refuses a start whose residuals are not finite
            best = min(best, float(objective.value(end[None, :])[0]))
        used += 1
        if time.process_time() > until:
            break
    return best, used


def brute_force(objective: Objective, best: Floats, n: int, seed: int = 1) -> tuple[float, Floats]:
    """Return the least objective of our solver from n generic starts and n around `best`, and
    where: the same solver, but none of our own starts."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(np.log(1e-4), np.log(1.0), (n, 1)))
    spread = np.where(objective.design.law.logged, 5.0, np.maximum(np.abs(best), 0.1))
    around = best + sizes * spread * rng.normal(size=(n, best.size))
    starts = np.concatenate([generic_starts(objective, n, seed), around])
    end = follow(objective, np.clip(starts, *objective.bounds))
    at = int(np.argmin(end.objective))
    return float(end.objective[at]), end.u[at]
