"""A forecast from several laws at once, mixed by their stacking weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.mixture import mixture_quantile
from bootlaw.fitting.prediction import can_predict
from bootlaw.fitting.result import Fit

Floats = NDArray[np.float64]

LEAST_WEIGHT = 1e-6
"""Weights below this are rounding of the non-negative least squares behind them."""

_EXTREME = 50.0
"""Absolute log loss beyond which all losses are alike."""


@dataclass(frozen=True, eq=False)
class EnsembleForecast:
    """What the laws together expect of new runs.

    Attributes
    ----------
    columns : name -> (n,) what was asked.
    loss : (n,) weighted geometric mean of the laws' predictions, nats.
    lower, upper : (n,) ends of the interval in which a new run falls with probability `level` if
        one of the laws holds; None where a law has no replicates or no spare row for its noise.
    spread : (n,) weighted standard deviation of the laws' log predictions: how far they disagree.
    weights : law -> its share; they sum to 1.
    """

    columns: Mapping[str, Floats]
    loss: Floats
    lower: Floats | None
    upper: Floats | None
    spread: Floats
    level: float
    weights: Mapping[str, float]

    def to_json(self) -> list[dict[str, Any]]:
        """Return one forecast per run, as plain data."""
        return [
            {
                **{name: float(values[i]) for name, values in self.columns.items()},
                "loss": float(self.loss[i]),
                "lower": None if self.lower is None else float(self.lower[i]),
                "upper": None if self.upper is None else float(self.upper[i]),
                "level": self.level,
                "spread": float(self.spread[i]),
            }
            for i in range(self.loss.size)
        ]


def mixed_forecast(
    fits: Sequence[Fit], weights: Sequence[float], columns: Mapping[str, ArrayLike], level: float
) -> EnsembleForecast:
    """Return the forecast of the fits mixed by `weights`.

    The expected loss is the weighted geometric mean of the laws' predictions, as stacking defines
    the mix. The interval comes from the mixture that the weights make of the laws: a new run's
    log loss is, with probability w_k, normal around one of law k's replicates (each as likely as
    the others) with that fit's residual scale. So it widens where the laws disagree.

    Parameters
    ----------
    fits : fits to the same rows, one per law.
    weights : one per fit, at least 0, not all 0; they are scaled to sum 1.
    columns : name -> (n,) or a number; laws that read other columns take no part.
    level : share of new runs inside the interval, between 0 and 1.

    Raises
    ------
    InputError
        When every law needs a column that is missing, or `level` makes no sense.
    UndeterminedError
        When no law has any weight.
    """
    if not 0 < level < 1:
        raise InputError(f"level is a coverage between 0 and 1, such as 0.95, not {level}")
    weighty = [(f, w) for f, w in zip(fits, weights, strict=True) if w > LEAST_WEIGHT]
    if not weighty:
        raise UndeterminedError("no law with a weight could be fitted to all rows: no forecast")
    # A law that reads more than was said of the run stays out, unless that leaves none.
    members = [(f, w) for f, w in weighty if set(f.law.variables) <= set(columns)] or weighty
    shares = np.array([weight for _, weight in members], dtype=np.float64)
    shares /= shares.sum()
    chosen = [fit for fit, _ in members]
    asked = _as_columns(chosen, columns)
    logs = np.stack([np.log(fit.predict(_of(fit, asked))) for fit in chosen])
    centre = shares @ logs
    ends = _interval(chosen, shares, asked, level)
    return EnsembleForecast(
        columns=asked,
        loss=np.exp(centre),
        lower=None if ends is None else ends[0],
        upper=None if ends is None else ends[1],
        spread=np.sqrt(shares @ (logs - centre) ** 2),
        level=level,
        weights={f.law.key: float(share) for f, share in zip(chosen, shares, strict=True)},
    )


def _as_columns(fits: Sequence[Fit], columns: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Return the columns as arrays of one length; InputError for one that a law lacks."""
    for fit in fits:
        missing = [name for name in fit.law.variables if name not in columns]
        if missing:
            raise InputError(
                f"the forecast needs {', '.join(missing)} for law {fit.law.key}; give a value"
            )
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in columns.values()))
    return dict(zip(columns, arrays, strict=True))


def _of(fit: Fit, columns: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: columns[name] for name in fit.law.variables}


def _interval(
    fits: Sequence[Fit], shares: Floats, columns: Mapping[str, Floats], level: float
) -> tuple[Floats, Floats] | None:
    if not all(can_predict(fit) for fit in fits):
        return None
    clouds = [_logs(fit.predict_replicates(_of(fit, columns))) for fit in fits]
    counts = [len(cloud) for cloud in clouds]
    weights = np.repeat(shares / counts, counts)
    scales = np.repeat([max(fit.residual_scale, 1e-12) for fit in fits], counts)
    centres, tail = np.concatenate(clouds), (1 - level) / 2
    lower, upper = (
        mixture_quantile(centres, scales[:, np.newaxis], p, weights) for p in (tail, 1 - tail)
    )
    return np.exp(lower), np.exp(upper)


def _logs(predictions: Floats) -> Floats:
    """Return log predictions; a replicate that overflows or vanishes counts as extreme."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predictions)
    return np.asarray(np.clip(np.nan_to_num(logs, nan=_EXTREME), -_EXTREME, _EXTREME))
