"""Profile intervals of the parameters that a fit is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.options import Options
from bootlaw.fitting.problem import Solved
from bootlaw.fitting.profile import profile
from bootlaw.fitting.quantities import parameter

TABLES = 400
"""Simulated tables behind the threshold of a profile."""


def profile_parameters(
    solved: Solved, trunks: NDArray[np.intp] | None, options: Options
) -> dict[str, tuple[float, float]]:
    """Return name -> (lower, upper) in natural units for the parameters in `options.profile`.

    Raises
    ------
    InputError
        For a name that the fitted law lacks, or where no row is to spare.
    """
    if not options.profile:
        return {}
    objective, optimum = solved.objective, solved.optimum
    law = objective.design.law
    for name in options.profile:
        law.index(name)
    if not np.isfinite(solved.scale):
        raise InputError("a profile needs the noise of the rows, and no row is to spare; add rows")
    tables = resampled(objective, optimum.u, "random-effects", trunks, TABLES, options.seed)
    refits = refit(tables, optimum, TABLES)
    found = {}
    for name in options.profile:
        quantity = parameter(law, name)
        ends = profile(objective, optimum, quantity, tables, refits, level=options.level).interval()
        low, high = np.exp(ends) if law.logged[law.index(name)] else ends
        found[name] = (float(low), float(high))
    return found
