"""Answers from fitted laws: the loss to expect, and where starting over catches up."""

from bootlaw.planning.answers import Breakeven, Crossing, Interval
from bootlaw.planning.breakeven import breakeven
from bootlaw.planning.forecast import Forecast, UndeterminedForecastError, forecast

__all__ = [
    "Breakeven",
    "Crossing",
    "Forecast",
    "Interval",
    "UndeterminedForecastError",
    "breakeven",
    "forecast",
]
