"""The answer in a few short paragraphs of plain words; every sentence follows from the analysis."""

from __future__ import annotations

from collections.abc import Sequence

from bootlaw.reports import quantities as q
from bootlaw.reports import standing, words
from bootlaw.reports.analysis import MethodAnalysis
from bootlaw.reports.answer import untested
from bootlaw.reports.findings import BreakevenAnswer, Trend

AT_EQUAL = "at equal second-stage tokens, the base's training not counted"


def in_short(methods: Sequence[MethodAnalysis]) -> tuple[str, ...]:
    """Return the paragraphs: effect, exponent and law; starting over by method; what is open."""
    together = [_effect(methods), _exponent(methods), _law(methods)]
    found = [
        " ".join(sentence for sentence in together if sentence),
        *(_starting_over(method) for method in methods),
        _open(methods),
    ]
    return tuple(paragraph for paragraph in found if paragraph)


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


def _starting_over(method: MethodAnalysis) -> str:
    seen = _seen(method)
    free = [answer for answer in method.breakevens if answer.stage1 == "free"]
    if not free:
        return seen
    longest = max(free, key=lambda answer: answer.tokens_stage1)
    base = q.tokens(longest.tokens_stage1)
    sentences = [seen, f"For a base of {base} tokens that exists already, {_from_when(longest)}."]
    paid = [answer for answer in method.breakevens if answer.stage1 == "paid"]
    if paid:
        counted = words.breakeven_clause(max(paid, key=lambda answer: answer.tokens_stage1))
        sentences.append(f"With the training of that base counted too, {counted}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _seen(method: MethodAnalysis) -> str:
    ahead = method.ahead
    name = words.sentence_case(_name(method))
    if ahead is None:
        return ""
    if ahead.reuse_better == ahead.compared:
        return (
            f"{name}: reuse beat starting over at every second-stage length that was run "
            f"({ahead.compared} comparisons {AT_EQUAL})."
        )
    return (
        f"{name}: reuse beat starting over in {ahead.reuse_better} of {ahead.compared} comparisons "
        f"{AT_EQUAL}."
    )


def _from_when(answer: BreakevenAnswer) -> str:
    if answer.status == "crossing" and answer.beyond_data and answer.tokens is not None:
        return (
            f"the fitted law puts the point where starting over catches up at "
            f"{q.tokens_with_interval(answer.tokens)} second-stage tokens, beyond the runs, so an "
            "extrapolation"
        )
    return words.breakeven_clause(answer)


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
