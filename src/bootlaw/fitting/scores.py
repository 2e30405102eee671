"""Every law of a contest fitted to every set of rows that the hold-outs ask for, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.fit import fit as fit_law
from bootlaw.fitting.holdouts import Split
from bootlaw.fitting.prediction import can_predict, prediction_interval
from bootlaw.fitting.result import Fit
from bootlaw.laws import Law
from bootlaw.runs import RunTable

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

COVERAGE_LEVEL = 0.90
GRAVITY = ("converged", "not_converged", "not_identifiable")
"""The statuses of a fit, worse ones last."""


@dataclass(frozen=True)
class Options:
    """How every law of a contest is fitted."""

    delta: float | Literal["auto"]
    bootstrap: int
    seed: int


@dataclass(frozen=True)
class Residuals:
    """Log residuals of one law, pooled over the fits of one hold-out.

    Attributes
    ----------
    fitted, held_out : rows with a fit each, in the order of the fits.
    covered : which held-out rows their 90 % interval covers, None without intervals.
    noise : standard deviation of one run's log loss, 0 where it is not known.
    """

    fitted: Floats
    held_out: Floats
    covered: Mask | None
    noise: float


@dataclass(frozen=True)
class Score:
    """One law on one hold-out; `residuals` is None where it could not be fitted."""

    law: Law
    status: str
    reason: str | None
    residuals: Residuals | None
    whole: Fit


@dataclass(frozen=True, eq=False)
class Fits:
    """The fits of a contest, each made when it is first asked for and then kept.

    Two hold-outs may ask for one fit: the last step of an expanding window along D1 is that of
    ``largest-d1``.
    """

    rows: RunTable
    options: Options
    made: dict[tuple[str, bytes, int], Fit] = field(default_factory=dict)

    def of(self, law: Law, fitted: Mask, bootstrap: int) -> Fit:
        """Return `law` fitted to the rows `fitted` (n,), with `bootstrap` replicates."""
        key = (law.key, fitted.tobytes(), bootstrap)
        if key not in self.made:
            whole = None if fitted.all() else self.of_all_rows(law)
            self.made[key] = fit_law(
                self.rows.select(fitted),
                law,
                delta=self.options.delta,
                bootstrap=bootstrap,
                seed=self.options.seed,
                # With some rows held out the optimum is near that of all rows.
                search="global" if whole is None else "nearby",
                start=None if whole is None else _values(whole),
                remarks=False,
            )
        return self.made[key]

    def of_all_rows(self, law: Law, *, replicates: bool = False) -> Fit:
        """Return `law` fitted to all rows; only a forecast needs its replicates."""
        every = np.ones(len(self.rows), dtype=bool)
        return self.of(law, every, self.options.bootstrap if replicates else 0)

    def score(self, law: Law, splits: Sequence[Split]) -> Score:
        """Return the law's residuals over the fits of one hold-out, and its worst status."""
        fits = [self.of(law, split.fitted, self.options.bootstrap) for split in splits]
        worst = max(fits, key=lambda fit: GRAVITY.index(fit.status))
        parts = [_residuals(f, self.rows, s) for f, s in zip(fits, splits, strict=True)]
        return Score(
            law=law,
            status=worst.status,
            reason="; ".join(d.message for d in worst.diagnostics if d.severity == "error") or None,
            residuals=_pooled(parts),
            whole=self.of_all_rows(law),
        )


def _values(fit: Fit) -> dict[str, float]:
    return dict(zip(fit.law.names, fit.values.tolist(), strict=True))


def _residuals(fit: Fit, rows: RunTable, split: Split) -> Residuals | None:
    """Return the log residuals of one fit, None where it gives no numbers to trust."""
    if fit.status == "not_identifiable":
        return None
    observed = rows.numbers("loss")
    columns = {name: rows.numbers(name) for name in fit.law.variables}
    with np.errstate(all="ignore"):
        residuals = np.log(fit.predict(columns)) - np.log(observed)
    if not np.isfinite(residuals[split.fitted | split.held_out]).all():
        return None
    noise = fit.residual_scale if np.isfinite(fit.residual_scale) else 0.0
    covered = _covered(fit, columns, observed, split.held_out)
    return Residuals(residuals[split.fitted], residuals[split.held_out], covered, noise)


def _covered(fit: Fit, columns: dict[str, Floats], observed: Floats, held_out: Mask) -> Mask | None:
    """Return which held-out losses lie in their prediction interval, None without one."""
    if fit.status != "converged" or not can_predict(fit):
        return None
    outside = {name: values[held_out] for name, values in columns.items()}
    predictions = fit.predict_replicates(outside)
    lower, upper = prediction_interval(predictions, fit.residual_scale, COVERAGE_LEVEL)
    return (observed[held_out] >= lower) & (observed[held_out] <= upper)


def _pooled(parts: Sequence[Residuals | None]) -> Residuals | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    covered = [part.covered for part in known if part.covered is not None]
    return Residuals(
        np.concatenate([part.fitted for part in known]),
        np.concatenate([part.held_out for part in known]),
        np.concatenate(covered) if len(covered) == len(known) else None,
        float(np.mean([part.noise for part in known])),
    )
