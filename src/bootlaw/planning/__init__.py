"""Answers from fitted laws: losses to expect, break-evens, and what to do with a budget."""

from bootlaw.planning.allocation import Allocation, Plan, Route, allocate
from bootlaw.planning.answers import Breakeven, Crossing, Interval
from bootlaw.planning.breakeven import breakeven
from bootlaw.planning.checkpoints import (
    Checkpoint,
    named_checkpoints,
    public_checkpoints,
    read_checkpoints,
)
from bootlaw.planning.choice import Candidate, Choice, SetAside
from bootlaw.planning.choose import choose_checkpoint
from bootlaw.planning.critical_mixture import critical_mixture
from bootlaw.planning.decision import Decision, Flip, Known, Outcome, decide
from bootlaw.planning.forecast import Forecast, UndeterminedForecastError, forecast
from bootlaw.planning.forecast_grid import ForecastGrid, forecast_grid
from bootlaw.planning.many import Breakevens, Forecasts, breakevens, forecasts
from bootlaw.planning.mixture import mixture_share
from bootlaw.planning.mixture_answer import CriticalMixture, Mix, MixtureShare
from bootlaw.planning.mixture_runs import mixture_from_runs
from bootlaw.planning.source import Source, as_source
from bootlaw.planning.threshold import Threshold, threshold

__all__ = [
    "Allocation",
    "Breakeven",
    "Breakevens",
    "Candidate",
    "Checkpoint",
    "Choice",
    "CriticalMixture",
    "Crossing",
    "Decision",
    "Flip",
    "Forecast",
    "ForecastGrid",
    "Forecasts",
    "Interval",
    "Known",
    "Mix",
    "MixtureShare",
    "Outcome",
    "Plan",
    "Route",
    "SetAside",
    "Source",
    "Threshold",
    "UndeterminedForecastError",
    "allocate",
    "as_source",
    "breakeven",
    "breakevens",
    "choose_checkpoint",
    "critical_mixture",
    "decide",
    "forecast",
    "forecast_grid",
    "forecasts",
    "mixture_from_runs",
    "mixture_share",
    "named_checkpoints",
    "public_checkpoints",
    "read_checkpoints",
    "threshold",
]
