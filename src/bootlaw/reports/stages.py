"""One power law per base, and one per second-stage length, all with the main fit's E.

Left and middle panels of Fig. 1 and Fig. 3 of arXiv 2510.06548.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from bootlaw.fitting import Fit, PowerLawSlice, per_base_power_laws, per_stage2_power_laws
from bootlaw.reports import curves
from bootlaw.reports.groups import Group
from bootlaw.reports.quantities import Interval
from bootlaw.reports.series import Floats, PowerLaw, Runs, SaturationSeries, Stage1Series
from bootlaw.runs import RunTable, read_runs

Slices = Callable[[RunTable, float], tuple[PowerLawSlice, ...]]


def saturation_series(group: Group, main: Fit | None) -> SaturationSeries:
    """Return the three panels of one method; without a main fit only its runs and lines."""
    runs, scratch = group.runs, group.scratch
    irreducible = main.value("E") if main else 0.0
    reference = middle(runs.levels_stage2)
    # One base of one token stands for no base: the level of a single line does not matter.
    from_scratch = _laws(per_base_power_laws, scratch, (1.0, reference), irreducible, no_base=True)
    return SaturationSeries(
        runs=runs,
        scratch=scratch,
        by_base=_laws(per_base_power_laws, runs, (1.0, reference), irreducible),
        scratch_law=from_scratch[0] if from_scratch else None,
        exponent=curves.exponent_band(main, runs) if main else None,
        factor=curves.factor_band(main, runs, reference) if main else None,
    )


def stage1_series(group: Group, main: Fit | None) -> Stage1Series:
    """Return loss against D1 at each D2."""
    irreducible = main.value("E") if main else 0.0
    reference = middle(group.runs.levels_stage1)
    laws = _laws(per_stage2_power_laws, group.runs, (reference, 1.0), irreducible)
    return Stage1Series(group.runs, laws)


def middle(levels: Floats) -> float:
    """Return the middle level: inside the data, so that a factor there is no extrapolation."""
    return float(levels[levels.size // 2])


def _laws(
    slices: Slices,
    runs: Runs,
    units: tuple[float, float],
    irreducible: float,
    *,
    no_base: bool = False,
) -> tuple[PowerLaw, ...]:
    """Return the power law of each level, with the tokens counted in `units` (D1, D2).

    Counting in units of the reference makes the slice's factor, and its standard error, those
    at the reference instead of at one token.
    """
    if len(runs) == 0:
        return ()
    table = read_runs(
        {
            "tokens_stage1": runs.tokens_stage1 / units[0] + float(no_base),
            "tokens_stage2": runs.tokens_stage2 / units[1],
            "loss": runs.loss,
        }
    )
    reference = max(units)
    return tuple(
        PowerLaw(
            level=found.level,
            exponent=_one_error(found.exponent, found.exponent_se),
            factor=_exponential(_one_error(math.log(found.factor), found.ln_factor_se)),
            reference=reference,
            irreducible=irreducible,
        )
        for found in slices(table, irreducible)
    )


def _one_error(value: float, error: float) -> Interval:
    return (
        Interval(value, value - error, value + error) if math.isfinite(error) else Interval(value)
    )


def _exponential(interval: Interval) -> Interval:
    ends = (
        None if end is None else math.exp(min(end, 700.0))
        for end in (interval.lower, interval.upper)
    )
    return Interval(math.exp(interval.value), *ends)
