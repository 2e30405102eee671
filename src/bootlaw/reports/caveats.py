"""What the data cannot tell, and what does not carry over, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bootlaw.reports import quantities as q
from bootlaw.reports.findings import (
    BreakevenAnswer,
    Contest,
    Noise,
    Saturation,
    Scale,
    Trend,
    Trunks,
)


def limits(
    *,
    saturation: Saturation | None,
    breakevens: Sequence[BreakevenAnswer],
    contests: Sequence[Contest],
    noise: Noise,
    irreducible: q.Interval | None,
    n_bases: int,
    n_lengths: int,
) -> list[str]:
    """Return what the data cannot tell, one sentence each; empty where nothing is open."""
    found = []
    if n_bases < 2:
        found.append(
            "How the gain depends on the base: all runs start from one base length; run at least "
            "three."
        )
    elif n_bases < 4:
        found.append(
            f"The shape of the fall: {n_bases} base lengths cannot tell a logarithm from another "
            "curve."
        )
    if n_lengths < 3:
        found.append(
            f"Whether the second stage follows a power law: {q.plural(n_lengths, 'length')} of it "
            "cannot bend; run at least three."
        )
    found += _open_questions(saturation, contests, irreducible)
    if any(answer.beyond_data or answer.beyond_scratch for answer in breakevens):
        found.append(
            "The break-even where it, or the run from scratch that it compares with, lies beyond "
            "the lengths that were run: the form of the law decides there as much as the data."
        )
    found += _open_breakevens(breakevens)
    if noise.n_cells == 0:
        again = "has a second seed" if noise.by_seed else "was run twice"
        found.append(f"How much of the scatter is chance: no setting {again}.")
    return found


def _open_breakevens(breakevens: Sequence[BreakevenAnswer]) -> list[str]:
    """Return which break-evens stay open, by base and by what is counted."""
    costs = {"free": "with its training already paid", "paid": "with its training counted"}
    named = [
        f"of the base of {q.tokens(answer.tokens_stage1)} tokens "
        f"{costs.get(answer.stage1, answer.stage1)}"
        for answer in breakevens
        if answer.status == "undetermined"
    ]
    return [f"The break-even {q.listing(named)}: the fit leaves it open."] if named else []


def _open_questions(
    saturation: Saturation | None,
    contests: Sequence[Contest],
    irreducible: q.Interval | None,
) -> list[str]:
    found = []
    if saturation is not None and saturation.trend is Trend.UNDETERMINED:
        found.append("The sign of a3: more bases, further apart, would narrow it most.")
    if any(len(contest.winners) > 1 for contest in contests):
        counts = q.listing([str(contest.n_out) for contest in contests if contest.scored])
        found.append(
            "Which form is right: at least two laws predict the held-out runs equally well "
            f"({counts} runs held out)."
        )
    if irreducible is not None and irreducible.known and irreducible.value > 0:
        wide = irreducible.half_width > 0.15 * irreducible.value
        if wide:
            found.append(
                f"The irreducible loss E, {q.with_interval(irreducible)} nats, against which the "
                "exponents trade off."
            )
    return found


def carries_over(
    scale: Scale, trunks: Trunks, tokenizers: Sequence[str], *, own_study: bool
) -> list[str]:
    """Return what does and what does not carry over from models of this size, in sentences.

    `own_study` says that ``bootlaw study`` trained the runs, so that their set-up is known.
    """
    sizes = (
        q.tokens(scale.smallest_params)
        if scale.smallest_params == scale.largest_params
        else f"{q.tokens(scale.smallest_params)} to {q.tokens(scale.largest_params)}"
    )
    ratios = [
        f"{low:,.0f} to {high:,.0f} tokens per parameter in stage {stage}"
        for stage, ends in (
            (1, scale.tokens_per_param_stage1),
            (2, scale.tokens_per_param_stage2),
        )
        if ends is not None
        for low, high in [ends]
    ]
    covered = f" and {q.listing(ratios)}" if ratios else ""
    units = (
        " Tokens are bytes here, not the sub-words of a production tokenizer, so neither losses "
        "nor token counts compare with those of other models."
        if "bytes" in {name.lower() for name in tokenizers}
        else ""
    )
    size = (
        f"These models have {sizes} parameters{covered}."
        if math.isfinite(scale.smallest_params)
        else "The table does not say how large the models are."
    )
    return [
        size,
        "What carries over is the direction of the effect, where its interval shows one, and the "
        "way of planning: measure a few bases, fit, compare laws on held-out runs, ask for the "
        "break-even with its interval.",
        "What does not carry over are the coefficients, the irreducible loss E and the break-even "
        f"in tokens: they belong to this model, text and tokenizer.{units}",
        _draws(trunks) + (UNTUNED if own_study else ""),
    ]


UNTUNED = " The learning rate was not tuned at length, and a better one may shift every curve."


def _draws(trunks: Trunks) -> str:
    if trunks.count is None:
        return (
            "The table names neither trunks nor seeds, so the intervals take all runs as "
            "independent; they are too narrow where runs share one trunk. A column trunk (or "
            "seed) would tell."
        )
    if not trunks.named:
        return (
            "Not every run names its trunk; runs of one seed, method, size and base stand in for "
            f"it and count as one draw in the intervals, {trunks.count:,} in all."
        )
    return (
        f"The runs branch off {q.plural(trunks.count, 'trunk')}; runs of one trunk share their "
        "early noise, so they count as one draw in the intervals."
    )
