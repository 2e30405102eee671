"""Which of the available checkpoints to start a second stage from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity, words
from bootlaw.planning.bases import at_bases
from bootlaw.planning.checkpoints import Checkpoint, public_checkpoints, read_checkpoints
from bootlaw.planning.choice import Candidate, Choice, SetAside
from bootlaw.planning.cost import Hardware, cost_of_flops
from bootlaw.planning.eligibility import Asked, flags, refusal, remarks
from bootlaw.planning.extrapolation import (
    decades_beyond,
    extrapolation_warnings,
    unearned_warnings,
)
from bootlaw.planning.remarks import no_interval
from bootlaw.planning.source import AnySource, Source, as_source
from bootlaw.planning.ties import shares_best, ties
from bootlaw.planning.verdict import OUT_OF_SIGHT_DECADES, own_error

Floats = NDArray[np.float64]


def choose_checkpoint(
    checkpoints: Sequence[Checkpoint] | str | Path | None,
    source: AnySource,
    *,
    tokens_stage2: float | None = None,
    budget: float | None = None,
    params: float | None = None,
    max_params: float | None = None,
    tokenizer: str | None = None,
    schedule_state: str | None = None,
    outside: bool = False,
    on: Hardware | None = None,
    level: float | None = None,
) -> Choice:
    """Rank checkpoints by the loss that they reach after a second stage on the law's domain.

    The loss is that on the second stage's text that the law was fitted to: a fit to runs
    continued on code ranks bases for code. `bootlaw.planning.ties` says which are tied.

    Parameters
    ----------
    checkpoints : those to choose from; the path of a table of them; None for the public ones.
    source : a fit of a two-stage law, its path, a preset or its name.
    tokens_stage2, budget : what the second stage gets, one of the two. With a `budget` in FLOPs
        every checkpoint gets the tokens that it buys, counted from the checkpoint's shape.
    params : for a law that reads N, the non-embedding parameters of the final model, where
        checkpoints are to be grown to it; without it each keeps its own size. For a law that
        does not, the size of the bases that it was fitted to: others are set aside. A fit to
        continued runs knows it.
    max_params : the most parameters that one token may use, for serving.
    tokenizer, schedule_state : of the runs behind the law; checkpoints that differ are flagged.
    outside : rank distilled, pruned, post-trained, continued and grown models and mixtures of
        experts too, with a flag.
    on : hardware, for days and money.
    level : of the intervals; the source's own by default.

    Raises
    ------
    InputError
        When the budget makes no sense, there is no checkpoint, or the law is of another kind.
    """
    rests_on = as_source(source)
    level = validity.check_level(rests_on.level if level is None else level)
    tokens_stage2, budget, params, max_params = (
        validity.check_optional(name, value)
        for name, value in (
            (D2, tokens_stage2),
            ("budget", budget),
            (N, params),
            ("max_params", max_params),
        )
    )
    params = _fitted_size(rests_on) if params is None else params
    asked = Asked(tokens_stage2, budget, params, max_params, tokenizer, schedule_state, outside, on)
    _check(asked, rests_on)
    known = _listed(checkpoints)
    given = {D2: tokens_stage2} if tokens_stage2 is not None else {"flops": budget or 0.0}
    choice = Choice(rests_on.law.key, rests_on.label, given, level, laws=rests_on.shares)
    if rests_on.broken is not None:
        return replace(choice, reasons=(rests_on.broken,), warnings=rests_on.warnings)
    return _answer(choice, known, rests_on, asked)


def _check(asked: Asked, source: Source) -> None:
    if (asked.tokens_stage2 is None) == (asked.budget is None):
        raise InputError("say tokens_stage2 or a budget, one of the two")
    law = source.law
    if not source.answers("reuse"):
        raise InputError(
            f"the law {law.key} has one stage and says nothing of bases; fit a law of two stages, "
            "such as bootstrapped-joint"
        )
    others = set(law.variables) - {D1, D2, N}
    if others or law.single_level:
        why = f"also needs {', '.join(sorted(others))}" if others else "holds for one base only"
        raise InputError(
            f"the law {law.key} {why}; choose with a law of tokens and sizes, such as "
            "bootstrapped-joint"
        )
    if N not in law.variables and asked.params is None:
        raise InputError(
            f"the law {law.key} holds for one model size; say for which with params (--params), "
            "the non-embedding parameters of the bases that it was fitted to"
        )


def _fitted_size(source: Source) -> float | None:
    """Return the size of the bases of a law that does not read it, where the runs tell it.

    Continued pretraining keeps a base's size; a grown model's does not tell it.
    """
    low, high = source.ranges.get(N, (math.nan, math.nan))
    one_size = N not in source.law.variables and high <= low * (1 + SAME_LEVEL)
    return high if one_size and source.method == "cpt" else None


def _listed(checkpoints: Sequence[Checkpoint] | str | Path | None) -> tuple[Checkpoint, ...]:
    if checkpoints is None:
        return public_checkpoints()
    if isinstance(checkpoints, str | Path):
        return read_checkpoints(checkpoints)
    for one in checkpoints:
        validity.check_kind("a checkpoint", one, Checkpoint, "one of public_checkpoints()")
    names = [one.name for one in checkpoints]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not names or twice is not None:
        found = (
            "there is no checkpoint to choose from" if not names else f"{twice!r} is there twice"
        )
        raise InputError(f"{found}; list checkpoints with names of their own")
    return tuple(checkpoints)


def _answer(choice: Choice, known: tuple[Checkpoint, ...], source: Source, asked: Asked) -> Choice:
    """Return the choice with its ranking filled in."""
    refused = {one.name: refusal(one, source, asked) for one in known}
    runs = _planned([one for one in known if refused[one.name] is None], source, asked)
    far = _too_far(runs, source, asked)
    beyond = dict(zip([one.name for one in runs.checkpoints], far, strict=True))
    left_out = {**refused, **beyond}
    keep = [not beyond[one.name] for one in runs.checkpoints]
    runs = runs.only(keep)
    source = _about(runs, source)
    candidates = _ranked(runs, source, asked, choice.level)
    ranked = {one.name: one for one in runs.checkpoints}
    return replace(
        choice,
        candidates=candidates,
        laws=source.shares,
        set_aside=tuple(SetAside(name, why) for name, why in left_out.items() if why),
        reasons=() if candidates else ("the law can be asked about none of the checkpoints",),
        warnings=(
            *_about_best(candidates, source, asked),
            *remarks(ranked, source, asked),
            *(() if source.has_intervals or source.published else (no_interval(source),)),
            *source.warnings,
        ),
    )


@dataclass(frozen=True)
class _Runs:
    """A second stage for each of n checkpoints.

    Attributes
    ----------
    columns : (n,) D1, D2 and N of the final model.
    active : (n,) parameters that one token uses in it.
    flops_per_token : (n,) of training it.
    """

    checkpoints: tuple[Checkpoint, ...]
    columns: Mapping[str, Floats]
    active: Floats
    flops_per_token: Floats

    def only(self, keep: Sequence[bool]) -> _Runs:
        """Return those of some checkpoints."""
        mask = np.array(keep, dtype=bool)
        return _Runs(
            tuple(one for one, kept in zip(self.checkpoints, keep, strict=True) if kept),
            {name: values[mask] for name, values in self.columns.items()},
            self.active[mask],
            self.flops_per_token[mask],
        )


def _planned(usable: Sequence[Checkpoint], source: Source, asked: Asked) -> _Runs:
    final = asked.grown(source)
    active = [final or one.params_active or math.nan for one in usable]
    per_token = [asked.flops_per_token(one, source) for one in usable]
    columns = {
        D1: [one.tokens for one in usable],
        D2: [asked.tokens(each) for each in per_token],
        N: [final or one.params for one in usable],
    }
    return _Runs(
        tuple(usable),
        {name: np.array(values, dtype=np.float64) for name, values in columns.items()},
        np.array(active, dtype=np.float64),
        np.array(per_token, dtype=np.float64),
    )


def _too_far(runs: _Runs, source: Source, asked: Asked) -> list[str]:
    """Return, per run, why the law has left what it can describe; empty where it has not.

    A law whose loss does not fall when the second stage is made longer, such as the main law
    beyond D1 = exp(a2 / a3), is asked too far out; so is any beyond three decades from its runs.
    """
    if not runs.checkpoints:
        return []
    if asked.tokens_stage2 is None and np.all(runs.columns[D2] < 1):
        raise InputError("the budget does not buy one token of a second stage on any checkpoint")
    here = source.loss(runs.columns, "reuse")[0]
    longer = source.loss({**runs.columns, D2: 2 * runs.columns[D2]}, "reuse")[0]
    falls = [
        ""
        if math.isfinite(loss) and after < loss
        else f"at its {words.tokens(tokens)} stage-1 tokens the law's loss no longer falls with "
        "more stage-2 tokens: it is asked too far out"
        for loss, after, tokens in zip(here, longer, runs.columns[D1], strict=True)
    ]
    return [why or _out_of_sight(runs, place, source) for place, why in enumerate(falls)]


def _out_of_sight(runs: _Runs, place: int, source: Source) -> str:
    """Return what lies more than three decades outside the data; empty where nothing does."""
    beyond = decades_beyond(source.ranges, _read(runs, place, source))
    far = [words.VARIABLES[k] for k, decades in beyond.items() if decades > OUT_OF_SIGHT_DECADES]
    if not far:
        return ""
    return f"its {' and '.join(far)} lie more than three decades outside the data of the law"


def _about(runs: _Runs, source: Source) -> Source:
    """Return what speaks of all the checkpoints: of an average, the same laws rank them all."""
    others = {name: runs.columns[name] for name in (N,) if name in source.law.variables}
    return at_bases(source, runs.columns[D1], others)


def _ranked(runs: _Runs, source: Source, asked: Asked, level: float) -> tuple[Candidate, ...]:
    """Return the candidates, the best first."""
    if not runs.checkpoints:
        return ()
    losses = source.loss(runs.columns, "reuse")
    ends = source.interval(runs.columns, "reuse", level)
    shares, tied = shares_best(losses), ties(losses, own_error(source))
    costs = cost_of_flops(runs.flops_per_token * runs.columns[D2], asked.on)
    found = [
        Candidate(
            name=one.name,
            hub_id=one.hub_id,
            params=one.params or math.nan,
            params_active=float(runs.active[place]),
            tokens_stage1=float(runs.columns[D1][place]),
            tokens_stage2=float(runs.columns[D2][place]),
            cost=costs[place],
            loss=float(losses[0, place]),
            lower=None if ends is None else float(ends[0][place]),
            upper=None if ends is None else float(ends[1][place]),
            share_best=None if shares is None else float(shares[place]),
            tie=bool(tied[place]),
            extrapolation=decades_beyond(source.ranges, _read(runs, place, source)),
            flags=flags(one, asked),
        )
        for place, one in enumerate(runs.checkpoints)
    ]
    return tuple(sorted(found, key=lambda one: one.loss))


def _read(runs: _Runs, place: int, source: Source) -> dict[str, float]:
    """Return what the law reads of one run."""
    return {name: float(runs.columns[name][place]) for name in source.law.variables}


def _about_best(candidates: tuple[Candidate, ...], source: Source, asked: Asked) -> tuple[str, ...]:
    if not candidates:
        return ()
    best = candidates[0]
    asked_at = {D1: best.tokens_stage1, D2: best.tokens_stage2}
    asked_at[N] = asked.grown(source) or best.params
    found = (
        *extrapolation_warnings(source.ranges, asked_at),
        *unearned_warnings(source, asked_at, "reuse"),
    )
    return tuple(f"the best one, {best.name}: {warning}" for warning in found)
