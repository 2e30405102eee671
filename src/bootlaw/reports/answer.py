"""The answer about one method: verdict, paragraph, key numbers, open questions, diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bootlaw.fitting import Fit
from bootlaw.reports import caveats, standing, words
from bootlaw.reports import quantities as q
from bootlaw.reports.analysis import HOLDOUTS, MethodAnalysis
from bootlaw.reports.findings import BreakevenAnswer


@dataclass(frozen=True)
class Fact:
    """One key number with what it is and under which conditions."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Answer:
    """The answer about one method, in words; a paragraph is its heading and its text."""

    title: str
    verdict: str
    paragraphs: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    limits: tuple[str, ...]


def answer(method: MethodAnalysis) -> Answer:
    """Return the answer that the analysis of one method supports."""
    runs = method.group.runs
    return Answer(
        title=method.group.title,
        verdict=words.saturation_verdict(
            method.saturation, method.gain, standing.doubt(method.contests, method.main)
        ),
        paragraphs=_paragraphs(method),
        facts=tuple(_facts(method)),
        limits=tuple(
            caveats.limits(
                saturation=method.saturation,
                breakevens=method.breakevens,
                contests=method.contests,
                noise=method.noise,
                irreducible=irreducible(method.main),
                n_bases=int(runs.levels_stage1.size),
                n_lengths=int(runs.levels_stage2.size),
            )
        ),
    )


def irreducible(main: Fit | None) -> q.Interval | None:
    """Return E of a fit with its interval."""
    if main is None:
        return None
    estimate = main.estimates["E"]
    return q.Interval(estimate.value, estimate.lower, estimate.upper)


def diagnostics(method: MethodAnalysis) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return per fit its diagnostics in words; a part that failed says why."""
    found = []
    named = (
        ("The main law", "fit", method.main),
        ("Reuse and scratch together", "joint", method.joint),
    )
    for title, part, fit in named:
        if fit is not None:
            notes = tuple(item.message for item in fit.diagnostics)
            found.append((title, notes or ("Converged; nothing to report.",)))
        elif part in method.problems:
            found.append((title, (f"Not fitted: {method.problems[part]}",)))
    for contest in method.contests:
        if contest.holdout in method.problems:
            where = words.HOLDOUTS.get(contest.holdout, contest.holdout)
            found.append((f"Predicting {where}", (method.problems[contest.holdout],)))
    return tuple(found)


def _paragraphs(method: MethodAnalysis) -> tuple[tuple[str, str], ...]:
    tests = [words.contest_sentence(contest) for contest in method.contests if contest.scored]
    verdict = words.contest_verdict(method.contests, untested(method.problems))
    return (
        ("Gain", words.gain_sentence(method.gain)),
        ("Exponent", words.saturation_sentence(method.saturation, method.problems.get("fit", ""))),
        ("Law", " ".join([verdict, *tests])),
        ("Starting over", _starting_over(method)),
    )


def untested(problems: Mapping[str, str]) -> str:
    """Return why no hold-out test could be held, from the problems of an analysis."""
    if "fit" in problems:
        return "the main law cannot be fitted to these runs"
    found = (problems[holdout] for holdout in HOLDOUTS if holdout in problems)
    return next(found, "")


def _starting_over(method: MethodAnalysis) -> str:
    if method.joint is None:
        return words.breakeven_missing(
            method.problems["joint"], has_scratch=len(method.group.scratch) > 0
        )
    bases = dict.fromkeys(item.tokens_stage1 for item in method.breakevens)
    return " ".join(
        words.breakeven_sentence([item for item in method.breakevens if item.tokens_stage1 == base])
        for base in bases
    )


def _facts(method: MethodAnalysis) -> list[Fact]:
    facts = []
    gain, saturation = method.gain, method.saturation
    if gain is not None:
        facts.append(
            Fact(
                "Gain of the second stage, nats",
                f"{q.nats(gain.on_shortest)} → {q.nats(gain.on_longest)}",
                f"base of {q.tokens(gain.shortest_base)} → {q.tokens(gain.longest_base)} tokens; "
                f"D₂ from {q.tokens(gain.tokens_from)} to {q.tokens(gain.tokens_to)}",
            )
        )
    if saturation is not None:
        facts.append(
            Fact(
                "Exponent of the second stage",
                f"{q.number(saturation.at_shortest.value)} → "
                f"{q.number(saturation.at_longest.value)}",
                f"a3 = {q.with_interval(saturation.interaction)}",
            )
        )
    free = [item for item in method.breakevens if item.stage1 == "free"]
    if free and any(item.status != "undetermined" for item in free):
        facts.append(
            Fact(
                "Starting over is better from",
                " → ".join(_short(item) for item in free),
                "second-stage tokens, the base's training not counted; "
                + "; ".join(_noted(item) for item in free),
            )
        )
    return facts


def _short(item: BreakevenAnswer) -> str:
    if item.tokens is not None:
        return q.tokens(item.tokens.value)
    if item.until is not None:
        return f"below {q.tokens(item.until)}"
    return {"reuse_always_wins": "never", "scratch_always_wins": "the start"}.get(item.status, "?")


def _noted(item: BreakevenAnswer) -> str:
    """Return the base of one break-even, its interval, and whether it extrapolates."""
    base = f"base of {q.tokens(item.tokens_stage1)}"
    if item.tokens is not None:
        beyond = ", extrapolated" if item.beyond_data else ""
        return f"{base}: {q.tokens_with_interval(item.tokens)}{beyond}"
    if item.status == "undetermined":
        return f"{base}: cannot be told"
    return f"{base}: {_short(item)}, in the range searched"
