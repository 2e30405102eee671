"""The answer in words: every sentence follows from a record of `findings`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bootlaw.reports import quantities as q
from bootlaw.reports.findings import (
    BreakevenAnswer,
    Contest,
    Gain,
    Noise,
    Saturation,
    Trend,
)

LAW_NAMES = {
    "bootstrapped": "the main law (with interaction)",
    "multiplicative": "the law without interaction (a3 = 0)",
    "total-tokens": "the law of total tokens (no shift)",
    "additive": "the additive law",
    "effective-data": "the law of effective data",
    "power": "the one-stage power law",
}

HOLDOUTS = {
    "lowest-loss": "the tenth of the runs with the lowest loss",
    "largest-d1": "the runs from the longest-trained base",
}


def law_name(key: str) -> str:
    """Return the plain name of a law."""
    return LAW_NAMES.get(key, f"the law {key}")


def sentence_case(text: str) -> str:
    """Return `text` with a capital first letter."""
    return text[:1].upper() + text[1:]


def gain_sentence(gain: Gain | None) -> str:
    """Return how much the second stage gains on the shortest and on the longest base."""
    if gain is None:
        return (
            "The gain of the second stage cannot be compared between bases: no two second-stage "
            "lengths were run on both the shortest and the longest base."
        )
    less = gain.on_longest < gain.on_shortest
    return (
        f"From {q.tokens(gain.tokens_from)} to {q.tokens(gain.tokens_to)} second-stage tokens the "
        f"loss fell by {q.nats(gain.on_shortest)} nats on the base trained on "
        f"{q.tokens(gain.shortest_base)} tokens, and by {'only ' if less else ''}"
        f"{q.nats(gain.on_longest)} nats on the one trained on {q.tokens(gain.longest_base)}."
    )


def saturation_verdict(
    saturation: Saturation | None, gain: Gain | None = None, doubt: str = ""
) -> str:
    """Return the verdict on the second stage, as a short sentence.

    `doubt` (see `standing`) confines a verdict on the exponent to the main law.
    """
    shrinks = gain is not None and gain.on_longest < gain.on_shortest
    if saturation is None:
        return (
            "The gain shrinks on longer-trained bases; by which law cannot be told."
            if shrinks
            else "Whether the second stage saturates cannot be told."
        )
    if doubt and saturation.trend in (Trend.FALLS, Trend.GROWS):
        return f"{sentence_case(within_main_law(saturation))}; {doubt}."
    if saturation.trend is Trend.FALLS:
        return "The second stage saturates: its exponent falls as the base is trained longer."
    exponent = {
        Trend.STEADY: "the exponent of the second stage does not fall noticeably.",
        Trend.GROWS: "the exponent of the second stage does not fall; here it grows.",
        Trend.UNDETERMINED: "whether the exponent of the second stage falls cannot be told.",
    }[saturation.trend]
    if not shrinks:
        return sentence_case(exponent)
    link = "; " if saturation.trend is Trend.UNDETERMINED else ", but "
    return f"The gain shrinks on longer-trained bases{link}{exponent}"


def within_main_law(saturation: Saturation) -> str:
    """Return what the main law says of the exponent, as no more than that law's word."""
    moves = "falls" if saturation.trend is Trend.FALLS else "grows"
    a3 = q.with_interval(saturation.interaction)
    return f"within the main law the exponent {moves} (a3 = {a3})"


def saturation_sentence(saturation: Saturation | None, problem: str = "") -> str:
    """Return a3 with its interval and the exponents at the ends of the grid.

    `problem` says why there is none where `saturation` is None.
    """
    if saturation is None:
        why = f": {problem.rstrip('.')}" if problem else ""
        return f"The main law could not be fitted, so there is no exponent to quote{why}."
    a3 = q.with_interval(saturation.interaction)
    share = f"{100 * saturation.level:g} %"
    reason = {
        Trend.FALLS: f"a3 = {a3}, a {share} interval wholly above zero",
        Trend.GROWS: f"a3 = {a3}, a {share} interval wholly below zero",
        Trend.STEADY: f"a3 = {a3} ({share} interval), less than a tenth of the exponent over "
        "the whole grid",
        Trend.UNDETERMINED: f"a3 = {a3}, a {share} interval that includes zero"
        if saturation.interaction.known
        else f"a3 = {a3}, without an interval",
    }[saturation.trend]
    joint = (
        f" Together with the runs from scratch, a3 = "
        f"{q.with_interval(saturation.joint_interaction)}."
        if saturation.joint_interaction is not None and saturation.joint_differs
        else ""
    )
    return (
        f"In the main law {reason}: the exponent of D₂ is "
        f"{q.with_interval(saturation.at_shortest)} at D₁ = {q.tokens(saturation.shortest_base)} "
        f"and {q.with_interval(saturation.at_longest)} at D₁ = "
        f"{q.tokens(saturation.longest_base)}.{joint}"
    )


def contest_verdict(contests: Sequence[Contest], problem: str = "") -> str:
    """Return which law predicts held-out runs best over all tests, or that laws tie.

    `problem` says why no test could be held.
    """
    judged = [contest for contest in contests if contest.scored]
    if not judged:
        why = f": {problem.rstrip('.')}" if problem else ""
        return f"Which law describes the data best cannot be told{why}."
    if all(contest.all_tie for contest in judged):
        counts = q.listing([str(contest.n_out) for contest in judged])
        return f"Out of sample it is a tie: {counts} held-out runs cannot tell the laws apart."
    common = set(judged[0].winners).intersection(*(contest.winners for contest in judged[1:]))
    if len(common) == 1 and all(len(contest.winners) == 1 for contest in judged):
        return f"Out of sample, {law_name(common.pop())} describes the data best."
    if len(common) == 1:
        return (
            f"Out of sample, {law_name(common.pop())} is the only one among the best in every "
            "test, though some tie with it in single tests."
        )
    if common:
        names = [law_name(key) for key in judged[0].winners if key in common]
        return f"Out of sample it is a tie between {q.listing(names)}."
    return "Out of sample the tests disagree about which law is best."


