"""Fits of laws to run tables: objective, solver, uncertainty, diagnostics, comparison."""

from bootlaw.fitting.compare import compare
from bootlaw.fitting.diagnostics import Diagnostic
from bootlaw.fitting.fit import fit
from bootlaw.fitting.result import Estimate, Fit
from bootlaw.fitting.rows import FitRows, select_rows
from bootlaw.fitting.scoreboard import Comparison, ComparisonRow

__all__ = [
    "Comparison",
    "ComparisonRow",
    "Diagnostic",
    "Estimate",
    "Fit",
    "FitRows",
    "compare",
    "fit",
    "select_rows",
]
