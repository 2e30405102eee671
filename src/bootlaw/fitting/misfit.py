"""How wrong a law is beyond its data: what it missed when its own rows were held out.

An interval from residuals and parameter spread takes the law to be true. Beyond the data no law
is, so the fit is repeated on the rows below each of the largest levels of a variable, and what
it misses at that level (a roll-out, or expanding window) widens the interval of a forecast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.fit import fit
from bootlaw.fitting.levels import SAME_LEVEL, level_numbers, merged
from bootlaw.fitting.prediction import can_predict, prediction_interval
from bootlaw.fitting.result import Fit
from bootlaw.laws import Law
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]

ROLLOUTS = 3
"""Largest levels that are held out in turn, at most."""

LEAST_LEVELS = 2
"""Levels that must remain below a level that is held out."""

MOST_BLOCKS = 6
"""Blocks that the other levels are merged into: a variable with dozens of levels, such as tokens,
has steps too small to tell anything."""


@dataclass(frozen=True)
class RollOut:
    """One level held out of the rows below it.

    Attributes
    ----------
    level : the held-out value of the variable, the largest of a block of levels.
    decades : log10 of the held-out values over the largest fitted value, root mean square.
    rms_log : root mean square of ln observed - ln predicted over the held-out rows.
    excess : the part of `rms_log` that the residual scale of the fit does not explain.
    n_fitted, n_held_out : rows.
    """

    level: float
    decades: float
    rms_log: float
    excess: float
    n_fitted: int
    n_held_out: int


@dataclass(frozen=True)
class Misfit:
    """What a law missed in roll-outs along one variable.

    Attributes
    ----------
    largest : largest value of the variable in the rows; beyond it the law is extrapolated.
    rollouts : at least one.
    """

    variable: str
    largest: float
    rollouts: tuple[RollOut, ...]

    @property
    def step(self) -> float:
        """Root mean square of the roll-outs' excess: log sd of one step beyond the data."""
        return _rms([one.excess for one in self.rollouts])

    @property
    def decades(self) -> float:
        """Root mean square distance of the roll-outs: the length of that step, in decades."""
        return _rms([one.decades for one in self.rollouts])

    def log_sd(self, values: ArrayLike) -> Floats:
        """Return the extra log standard deviation (n,) at values (n,) of the variable.

        None within the data; beyond them that of one step, and from the length of a step on with
        the square root of the distance in decades, as independent errors of steps add up.
        """
        beyond = np.log10(np.asarray(values, dtype=np.float64) / self.largest)
        outside = beyond > np.log10(1 + SAME_LEVEL)
        return np.where(outside, self.step * np.sqrt(np.maximum(beyond / self.decades, 1.0)), 0.0)


def misfit(
    table: Any, law: str | Law, variable: str, *, rollouts: int = ROLLOUTS, **options: Any
) -> Misfit:
    """Return what `law` misses when the largest levels of `variable` are held out in turn.

    Parameters
    ----------
    table : a `RunTable`, or anything that `read_runs` takes: the rows of the fit, and no others.
    law : a law or its key.
    variable : a column of positive numbers along which a question will extrapolate.
    rollouts : largest levels held out in turn, at most; each needs two levels below it.
    options : of `bootlaw.fit`, the same as for the fit itself; a bootstrap is left out.

    Raises
    ------
    InputError
        Where the variable has values that are not positive, or the options make no sense.
    UndeterminedError
        Where no level can be held out: too few levels, or nothing identifiable without it.
    """
    runs = table if isinstance(table, RunTable) else read_runs(table)
    values = runs.numbers(variable)
    if not (values > 0).all():
        raise InputError(f"{runs.source}: {variable} must be above 0 in every row for a roll-out")
    levels = level_numbers(values)
    blocks = merged(levels, LEAST_LEVELS, MOST_BLOCKS)
    settings = {**options, "bootstrap": 0}
    tried = [
        _roll_out(runs.select(blocks <= block), law, variable, blocks[blocks <= block], settings)
        for block in range(LEAST_LEVELS, int(blocks.max()) + 1)[-rollouts:]
    ]
    done = tuple(one for one in tried if one is not None)
    if not done:
        raise UndeterminedError(
            f"{runs.source}: the misfit along {variable} cannot be seen with its "
            f"{int(levels.max()) + 1} levels; it takes at least {LEAST_LEVELS} levels below a "
            "held-out one that tell the law's parameters: add runs at other values of it"
        )
    return Misfit(variable, float(values.max()), done)


def interval_beyond(
    found: Fit, table: Any, misfits: Iterable[Misfit], *, level: float = 0.9
) -> tuple[Floats, Floats]:
    """Return the ends (n,), in nats, between which new runs fall, the law's own misfit included.

    The log variances of a run's residual and of the misfit along each variable add up; the
    spread of the parameters comes from the replicates.

    Parameters
    ----------
    found : a fit with a bootstrap.
    table : the new runs, with the law's columns and those of the misfits.

    Raises
    ------
    InputError
        Where the fit has no replicates or no residual scale.
    """
    if not can_predict(found):
        raise InputError("an interval needs a fit with bootstrap=200 or so and rows to spare")
    runs = table if isinstance(table, RunTable) else read_runs(table)
    variances = [one.log_sd(runs.numbers(one.variable)) ** 2 for one in misfits]
    scales = np.sqrt(found.residual_scale**2 + np.sum([np.zeros(len(runs)), *variances], axis=0))
    predictions = found.predict_replicates(runs)
    lower, upper = np.empty(len(runs)), np.empty(len(runs))
    for scale in np.unique(scales):
        rows = scales == scale
        lower[rows], upper[rows] = prediction_interval(predictions[:, rows], float(scale), level)
    return lower, upper


def _roll_out(
    runs: RunTable,
    law: str | Law,
    variable: str,
    blocks: NDArray[np.intp],
    settings: dict[str, Any],
) -> RollOut | None:
    """Hold out the last block of the rows; None where the other rows cannot tell the law."""
    last = blocks == blocks.max()
    fitted, held_out = runs.select(~last), runs.select(last)
    found = fit(fitted, law, **settings)
    if found.status == "not_identifiable":
        return None
    missed = np.log(held_out.numbers("loss") / found.predict(held_out))
    if not np.isfinite(missed).all():
        return None
    values = held_out.numbers(variable)
    scale = float(np.nan_to_num(found.residual_scale))
    return RollOut(
        level=float(values.max()),
        decades=_rms(np.log10(values / fitted.numbers(variable).max())),
        rms_log=_rms(missed),
        excess=float(np.sqrt(max(_rms(missed) ** 2 - scale**2, 0.0))),
        n_fitted=len(fitted),
        n_held_out=len(held_out),
    )


def _rms(values: ArrayLike) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
