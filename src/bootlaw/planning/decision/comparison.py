"""Options side by side: losses, shares of the resamples, ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.cost import cost_of_flops
from bootlaw.planning.decision.answer import Decision, Status
from bootlaw.planning.decision.doubts import doubts
from bootlaw.planning.decision.equivalent import equivalent_tokens
from bootlaw.planning.decision.flips import find_flips
from bootlaw.planning.decision.option import Option, aligned, point_only
from bootlaw.planning.decision.outcome import Outcome
from bootlaw.planning.decision.setting import Setting
from bootlaw.planning.extrapolation import (
    FAR,
    decades_beyond,
    extrapolation_warnings,
    unearned_warnings,
)
from bootlaw.planning.question import other_size, settled
from bootlaw.planning.remarks import no_interval
from bootlaw.planning.source import Source
from bootlaw.planning.ties import ties
from bootlaw.planning.verdict import own_error

Floats = NDArray[np.float64]


def compare_options(
    question: Decision, setting: Setting, options: list[Option], rivals: Sequence[Source]
) -> Decision:
    """Return the question with its options compared; see `doubts` for when it is undetermined.

    Parameters
    ----------
    question : what was asked, and the options that could not be listed.
    rivals : the laws of runs from scratch, for tokens that are worth as much.
    """
    losses = _losses(question.budget, setting, options)
    usable = [i for i in range(len(options)) if np.isfinite(losses[0, i])]
    missing = dict(question.missing or {})
    for i in set(range(len(options))) - set(usable):
        missing[options[i].name] = "the budget does not pay for it"
    trained = [i for i in usable if options[i].source is not None]
    if not trained:
        reasons = tuple(f"{name}: {why}" for name, why in missing.items())
        return replace(question, missing=missing, reasons=reasons)
    order = sorted(usable, key=lambda i: losses[0, i])
    chosen, table = [options[i] for i in order], losses[:, order]
    tied = _ties(chosen, table)
    outcomes = tuple(
        _outcome(option, i, table, tied[i], question, setting, rivals)
        for i, option in enumerate(chosen)
    )
    reasons = doubts(outcomes)
    status: Status = "undetermined" if reasons else "tie" if sum(tied) > 1 else "ok"
    return replace(
        question,
        status=status,
        reasons=reasons,
        outcomes=outcomes,
        missing=missing,
        flips=() if reasons else find_flips(chosen, question.budget, setting.tokens_stage1, 0),
        n_replicates=len(table) - 1,
        warnings=(*_warnings(chosen, outcomes, setting), *question.warnings),
    )


def _losses(budget: float, setting: Setting, options: list[Option]) -> Floats:
    """Return losses (1 + r, k) of the options at the budget."""
    if not options:
        return np.empty((1, 0))
    budgets = np.array([budget])
    losses = aligned([option.losses(budgets, setting.tokens_stage1) for option in options])
    return losses[:1, :, 0] if point_only(options) else losses[..., 0]


def _ties(options: list[Option], losses: Floats) -> list[bool]:
    """Return which options the data cannot tell from the first, itself included."""
    laws = [option.source for option in options if option.source is not None]
    return [bool(tie) for tie in ties(losses, own_error(*laws))]


def _outcome(
    option: Option,
    number: int,
    losses: Floats,
    tie: bool,
    question: Decision,
    setting: Setting,
    rivals: Sequence[Source],
) -> Outcome:
    tokens = float(option.tokens(np.array([question.budget]))[0])
    asked = _asked(option, tokens, setting)
    lower, upper = _interval(option, asked, question.level)
    best = np.argmin(losses[1:], axis=1) if len(losses) > 1 else None
    equal = _equivalent(option, losses[0, number], rivals, setting)
    flops = option.per_token * tokens + option.paid if option.trains else option.paid
    per_token = option.per_token or setting.per_token
    return Outcome(
        name=option.name,
        kind=option.kind,
        params=option.params,
        tokens=tokens if option.trains else 0.0,
        loss=float(losses[0, number]),
        lower=lower,
        upper=upper,
        times_best=None if best is None else int(np.sum(best == number)),
        behind=float(losses[0, number] - losses[0, 0]),
        tie=tie,
        equivalent_tokens=equal,
        compute_multiplier=None if equal is None else equal * per_token / question.budget,
        cost=cost_of_flops(flops, setting.on) if setting.counts_flops else None,
        extrapolation={} if option.source is None else decades_beyond(option.source.ranges, asked),
        note=option.note,
        laws=() if option.source is None else option.source.shares,
    )


def _asked(option: Option, tokens: float, setting: Setting) -> dict[str, float]:
    stage1 = setting.tokens_stage1 if option.part == "reuse" else 0.0
    return {**option.columns, D1: stage1, D2: tokens}


def _interval(
    option: Option, asked: Mapping[str, float], level: float
) -> tuple[float | None, float | None]:
    found = None if option.source is None else option.source.interval(asked, option.part, level)
    return (None, None) if found is None else (float(found[0][0]), float(found[1][0]))


def _equivalent(
    option: Option, loss: float, rivals: Sequence[Source], setting: Setting
) -> float | None:
    """Return tokens from scratch that reach the option's loss; None where none do.

    At the option's own size where it trains; for a model taken as it is at the final size.
    """
    params = option.params if option.trains else setting.params
    size = {} if params is None else {N: params}
    speaking = (r for r in rivals if r.broken is None and other_size(r, size) is None)
    rival = next(speaking, None)
    if rival is None:
        return None
    at = settled(rival, {**setting.at, **size})
    found = float(equivalent_tokens(rival, at, np.array([loss]))[0])
    return found if np.isfinite(found) else None


def _warnings(
    options: list[Option], outcomes: tuple[Outcome, ...], setting: Setting
) -> tuple[str, ...]:
    found: list[str] = []
    for option, outcome in zip(options, outcomes, strict=True):
        if option.source is not None:
            tokens = outcome.tokens if option.trains else option.tokens_fixed or 0.0
            asked = _asked(option, tokens, setting)
            said = (
                *extrapolation_warnings(option.source.ranges, asked),
                *unearned_warnings(option.source, asked, option.part),
            )
            found += [f"{option.name}: {warning}" for warning in said]
    laws = [option.source for option in options if option.source is not None]
    if not all(law.has_intervals for law in laws):
        found.append(no_interval(*laws))
    return tuple(dict.fromkeys((*_one_law(laws, outcomes), *found)))


def _one_law(laws: list[Source], outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    """Return a warning where a base far beyond the pilots is judged by the form of one law.

    In simulation (docs/regret.md) that was wrong where another law was true, and the resamples
    of one law did not show it.
    """
    decades = max((outcome.extrapolation.get(D1, 0.0) for outcome in outcomes), default=0.0)
    if decades <= FAR / 2 or any(len(law.shares) > 1 for law in laws):
        return ()
    return (
        f"the base lies {decades:.1f} decades beyond those of the runs, where laws that fit them "
        "alike may decide otherwise, and resamples of one law do not show it: average the laws "
        "(bootlaw compare TABLE --out laws.json) and ask that",
    )
