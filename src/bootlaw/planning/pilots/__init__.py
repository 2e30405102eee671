"""Which runs to do next: candidates, what they cost, and what they would tell of a decision."""

from bootlaw.planning.pilots.answer import NextRuns, RankedRun
from bootlaw.planning.pilots.costs import CostRules
from bootlaw.planning.pilots.optimum import OptimumQuestion, size_question, split_question
from bootlaw.planning.pilots.questions import BreakevenQuestion, ForecastQuestion, Question
from bootlaw.planning.pilots.recommend import next_runs

__all__ = [
    "BreakevenQuestion",
    "CostRules",
    "ForecastQuestion",
    "NextRuns",
    "OptimumQuestion",
    "Question",
    "RankedRun",
    "next_runs",
    "size_question",
    "split_question",
]
