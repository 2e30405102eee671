"""The misfit of any law on any table, and intervals that include it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.arguments import as_items, require_kind, require_share, require_text
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.fit import fit
from bootlaw.fitting.levels import level_numbers
from bootlaw.fitting.misfit import Misfit, Rows
from bootlaw.fitting.prediction import can_predict, prediction_interval
from bootlaw.fitting.result import Fit
from bootlaw.fitting.rollouts import LEAST_LEVELS, REPLICATES, ROLLOUTS, misfits_along
from bootlaw.laws import Law, as_law
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]


def misfit(
    table: Any, law: str | Law, variable: str, *, rollouts: int = ROLLOUTS, **options: Any
) -> Misfit:
    """Return what `law` misses when the largest levels of `variable` are held out in turn.

    A fit with a bootstrap has those along D1, D2 and N already (`Fit.misfits`).

    Parameters
    ----------
    table : a `RunTable`, or anything that `read_runs` takes: the rows of the fit, and no others.
    law : a law or its key, with one formula for all rows.
    variable : a column of positive numbers along which a question will extrapolate.
    rollouts : largest levels held out in turn, at most; each needs two levels below it.
    options : of `bootlaw.fit`, the same as for the fit itself; what its intervals need is left out.

    Raises
    ------
    InputError
        Where the variable has values that are not positive, or the options make no sense.
    UndeterminedError
        Where no level can be held out: too few levels, or nothing identifiable without it.
    """
    runs = table if isinstance(table, RunTable) else read_runs(table)
    law = as_law(law)
    require_text(variable=variable)
    if not (isinstance(rollouts, int) and rollouts >= 1):
        raise InputError(f"rollouts is a whole number of at least 1, not {rollouts!r:.100}")
    values = runs.numbers(variable)
    if not (values > 0).all():
        raise InputError(f"{runs.source}: {variable} must be above 0 in every row for a roll-out")
    settings = {**options, "bootstrap": REPLICATES, "profile": (), "remarks": False}

    def refit(rows: RunTable) -> Fit:
        return fit(rows, law, **settings)

    found = misfits_along(runs, law, [""], variable, refit, rollouts)
    if not found:
        raise UndeterminedError(
            f"{runs.source}: the misfit along {variable} cannot be seen with its "
            f"{int(level_numbers(values).max()) + 1} levels; it takes at least {LEAST_LEVELS} "
            "levels below a held-out one that tell the law's parameters: add runs at other values "
            "of it"
        )
    return found[0]


def interval_beyond(
    found: Fit,
    table: Any,
    misfits: Iterable[Misfit],
    *,
    level: float = 0.9,
    part: Rows = "all",
) -> tuple[Floats, Floats]:
    """Return the ends (n,), in nats, between which new runs fall, the law's own misfit included.

    The spread of the parameters comes from the replicates; each carries a draw of the misfit
    along every variable as well, and a run's residual is added.

    Parameters
    ----------
    found : a fit with a bootstrap.
    table : the new runs, with the law's columns and those of the misfits.
    part : which of the misfits count: those of all rows, of runs with a base, or from scratch.

    Raises
    ------
    InputError
        Where the fit has no replicates or no residual scale.
    """
    require_kind(Fit, found=found)
    require_share(level=level)
    if not can_predict(found):
        raise InputError("an interval needs a fit with bootstrap=200 or so and rows to spare")
    runs = table if isinstance(table, RunTable) else read_runs(table)
    predictions = found.predict_replicates(runs)
    for one in as_items("misfits", misfits):
        require_kind(Misfit, misfits=one)
        if one.covers(part):
            draws = one.draws(len(predictions), part)[:, np.newaxis]
            with np.errstate(over="ignore"):
                predictions = predictions * np.exp(draws * one.log_sd(runs.numbers(one.variable)))
    return prediction_interval(predictions, found.residual_scale, level)