def contest_sentence(contest: Contest) -> str:
    """Return the result of one hold-out test."""
    where = HOLDOUTS.get(contest.holdout, f"hold-out {contest.holdout}")
    if not contest.scored:
        return f"Predicting {where}: not possible with these runs."
    best, *others = contest.scored
    ties = [law_name(row.law) for row in others if row.tie]
    tied = f", tied with {q.listing(ties)}" if ties and not contest.all_tie else ""
    return (
        f"Predicting {where} ({contest.n_out} of {contest.n_in + contest.n_out}), "
        f"{law_name(best.law)} errs least, by {q.percent(best.rms_out)}{tied}"
        f"{_main_law_error(contest)}."
    )


def _main_law_error(contest: Contest) -> str:
    error = contest.error_of("bootstrapped")
    if error is None or contest.scored[0].law == "bootstrapped":
        return ""
    return f"; the main law errs by {q.percent(error)}"


COSTS = {
    "free": "if that base exists already",
    "paid": "if its training is counted too",
}


def breakeven_sentence(answers: Sequence[BreakevenAnswer]) -> str:
    """Return when starting over is better than reusing one base; `answers` differ in the cost."""
    base = q.tokens(answers[0].tokens_stage1)
    clauses = [
        f"{COSTS.get(answer.stage1, answer.stage1)}, {breakeven_clause(answer)}"
        for answer in answers
    ]
    return f"Base of {base} tokens: {'; '.join(clauses)}."


def breakeven_clause(answer: BreakevenAnswer) -> str:
    """Return which way is better from which length on, for one base and one cost."""
    if answer.status == "reuse_always_wins":
        searched = q.tokens(answer.search[1])
        return f"reuse is better at every length (searched to {searched} tokens){_reach(answer)}"
    if answer.status == "scratch_always_wins":
        searched = q.tokens(answer.search[0])
        return (
            f"starting over is better at every length (searched from {searched} tokens)"
            f"{_reach(answer)}"
        )
    if answer.status == "crossing" and answer.tokens is not None:
        where = q.tokens_with_interval(answer.tokens)
        outside = _outside(answer, answer.tokens.value)
        return (
            f"starting over is better from {where} second-stage tokens on{outside}{_reach(answer)}"
        )
    if answer.status == "crossing" and answer.until is not None:
        outside = _outside(answer, answer.until)
        return (
            f"starting over is better only below {q.tokens(answer.until)} second-stage "
            f"tokens{outside}{_reach(answer)}"
        )
    reason = f" ({answer.reason.rstrip('.')})" if answer.reason else ""
    return f"the runs cannot tell from which length starting over is better{reason}"


def _outside(answer: BreakevenAnswer, tokens: float) -> str:
    if tokens > answer.data[1]:
        return f" (beyond the runs, which end at {q.tokens(answer.data[1])})"
    if tokens < answer.data[0]:
        return f" (below the shortest run, {q.tokens(answer.data[0])})"
    return ""


def _reach(answer: BreakevenAnswer) -> str:
    """Return that the tokens which starting over gets for the base's compute were never run."""
    if not answer.beyond_scratch or answer.longest_scratch is None:
        return ""
    return (
        f" – an extrapolation: starting over then gets {q.tokens(answer.scratch_tokens)} tokens, "
        f"and the runs from scratch end at {q.tokens(answer.longest_scratch)}"
    )


def breakeven_missing(problem: str, *, has_scratch: bool) -> str:
    """Return why there is no break-even, and how to get one where scratch runs are lacking."""
    remedy = (
        ""
        if has_scratch
        else " It takes runs of the same model from scratch (tokens_stage1 = 0) on the same text."
    )
    return f"When starting over is better cannot be said: {problem.rstrip('.')}.{remedy}"


_REPEATS = {True: "seeds (initialisation, data order, own trunk)", False: "repeated runs"}


def noise_sentence(noise: Noise) -> str:
    """Return how large seed and sampling noise are, and what they are to be compared with."""
    if noise.n_cells == 0 and not noise.by_seed:
        seeds = "No setting was run twice, so the noise between repeated runs is unknown."
    elif noise.n_cells == 0:
        seeds = (
            "No setting was run with more than one seed, so the noise between seeds is unknown; "
            "a second seed of a few cells would tell."
        )
    else:
        seeds = (
            f"Between {_REPEATS[noise.by_seed]} the loss varies by "
            f"{q.percent(noise.relative_sd)} (standard deviation, from "
            f"{q.plural(noise.n_runs, 'run')} in {q.plural(noise.n_cells, 'setting')})."
        )
    if not math.isfinite(noise.sampling_error):
        return seeds
    rest = (
        "most of it cancels when two runs are compared"
        if noise.paired_error is None
        else f"only {q.number(noise.paired_error, 2)} nats of it remain when two runs are compared"
    )
    return (
        f"{seeds} The held-out text is a sample: one loss carries a standard error of "
        f"{q.number(noise.sampling_error, 2)} nats, but all runs read the same text, so {rest}."
    )


def lead(*, n_runs: int, n_bases: int, titles: Sequence[str]) -> str:
    """Return what was measured, as the first sentence of the page."""
    ways = q.listing([_lower_first(title) for title in titles])
    return (
        f"{q.plural(n_runs, 'second-stage run')} from {q.plural(n_bases, 'base length')} "
        f"({ways}): how much a second stage still gains when its base was trained longer, which "
        "law describes it, and when starting over is the better choice."
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
