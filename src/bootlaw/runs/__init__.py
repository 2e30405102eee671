"""The run table: schema, units, readers, where-expressions, checks and the writer."""

from bootlaw.runs.check import Finding, RunCheck, check_runs
from bootlaw.runs.reader import read_numbers, read_runs
from bootlaw.runs.schema import COLUMNS, Column
from bootlaw.runs.table import RunTable, known_columns
from bootlaw.runs.writer import write_runs

__all__ = [
    "COLUMNS",
    "Column",
    "Finding",
    "RunCheck",
    "RunTable",
    "check_runs",
    "known_columns",
    "read_numbers",
    "read_runs",
    "write_runs",
]
