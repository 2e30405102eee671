"""The contest of laws: fitted to the same rows, scored on the same held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw import laws as catalogue
from bootlaw.errors import InputError
from bootlaw.fitting.fit import fit as fit_law
from bootlaw.fitting.holdouts import clusters, held_out_masks
from bootlaw.fitting.prediction import can_predict, prediction_interval
from bootlaw.fitting.result import Fit
from bootlaw.fitting.rows import select_rows
from bootlaw.fitting.scoreboard import Comparison, ComparisonRow
from bootlaw.fitting.stacking import stacking_weights, ties_with_best
from bootlaw.laws import Law
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEFAULT_LAWS = ("bootstrapped", "multiplicative", "total-tokens", "additive", "effective-data")
COVERAGE_LEVEL = 0.90
GRAVITY = ("converged", "not_converged", "not_identifiable")
"""The statuses of a fit, worse ones last."""


@dataclass(frozen=True)
class _Options:
    delta: float
    bootstrap: int
    seed: int


@dataclass(frozen=True)
class _Residuals:
    """Log residuals of one law, pooled over the fits of a contest."""

    fitted: Floats
    held_out: Floats
    covered: Mask | None
    noise: float


@dataclass(frozen=True)
class _Score:
    """One law in the contest; `residuals` is None where it could not be fitted."""

    law: Law
    status: str
    reason: str | None
    residuals: _Residuals | None
    rms_log_all: float | None


def compare(
    table: Any,
    laws: Sequence[str] | None = None,
    *,
    method: str | None = None,
    where: str | None = None,
    holdout: str = "lowest-loss",
    delta: float = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> Comparison:
    """Return the scores of the laws, smallest held-out error first.

    Every law is fitted to the same rows, those of one method with D1 > 0 and D2 > 0, less the
    held-out ones, and scored on the same held-out rows. A law that those rows cannot identify
    is listed last, with its status.

    Parameters
    ----------
    table : whatever `bootlaw.runs.read_runs` takes, or a RunTable.
    laws : keys of two-stage laws; `DEFAULT_LAWS` if None.
    method, where : which rows to use.
    holdout : ``lowest-loss`` (the lowest tenth), ``largest-d1``, ``largest-d2``, ``largest-n``
        (every row at the largest level) or ``kfold`` (five folds by trunk, residuals pooled).
    delta : Huber threshold of the fits, in log loss.
    bootstrap : replicates per fit, for the coverage of prediction intervals; 0 leaves it out.
    seed : of the bootstrap and of the folds.

    Raises
    ------
    InputError
        When a law, a column or an option makes no sense here.
    UndeterminedError
        When holding out leaves nothing to fit.
    """
    contestants = _contestants(laws or DEFAULT_LAWS)
    table = table if isinstance(table, RunTable) else read_runs(table)
    rows, row_method = _common_rows(table, contestants, method, where)
    masks = held_out_masks(rows, holdout, seed=seed)
    options = _Options(delta, bootstrap, seed)
    scores = [_score(law, rows, masks, options) for law in contestants]
    cluster = clusters(rows)
    pooled = np.concatenate([cluster[mask] for mask in masks])
    return Comparison(
        holdout=holdout,
        rows=_ranked(scores, pooled),
        n_in=len(rows) - max(int(mask.sum()) for mask in masks),
        n_out=len(pooled),
        method=row_method,
        n_folds=len(masks),
    )


def _contestants(keys: Sequence[str]) -> list[Law]:
    laws = [catalogue.get(key) for key in dict.fromkeys(keys)]
    for law in laws:
        if law.has_scratch_part or not law.is_two_stage:
            raise InputError(
                f"{law.key} cannot enter the contest: every law is scored on the rows with "
                "D1 > 0, so name two-stage laws without +scratch"
            )
    return laws


def _common_rows(
    table: RunTable, laws: Sequence[Law], method: str | None, where: str | None
) -> tuple[RunTable, str]:
    """Return the rows that every law can use, and their method."""
    chosen = select_rows(table, laws[0], method=method, where=where)
    for law in laws[1:]:
        chosen = select_rows(chosen.table, law, method=chosen.method)
    return chosen.table, chosen.method


def _score(law: Law, rows: RunTable, masks: Sequence[Mask], options: _Options) -> _Score:
    fits = [_fit(law, rows.select(~mask), options) for mask in masks]
    whole = _fit(law, rows, replace(options, bootstrap=0))
    worst = max(fits, key=lambda fit: GRAVITY.index(fit.status))
    parts = [_residuals(fit, rows, mask) for fit, mask in zip(fits, masks, strict=True)]
    return _Score(
        law=law,
        status=worst.status,
        reason="; ".join(d.message for d in worst.diagnostics if d.severity == "error") or None,
        residuals=_pooled(parts),
        rms_log_all=None if whole.status == "not_identifiable" else whole.rms_log,
    )


def _fit(law: Law, rows: RunTable, options: _Options) -> Fit:
    return fit_law(rows, law, delta=options.delta, bootstrap=options.bootstrap, seed=options.seed)


def _residuals(fit: Fit, rows: RunTable, held_out: Mask) -> _Residuals | None:
    """Return the log residuals of one fit, None where it gives no numbers to trust."""
    if fit.status == "not_identifiable":
        return None
    observed = rows.numbers("loss")
    columns = {name: rows.numbers(name) for name in fit.law.variables}
    with np.errstate(all="ignore"):
        residuals = np.log(fit.predict(columns)) - np.log(observed)
    if not np.isfinite(residuals).all():
        return None
    covered = None
    if fit.status == "converged" and can_predict(fit):
        outside = {name: values[held_out] for name, values in columns.items()}
        lower, upper = prediction_interval(
            fit.predict_replicates(outside), fit.residual_scale, COVERAGE_LEVEL
        )
        covered = (observed[held_out] >= lower) & (observed[held_out] <= upper)
    noise = fit.residual_scale if np.isfinite(fit.residual_scale) else 0.0
    return _Residuals(residuals[~held_out], residuals[held_out], covered, noise)


def _pooled(parts: Sequence[_Residuals | None]) -> _Residuals | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    covered = [part.covered for part in known if part.covered is not None]
    return _Residuals(
        np.concatenate([part.fitted for part in known]),
        np.concatenate([part.held_out for part in known]),
        np.concatenate(covered) if len(covered) == len(known) else None,
        float(np.mean([part.noise for part in known])),
    )


def _ranked(scores: Sequence[_Score], cluster: NDArray[np.intp]) -> tuple[ComparisonRow, ...]:
    """Return the rows of the scoreboard; laws without a fit come last, in the order given."""
    fitted = [(score, score.residuals) for score in scores if score.residuals is not None]
    lost = [_row(score, None, None, False) for score in scores if score.residuals is None]
    if not fitted:
        return tuple(lost)
    held_out = np.stack([residuals.held_out for _, residuals in fitted], axis=1)
    weights = stacking_weights(held_out)
    # The law that follows the runs most closely knows their noise best.
    noise = min(residuals.noise for _, residuals in fitted)
    ties = ties_with_best(held_out, cluster, noise) & (len(fitted) > 1)
    found = [
        _row(score, residuals, float(weights[number]), bool(ties[number]))
        for number, (score, residuals) in enumerate(fitted)
    ]
    order = np.argsort(np.mean(held_out**2, axis=0), kind="stable")
    return (*(found[number] for number in order), *lost)


def _row(
    score: _Score, residuals: _Residuals | None, weight: float | None, tie: bool
) -> ComparisonRow:
    return ComparisonRow(
        law=score.law.key,
        n_params=len(score.law.parameters),
        rms_log_in=None if residuals is None else _rms(residuals.fitted),
        rms_log_out=None if residuals is None else _rms(residuals.held_out),
        coverage90_out=None
        if residuals is None or residuals.covered is None
        else float(residuals.covered.mean()),
        weight=weight,
        tie=tie,
        status=score.status,
        reason=score.reason,
        rms_log_all=score.rms_log_all,
    )


def _rms(residuals: Floats) -> float:
    return float(np.sqrt(np.mean(residuals**2)))
