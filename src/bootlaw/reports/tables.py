"""The tables of the page, as headings and rows of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bootlaw.fitting import Fit
from bootlaw.reports import quantities as q
from bootlaw.reports import words
from bootlaw.reports.analysis import MethodAnalysis
from bootlaw.reports.findings import BreakevenAnswer, Contest, ContestRow


@dataclass(frozen=True)
class TextTable:
    """A table for people: the first cell of each row is its heading.

    `strong` holds the indices of the rows to stress.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int] = frozenset()


def contest_table(contest: Contest, where: str) -> TextTable:
    """Return the laws in one hold-out test, best first."""
    rows = tuple(
        (
            words.sentence_case(words.law_name(row.law).removeprefix("the ")),
            str(row.n_params),
            q.percent(row.rms_out),
            _verdict(contest, row),
            q.percent(row.coverage, 0),
            q.percent(row.rms_in),
            "–" if row.weight is None else f"{row.weight:.2f}",
            row.status.replace("_", " "),
        )
        for row in contest.rows
    )
    return TextTable(
        caption=f"Held out: {where}, {contest.n_out} of {contest.n_in + contest.n_out} runs",
        headings=(
            "Law",
            "Parameters",
            "Held-out error",
            "Verdict",
            "In 90 % interval",
            "Fitted error",
            "Stacking weight",
            "Fit",
        ),
        rows=rows,
        strong=frozenset({0} if contest.scored else ()),
    )


def _verdict(contest: Contest, row: ContestRow) -> str:
    if row.law not in contest.winners:
        return ""
    return "best" if row.law == contest.winners[0] else "tie"


def parameter_table(fit: Fit) -> TextTable:
    """Return the parameters of a fit with their intervals and units."""
    rows = tuple(
        (
            name,
            q.number(estimate.value),
            "–"
            if estimate.lower is None or estimate.upper is None
            else f"{q.number(estimate.lower)} to {q.number(estimate.upper)}",
            estimate.unit,
        )
        for name, estimate in fit.estimates.items()
    )
    return TextTable(
        caption=f"{fit.law.formula}; {fit.n_rows} runs, RMS error {q.percent(fit.rms_log)}",
        headings=("Parameter", "Value", f"{100 * fit.level:g} % interval", "Unit"),
        rows=rows,
    )


def breakeven_table(answers: Sequence[BreakevenAnswer]) -> TextTable:
    """Return the second-stage tokens from which starting over is better, by base and cost."""
    rows = tuple(
        (
            q.tokens(answer.tokens_stage1),
            {"free": "already paid", "paid": "counted too"}.get(answer.stage1, answer.stage1),
            words.sentence_case(words.breakeven_clause(answer)),
        )
        for answer in answers
    )
    return TextTable(
        caption="When starting over is better (joint fit of reuse and scratch runs, one E)",
        headings=("Base tokens D₁", "Training of the base", "Verdict"),
        rows=rows,
    )


def loss_table(method: MethodAnalysis) -> TextTable:
    """Return the mean loss over seeds by D1 (rows) and D2 (columns), scratch in the first row."""
    runs, scratch = method.group.runs, method.group.scratch
    lengths = np.union1d(runs.levels_stage2, scratch.levels_stage2)
    rows = []
    if len(scratch):
        rows.append(("scratch", *(q.nats(scratch.mean_loss(0.0, d2)) for d2 in lengths)))
    for level in runs.levels_stage1:
        cells = (q.nats(runs.mean_loss(float(level), float(d2))) for d2 in lengths)
        rows.append((q.tokens(float(level)), *cells))
    return TextTable(
        caption="Held-out loss after stage 2 in nats per token, mean over "
        + ("seeds" if method.noise.by_seed else "repeated runs"),
        headings=("D₁ \\ D₂", *(q.tokens(float(length)) for length in lengths)),
        rows=tuple(rows),
    )
