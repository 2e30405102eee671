"""Which runs would determine the parameters of a fit that its rows do not determine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit
from bootlaw.fitting.starts import starting_points
from bootlaw.laws import Design, Law
from bootlaw.planning.pilots.answer import NextRuns
from bootlaw.planning.pilots.belief import Belief
from bootlaw.planning.pilots.candidates import Candidates
from bootlaw.planning.pilots.goals import Information
from bootlaw.planning.pilots.search import choose
from bootlaw.planning.pilots.table import Pilots
from bootlaw.planning.pilots.wanted import Wanted

Floats = NDArray[np.float64]

WIDE = {"coefficient": 3.0, "exponent": 0.3, "irreducible": 0.5}
"""Prior standard deviations before any run: of the logarithm of a coefficient, of an exponent, and
of the irreducible loss relative to the lowest loss. Published laws of losses lie within them."""

N_POINTS = 12
"""Best starting points of a fit at which its design is looked at: the optimum itself may lie at
infinity."""


@dataclass(frozen=True, eq=False)
class _Slopes:
    """Derivatives of log losses by the scaled parameters, rows and candidates."""

    rows: Floats
    candidates: Floats


def runs_to_identify(fit: Fit, pilots: Pilots, wanted: Wanted) -> NextRuns:
    """Return the batch that tells most of all parameters together, given a wide prior.

    Runs are ranked by the information that they add (Bayesian D-optimality), which a direction
    without any row at all leaves most room for; the weakest direction of the design, the smallest
    singular value of the column-scaled Jacobian, says what they do for it.
    """
    if pilots.log_losses.size == 0:
        raise InputError(
            f"the {fit.law.key} fit is not identifiable; give the table that it was fitted to, and "
            "the runs that would determine it are named"
        )
    slopes = _slopes(fit.law, pilots, wanted.offered)
    belief = _belief(slopes, pilots.row_sd)
    most = max(wanted.most, _deficit(slopes.rows))
    chosen = choose(Information(), belief, wanted.ledger, wanted.limit, most)
    with_them = np.vstack([slopes.rows, slopes.candidates[list(chosen.runs)]])
    reasons = tuple(d.message for d in fit.diagnostics if d.severity == "error")
    return NextRuns(
        status="identify",
        law=fit.law.key,
        laws=((fit.law.key, 1.0),),
        kind="parameters",
        question="the parameters of the law",
        unit=wanted.unit,
        budget=wanted.budget,
        level=wanted.level,
        before=0.0,
        after=chosen.uncertainty[-1] if chosen.runs else 0.0,
        target=-np.inf,
        says=("", ""),
        interval_before=None,
        interval_after=None,
        shows=None,
        batch=wanted.in_order(chosen, 0.0),
        ranking=(),
        n_candidates=len(wanted.offered),
        n_affordable=int((wanted.ledger.costs() <= wanted.limit).sum()),
        weakest_before=weakest(slopes.rows),
        weakest_after=weakest(with_them),
        warnings=reasons,
    )


def weakest(jacobian: Floats) -> float:
    """Return the smallest singular value of the column-scaled Jacobian (n, p) over the largest."""
    size = np.linalg.norm(jacobian, axis=0)
    if len(jacobian) < jacobian.shape[1] or not (size > 0).all():
        return 0.0
    singular = np.linalg.svd(jacobian / size, compute_uv=False)
    return float(singular[-1] / singular[0])


def _deficit(jacobian: Floats) -> int:
    """Return how many directions the rows do not have at all; at least 1."""
    size = np.linalg.norm(jacobian, axis=0)
    singular = np.linalg.svd(jacobian / np.where(size > 0, size, 1.0), compute_uv=False)
    rank = int(np.sum(singular > 1e-9 * singular[0]))
    return max(1, len(size) - rank)


def _slopes(law: Law, pilots: Pilots, offered: Candidates) -> _Slopes:
    """Return the derivatives at a start that explains the rows, in units of the prior."""
    design = Design(law, {name: pilots.columns[name] for name in law.variables})
    losses = np.exp(pilots.log_losses)
    starts = starting_points(design, losses)
    everywhere = Design(
        law,
        {name: np.append(pilots.columns[name], offered.columns[name]) for name in law.variables},
    )
    with np.errstate(all="ignore"):
        predicted, slopes = everywhere.loss_and_jacobian(starts)
        off = np.abs(np.log(predicted[:, : losses.size]) - pilots.log_losses).mean(axis=1)
        relative = slopes / predicted[..., None]
    sound = np.isfinite(relative).all(axis=(1, 2)) & np.isfinite(off)
    best = np.flatnonzero(sound)[np.argsort(off[sound])][:N_POINTS]
    if best.size == 0:
        raise UndeterminedError(
            f"the law {law.key} has no finite derivatives at any start on these rows; fit another"
        )
    units = np.array([WIDE[parameter.kind] for parameter in law.parameters])
    if law.irreducible is not None:
        units[law.index(law.irreducible)] *= losses.min()
    ranks = [weakest(relative[point]) for point in best]
    at = relative[best[int(np.argmax(ranks))]] * units
    return _Slopes(at[: losses.size], at[losses.size :])


def _belief(slopes: _Slopes, noise: float) -> Belief:
    """Return the belief about candidates: a unit prior on scaled parameters, and the rows."""
    precision = np.eye(slopes.rows.shape[1]) + slopes.rows.T @ slopes.rows / noise**2
    values, vectors = np.linalg.eigh(precision)
    root = vectors / np.sqrt(values)
    runs = root.T @ slopes.candidates.T
    none = np.zeros((len(runs), 1))
    return Belief.of(np.zeros(1), none, runs, np.full(runs.shape[1], noise**2))
