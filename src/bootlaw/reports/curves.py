"""From fits to the series that the figures draw."""

from __future__ import annotations

import numpy as np

from bootlaw.fitting import Fit
from bootlaw.reports.findings import BreakevenAnswer
from bootlaw.reports.quantities import Interval, interval_of
from bootlaw.reports.series import Band, BreakevenSeries, Floats, ObservedSeries, Runs

N_POINTS = 60
"""Points per curve: enough that a straight line on logarithmic axes looks like a curve."""

LARGEST_REACH = 1e3
"""The break-even figure shows at most this many times the longest second stage."""


def exponent_at(fit: Fit, tokens_stage1: Floats) -> tuple[Floats, Floats]:
    """Return the exponent of D2, a2 - a3 ln D1, and its replicates.

    Parameters
    ----------
    fit
        A fit whose law has a2 and a3: the main law (arXiv 2510.06548, the main equation).
    tokens_stage1
        D1 in tokens, shape (n,).

    Returns
    -------
    The exponents (n,) and those of the R bootstrap replicates (R, n).
    """
    names = [parameter.name for parameter in fit.law.parameters]
    a2, a3 = names.index("a2"), names.index("a3")
    ln_d1 = np.log(tokens_stage1)
    values = fit.values[a2] - fit.values[a3] * ln_d1
    replicates = fit.replicates[:, [a2]] - fit.replicates[:, [a3]] * ln_d1
    return np.asarray(values), np.asarray(replicates)


def exponent_interval(fit: Fit, tokens_stage1: float) -> Interval:
    """Return the exponent of D2 for one base, with its interval."""
    values, replicates = exponent_at(fit, np.array([tokens_stage1]))
    return interval_of(float(values[0]), replicates[:, 0], fit.level)


def exponent_band(fit: Fit, runs: Runs) -> Band:
    """Return the exponent of D2 over the range of D1 that was run."""
    tokens = _range(runs.levels_stage1)
    values, replicates = exponent_at(fit, tokens)
    return _band(tokens, values, replicates, fit.level)


def factor_band(fit: Fit, runs: Runs, reference: float) -> Band:
    """Return the loss above E at `reference` second-stage tokens over the range of D1.

    The band is of the loss: E stays at its estimate, as in the points that it is drawn with.
    """
    tokens = _range(runs.levels_stage1)
    columns = {"tokens_stage1": tokens, "tokens_stage2": np.full(tokens.size, reference)}
    index = [parameter.name for parameter in fit.law.parameters].index("E")
    values = fit.predict(columns) - fit.values[index]
    replicates = fit.predict_replicates(columns) - fit.values[index]
    return _band(tokens, values, replicates, fit.level)


def observed_series(fit: Fit, runs: Runs, held_out: np.ndarray) -> ObservedSeries:
    """Return the losses of `runs` as `fit` predicts them; `held_out` it was not fitted to."""
    predicted = fit.predict(
        {"tokens_stage1": runs.tokens_stage1, "tokens_stage2": runs.tokens_stage2}
    )
    error = np.log(predicted / runs.loss)
    return ObservedSeries(
        observed=runs.loss,
        predicted=predicted,
        held_out=held_out,
        rms_in=_rms(error[~held_out]),
        rms_out=_rms(error[held_out]),
    )


def breakeven_series(joint: Fit, answers: tuple[BreakevenAnswer, ...]) -> BreakevenSeries:
    """Return reuse and scratch curves of a joint fit over the data and as far as they meet."""
    data = answers[0].data
    meets = [answer.tokens.value for answer in answers if answer.tokens is not None]
    reach = min(max([3 * data[1], *(3 * tokens for tokens in meets)]), LARGEST_REACH * data[1])
    tokens = np.geomspace(data[0], reach, N_POINTS)
    return BreakevenSeries(
        levels=tuple(answer.tokens_stage1 for answer in answers),
        reuse=tuple(_curve(joint, answer.tokens_stage1, tokens) for answer in answers),
        scratch=_curve(joint, 0.0, tokens),
        crossings=tuple(
            answer.tokens
            if answer.tokens is not None and data[0] <= answer.tokens.value <= reach
            else None
            for answer in answers
        ),
        data=data,
    )


def _curve(fit: Fit, tokens_stage1: float, tokens: Floats) -> Band:
    columns = {"tokens_stage1": np.full(tokens.size, tokens_stage1), "tokens_stage2": tokens}
    return _band(tokens, fit.predict(columns), fit.predict_replicates(columns), fit.level)


def _band(tokens: Floats, values: Floats, replicates: Floats, level: float) -> Band:
    if len(replicates) < 2:
        return Band(tokens, np.asarray(values))
    tail = (1 - level) / 2
    lower, upper = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    return Band(tokens, np.asarray(values), lower, upper)


def _range(levels: Floats) -> Floats:
    return np.asarray(np.geomspace(levels[0], levels[-1], N_POINTS))


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")
