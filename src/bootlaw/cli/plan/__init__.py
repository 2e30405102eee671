"""``bootlaw plan``: answers from fitted laws and published coefficients."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.plan import allocate, breakeven, choose, decide, forecast, mixture, next

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

QUESTIONS = (decide, forecast, breakeven, allocate, choose, mixture, next)


def add_parser(subparsers: Subparsers) -> None:
    """Add the command's parser and those of its questions."""
    parser = subparsers.add_parser(
        "plan", help="reuse or restart: losses to expect, break-evens, budgets, checkpoints, runs"
    )
    questions = parser.add_subparsers(dest="question", metavar="QUESTION", required=True)
    for question in QUESTIONS:
        question.add_parser(questions)
