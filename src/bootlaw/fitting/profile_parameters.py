"""Profile intervals of the parameters and forecasts that a fit is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.options import Options
from bootlaw.fitting.problem import Solved
from bootlaw.fitting.profile import profile
from bootlaw.fitting.quantities import Forecast, Quantity, parameter
from bootlaw.laws import Law
from bootlaw.laws.names import SHORT_NAMES
from bootlaw.runs.quantities import parse_quantity

TABLES = 400
"""Simulated tables behind the threshold of a profile."""


def profile_parameters(
    solved: Solved, trunks: NDArray[np.intp] | None, options: Options
) -> dict[str, tuple[float, float]]:
    """Return name -> (lower, upper) in natural units for what `options.profile` names.

    That is a parameter, or a point of the law's variables, ``D1=1e9,D2=20B``: then the interval
    is that of the expected loss there, nats.

    Raises
    ------
    InputError
        For a name that the fitted law lacks, a point that it cannot be asked about, or where no
        row is to spare.
    """
    if not options.profile:
        return {}
    objective, optimum = solved.objective, solved.optimum
    law = objective.design.law
    quantities = {name: _quantity(law, name, objective) for name in options.profile}
    if not np.isfinite(solved.scale):
        raise InputError("a profile needs the noise of the rows, and no row is to spare; add rows")
    tables = resampled(objective, optimum.u, "random-effects", trunks, TABLES, options.seed)
    refits = refit(tables, optimum, TABLES)
    found = {}
    for name, quantity in quantities.items():
        ends = profile(objective, optimum, quantity, tables, refits, level=options.level).interval()
        in_logs = isinstance(quantity, Forecast) or law.logged[law.index(name)]
        low, high = np.exp(ends) if in_logs else ends
        found[name] = (float(low), float(high))
    return found


def _quantity(law: Law, name: str, objective: Objective) -> Quantity:
    if "=" not in name:
        return parameter(law, name)
    at = _point(name)
    for column, values in objective.design.columns.items():
        if column not in at and np.ptp(values) == 0:
            at[column] = float(values[0])
    missing = [column for column in law.variables if column not in at]
    others = [column for column in at if column not in law.variables]
    if missing or others:
        said = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(others)}"
        raise InputError(
            f"the point {name!r} {said}; law {law.key} reads {', '.join(law.variables)}"
        )
    return Forecast(law, at)


def _point(text: str) -> dict[str, float]:
    """Return column -> value for ``D1=1e9,D2=20B``."""
    at = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            at[SHORT_NAMES.get(name, name)] = float(parse_quantity(value))
        except ValueError:
            raise InputError(f"{part!r} is no value of a column; write D1=1e9,D2=20B") from None
    return at
