"""One power law per base, and one per second-stage length, all with the main fit's E.

Left and middle panels of Fig. 1 and Fig. 3 of arXiv 2510.06548. With E fixed,
ln(L - E) is a straight line in the log tokens, so each is a linear least-squares fit.
"""

from __future__ import annotations

import math

import numpy as np

from bootlaw.fitting import Fit
from bootlaw.reports import curves
from bootlaw.reports.groups import Group
from bootlaw.reports.quantities import Interval
from bootlaw.reports.series import Floats, PowerLaw, Runs, SaturationSeries, Stage1Series

LEVEL = 0.95


def saturation_series(group: Group, main: Fit | None) -> SaturationSeries:
    """Return the three panels of one method; without a main fit only its runs and lines."""
    irreducible = shared_irreducible(main, group.runs, group.scratch)
    reference = middle(group.runs.levels_stage2)
    by_base = []
    for level in group.runs.levels_stage1:
        here = group.runs.at_stage1(float(level))
        law = power_law(here.tokens_stage2, here.loss, float(level), irreducible, reference)
        by_base += [law] if law else []
    scratch = group.scratch
    return SaturationSeries(
        runs=group.runs,
        scratch=scratch,
        by_base=tuple(by_base),
        scratch_law=power_law(scratch.tokens_stage2, scratch.loss, 0.0, irreducible, reference),
        exponent=curves.exponent_band(main, group.runs) if main else None,
        factor=curves.factor_band(main, group.runs, reference) if main else None,
    )


def stage1_series(group: Group, main: Fit | None) -> Stage1Series:
    """Return loss against D1 at each D2."""
    irreducible = shared_irreducible(main, group.runs, group.scratch)
    reference = middle(group.runs.levels_stage1)
    laws = []
    for level in group.runs.levels_stage2:
        here = group.runs.at_stage2(float(level))
        law = power_law(here.tokens_stage1, here.loss, float(level), irreducible, reference)
        laws += [law] if law else []
    return Stage1Series(group.runs, tuple(laws))


def power_law(
    tokens: Floats, loss: Floats, level: float, irreducible: float, reference: float
) -> PowerLaw | None:
    """Return the least-squares power law of `loss` in `tokens`, None below two levels of tokens.

    Intervals are those of the regression (Student's t) with E taken as known; None where two
    runs leave no freedom.
    """
    if np.unique(tokens).size < 2:
        return None
    x, y = np.log(tokens / reference), np.log(loss - irreducible)
    centre = x - x.mean()
    slope = float(centre @ y / (centre @ centre))
    height = float(y.mean() - slope * x.mean())
    exponent_error, height_error = _errors(x, y - height - slope * x)
    return PowerLaw(
        level=level,
        exponent=_around(-slope, exponent_error),
        factor=_exponential(_around(height, height_error)),
        reference=reference,
        irreducible=irreducible,
    )


def shared_irreducible(main: Fit | None, *pieces: Runs) -> float:
    """Return E of the main fit, kept below every loss so that logarithms exist; 0 without one."""
    if main is None:
        return 0.0
    lowest = min(float(runs.loss.min()) for runs in pieces if len(runs))
    return min(main.value("E"), 0.98 * lowest)


def middle(levels: Floats) -> float:
    """Return the middle level: inside the data, so that a factor there is no extrapolation."""
    return float(levels[levels.size // 2])


def _errors(x: Floats, residuals: Floats) -> tuple[float, float]:
    freedom = x.size - 2
    if freedom < 1:
        return math.nan, math.nan
    from scipy.special import stdtrit

    quantile = float(stdtrit(freedom, (1 + LEVEL) / 2))
    variance = float(residuals @ residuals) / freedom
    spread = float(((x - x.mean()) ** 2).sum())
    slope = math.sqrt(variance / spread)
    return quantile * slope, quantile * math.sqrt(variance / x.size + (slope * x.mean()) ** 2)


def _around(value: float, error: float) -> Interval:
    return Interval(value, value - error, value + error) if math.isfinite(error) else Interval(value)


def _exponential(interval: Interval) -> Interval:
    ends = (
        None if end is None else math.exp(min(end, 700.0))
        for end in (interval.lower, interval.upper)
    )
    return Interval(math.exp(interval.value), *ends)
