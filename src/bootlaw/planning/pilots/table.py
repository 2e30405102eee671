"""What the table behind a fit tells: its trunks, how long they are, and the noise of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.random_effects import RandomEffects
from bootlaw.fitting.trunk_noise import trunk_noise
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.laws.names import D1, D2
from bootlaw.planning.source import Source
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

N_DRAWS = 400
"""Draws of the noise's two scales, which the residuals leave uncertain."""

KEPT = slice(N_DRAWS // 10, N_DRAWS - N_DRAWS // 10)
"""Draws that their mean square is taken of: with few rows the tail has no mean."""


@dataclass(frozen=True, eq=False)
class Pilots:
    """The runs that a fit rests on.

    Attributes
    ----------
    columns : the law's variables and both token counts, (n,) each; empty without a table.
    log_losses : (n,).
    trunk : (n,) number of each row's trunk; each row its own where the table does not tell.
    names : (n_trunks,) names of the trunks.
    shared : whether the table tells trunks, so that a run may branch off one.
    row_sd, trunk_sd : standard deviations of the log loss, of single rows and of whole trunks.
    """

    columns: Mapping[str, Floats]
    log_losses: Floats
    trunk: Indices
    names: tuple[str, ...]
    shared: bool
    row_sd: float
    trunk_sd: float

    @property
    def n_trunks(self) -> int:
        """The number of trunks that exist."""
        return len(self.names)

    def of_trunks(self, name: str) -> Floats:
        """Return (n_trunks,) a column at the longest run of each trunk."""
        longest = np.zeros(self.n_trunks, dtype=np.intp)
        order = np.argsort(self.columns[D2], kind="stable")
        longest[self.trunk[order]] = order
        return np.asarray(self.columns[name][longest])

    def offsets(self, source: Source) -> tuple[Floats, Floats]:
        """Return the trunks' own deviations for each replicate, (r, n_trunks), and their variance.

        Given a replicate's parameters and the two scales, the deviation of a trunk is normal: the
        sum of its n residuals times s / (1 + n s), s = (trunk_sd / row_sd)^2, with variance
        trunk_sd^2 / (1 + n s) (best linear unbiased prediction).
        """
        counts = np.bincount(self.trunk, minlength=self.n_trunks)
        if not (self.shared and self.trunk_sd > 0):
            return np.zeros((source.n_replicates, self.n_trunks)), np.zeros(self.n_trunks)
        ratio = (self.trunk_sd / self.row_sd) ** 2
        expected = log_losses(source, self.columns)[1:]
        sums = np.zeros((source.n_replicates, self.n_trunks))
        np.add.at(sums.T, self.trunk, (self.log_losses - expected).T)
        shrunk = sums * (ratio / (1.0 + ratio * counts))
        return shrunk, np.asarray(self.trunk_sd**2 / (1.0 + ratio * counts))


def log_losses(source: Source, columns: Mapping[str, Floats]) -> Floats:
    """Return ln losses (1 + r, n) at rows with and without a base."""
    first = next(iter(columns.values()))
    found = np.zeros((1 + source.n_replicates, first.size))
    scratch = columns[D1] == 0
    for part, rows in (("scratch", scratch), ("reuse", ~scratch)):
        if rows.any():
            own = {name: columns[name][rows] for name in source.law.variables}
            with np.errstate(all="ignore"):
                losses = np.log(source.loss(own, "scratch" if part == "scratch" else "reuse"))
            found[:, rows] = np.nan_to_num(losses, nan=0.0, posinf=700.0, neginf=-700.0)
    return found


def read_pilots(fit: Fit, table: Any, noise: float | None = None) -> Pilots:
    """Return the runs behind a fit; without a table, only their noise.

    Parameters
    ----------
    table : what the fit was fitted to, or None.
    noise : standard deviation of a run's log loss, where the fit has no row to spare for it.

    Raises
    ------
    InputError
        When the table lacks the rows that the fit used.
    UndeterminedError
        When the noise of a run is unknown.
    """
    if table is None:
        none = {name: np.zeros(0) for name in (D1, D2, *fit.law.variables)}
        own = _noise(fit.residual_scale, noise)
        return Pilots(none, np.zeros(0), np.zeros(0, dtype=np.intp), (), False, own, 0.0)
    rows = _rows(fit, table)
    names = dict.fromkeys((D1, D2, *fit.law.variables))
    columns = {name: rows.numbers(name) for name in names}
    labels = trunk_numbers(rows)
    trunk = np.arange(len(rows)) if labels is None else labels
    row_sd, trunk_sd = _scales(fit, rows, labels, noise)
    log_loss = np.log(rows.numbers("loss"))
    named = _names(rows, trunk, columns)
    return Pilots(columns, log_loss, trunk, named, labels is not None, row_sd, trunk_sd)


def _rows(fit: Fit, table: Any) -> RunTable:
    runs = table if isinstance(table, RunTable) else read_runs(table)
    rows = runs.select(np.isin(runs.row_numbers, fit.rows_used))
    if len(rows) != fit.n_rows:
        raise InputError(
            f"{runs.source}: the fit used {fit.n_rows} rows and the table has {len(rows)} of them; "
            f"give the table that was fitted ({fit.source})"
        )
    return rows


def _noise(scale: float, given: float | None) -> float:
    if given is not None:
        if not (np.isfinite(given) and given > 0):
            raise InputError(f"noise is a standard deviation above 0 of log losses, not {given:g}")
        return given
    if not scale > 0:
        raise UndeterminedError(
            "the noise of a run is unknown, as the fit has no row to spare; give it, such as "
            "--noise 0.003 (standard deviation of the log loss between seeds)"
        )
    return scale


def _scales(
    fit: Fit, rows: RunTable, trunks: Indices | None, noise: float | None
) -> tuple[float, float]:
    """Return the standard deviations of single rows and of trunks."""
    columns = {name: rows.numbers(name) for name in fit.law.variables}
    objective = Objective.of(fit.law, columns, rows.numbers("loss"), fit.delta)
    free = np.array([n not in fit.fixed and n not in fit.tied for n in fit.law.names])
    internal = np.nan_to_num(fit.law.to_internal(fit.values), posinf=700.0, neginf=-700.0)
    effects = trunk_noise(objective, internal, trunks, free).effects
    if effects.df < 1 or noise is not None or fit.status != "converged":
        return _noise(fit.residual_scale, noise), 0.0
    trunk, row = _mean_scales(effects)
    return (row, trunk) if row > 0 else (_noise(fit.residual_scale, noise), 0.0)


def _mean_scales(effects: RandomEffects) -> tuple[float, float]:
    drawn = effects.draw(np.random.default_rng(0), N_DRAWS)
    trunk, row = (float(np.sqrt(np.mean(np.sort(one)[KEPT] ** 2))) for one in drawn)
    return trunk, row


def _names(rows: RunTable, trunk: Indices, columns: Mapping[str, Floats]) -> tuple[str, ...]:
    first = np.unique(trunk, return_index=True)[1]
    named = rows.text("trunk") if "trunk" in rows else np.full(len(rows), "", dtype=object)
    return tuple(
        str(named[row]) or f"D1={columns[D1][row]:g} ({number + 1})"
        for number, row in enumerate(first)
    )
