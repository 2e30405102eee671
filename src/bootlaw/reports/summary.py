"""The answer in one paragraph of plain words; every sentence follows from the analysis."""

from __future__ import annotations

from collections.abc import Sequence

from bootlaw.reports import quantities as q
from bootlaw.reports import standing, words
from bootlaw.reports.analysis import MethodAnalysis
from bootlaw.reports.answer import untested
from bootlaw.reports.findings import BreakevenAnswer, Trend

AT_EQUAL = "at equal second-stage tokens, the base's training not counted"


def in_short(methods: Sequence[MethodAnalysis]) -> str:
    """Return the paragraph: effect, exponent, law, starting over, and what is left open."""
    sentences = [
        _effect(methods),
        _exponent(methods),
        _law(methods),
        _seen(methods),
        _starting_over(methods, "free", "Against the longest-trained base that exists already"),
        _starting_over(methods, "paid", "With the training of that base counted too"),
        _open(methods),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _name(method: MethodAnalysis) -> str:
    title = method.group.title.partition(",")[0]
    return title[:1].lower() + title[1:]


def _effect(methods: Sequence[MethodAnalysis]) -> str:
    measured = [method for method in methods if method.gain is not None]
    if not measured:
        return (
            "These runs cannot show how a second stage depends on its base: it takes two "
            "second-stage lengths on at least two bases."
        )
    parts = []
    for method in measured:
        gain = method.gain
        assert gain is not None
        parts.append(
            f"{_name(method)}: {q.nats(gain.on_shortest)} nats on the base of "
            f"{q.tokens(gain.shortest_base)} tokens, {q.nats(gain.on_longest)} on the base of "
            f"{q.tokens(gain.longest_base)}"
        )
    shrinking = [
        method.gain is not None and method.gain.on_longest < method.gain.on_shortest
        for method in measured
    ]
    if all(shrinking):
        head = "The longer the base was trained, the less its second stage still gained"
    elif any(shrinking):
        head = "Whether a longer-trained base leaves less to gain depends on the method"
    else:
        head = "A longer-trained base did not leave less to gain here"
    return f"{head} ({'; '.join(parts)})."


def _exponent(methods: Sequence[MethodAnalysis]) -> str:
    by_trend: dict[Trend, list[str]] = {}
    doubted = []
    for method in methods:
        doubt = standing.doubt(method.contests, method.main)
        if method.saturation is None:
            continue
        if doubt and method.saturation.trend in (Trend.FALLS, Trend.GROWS):
            within = words.within_main_law(method.saturation)
            doubted.append(f"for {_name(method)}, {within}, but {doubt}")
        else:
            by_trend.setdefault(method.saturation.trend, []).append(_name(method))
    phrases = {
        Trend.FALLS: "the exponent of the second stage falls with the logarithm of the base's "
        "tokens for {}",
        Trend.GROWS: "the exponent of the second stage grows with the base for {}",
        Trend.STEADY: "the exponent of the second stage does not fall noticeably for {}",
        Trend.UNDETERMINED: "whether the exponent of the second stage itself falls cannot be "
        "told for {}",
    }
    found = doubted + [
        phrase.format(q.listing(by_trend[trend]))
        for trend, phrase in phrases.items()
        if trend in by_trend
    ]
    return f"{words.sentence_case('; '.join(found))}." if found else ""


def _law(methods: Sequence[MethodAnalysis]) -> str:
    judged = [method for method in methods if any(contest.scored for contest in method.contests)]
    if not judged:
        reasons = dict.fromkeys(untested(method.problems).rstrip(".") for method in methods)
        why = "; ".join(reason for reason in reasons if reason)
        return f"Which law describes the runs best cannot be told{': ' if why else ''}{why}."
    winners = [
        set.intersection(*(set(contest.winners) for contest in method.contests if contest.scored))
        for method in judged
    ]
    common = set.intersection(*winners)
    if len(common) == 1 and all(len(found) == 1 for found in winners):
        return f"Of the laws, {words.law_name(common.pop())} predicts held-out runs best."
    if common:
        names = [words.law_name(key) for key in words.LAW_NAMES if key in common]
        return (
            f"No law wins clearly; {q.listing(names)} "
            f"{'is' if len(names) == 1 else 'are'} among the best in every hold-out test."
        )
    return "No law predicts held-out runs best in every test."


def _seen(methods: Sequence[MethodAnalysis]) -> str:
    compared = [method.ahead for method in methods if method.ahead is not None]
    if not compared:
        return ""
    better = sum(ahead.reuse_better for ahead in compared)
    count = sum(ahead.compared for ahead in compared)
    share = f"all {count}" if better == count else f"{better} of {count}"
    return f"In the runs themselves reuse beat starting over in {share} comparisons {AT_EQUAL}."


def _starting_over(methods: Sequence[MethodAnalysis], stage1: str, condition: str) -> str:
    """Return the verdicts on the longest-trained base, methods that agree said together."""
    by_clause: dict[str, list[str]] = {}
    for method in methods:
        answers = [answer for answer in method.breakevens if answer.stage1 == stage1]
        if answers:
            longest = max(answers, key=lambda answer: answer.tokens_stage1)
            by_clause.setdefault(_from_when(longest), []).append(_name(method))
    if not by_clause:
        return ""
    clauses = [
        clause if len(by_clause) == 1 else f"{q.listing(names)}: {clause}"
        for clause, names in by_clause.items()
    ]
    return f"{condition}, {'; '.join(clauses)}."


def _from_when(answer: BreakevenAnswer) -> str:
    """Return the verdict in a clause that leaves conditions and reasons to the cards below."""
    note = " (an extrapolation)" if answer.beyond_data or answer.beyond_scratch else ""
    if answer.status == "crossing" and answer.tokens is not None:
        where = q.tokens_with_interval(answer.tokens)
        return f"starting over catches up at {where} second-stage tokens{note}"
    if answer.status == "scratch_always_wins":
        return f"starting over is better at every length{note}"
    if answer.status == "reuse_always_wins":
        return f"reuse is better at every length that was searched{note}"
    if answer.status == "crossing" and answer.until is not None:
        return f"starting over is better only below {q.tokens(answer.until)} second-stage tokens"
    return "the runs cannot tell from which length starting over is better"


def _open(methods: Sequence[MethodAnalysis]) -> str:
    few = [method.main.diagnostics for method in methods if method.main is not None]
    codes = {item.code for diagnostics in few for item in diagnostics}
    gaps = []
    if "e_not_identified" in codes or "at_bound" in codes:
        gaps.append("the irreducible loss E, on which every extrapolation rests")
    if "few_trunks" in codes:
        gaps.append("intervals to rely on (there are too few trunks)")
    if any(len(contest.winners) > 1 for method in methods for contest in method.contests):
        gaps.append("the form of the law")
    if not gaps:
        return ""
    return f"What these runs do not give: {q.listing(gaps)}."
