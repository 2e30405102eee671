"""Fits of laws to run tables: objective, solver, uncertainty, diagnostics, comparison."""

from bootlaw.fitting.average import LawAverage, average_laws
from bootlaw.fitting.beyond import interval_beyond, misfit
from bootlaw.fitting.compare import compare
from bootlaw.fitting.ensemble import EnsembleForecast
from bootlaw.fitting.evidence import Diagnostic
from bootlaw.fitting.fit import fit
from bootlaw.fitting.jointly import fit_jointly
from bootlaw.fitting.misfit import Misfit, RollOut
from bootlaw.fitting.result import Estimate, Fit
from bootlaw.fitting.rows import select_rows
from bootlaw.fitting.scoreboard import Comparison, ComparisonRow
from bootlaw.fitting.selection import FitRows
from bootlaw.fitting.several import Comparisons
from bootlaw.fitting.slices import PowerLawSlice, per_base_power_laws, per_stage2_power_laws

__all__ = [
    "Comparison",
    "ComparisonRow",
    "Comparisons",
    "Diagnostic",
    "EnsembleForecast",
    "Estimate",
    "Fit",
    "FitRows",
    "LawAverage",
    "Misfit",
    "PowerLawSlice",
    "RollOut",
    "average_laws",
    "compare",
    "fit",
    "fit_jointly",
    "interval_beyond",
    "misfit",
    "per_base_power_laws",
    "per_stage2_power_laws",
    "select_rows",
]
