"""Every fit of the report, in one place: a run table in, a frozen `StudyAnalysis` out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bootlaw import laws
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Comparison, Fit, compare, fit
from bootlaw.planning import Breakeven, breakeven
from bootlaw.reports import curves, measures, stages
from bootlaw.reports.findings import (
    Ahead,
    BreakevenAnswer,
    Contest,
    ContestRow,
    Gain,
    Noise,
    Saturation,
    Scale,
    Trunks,
)
from bootlaw.reports.groups import Group, split_groups
from bootlaw.reports.quantities import Interval
from bootlaw.reports.series import (
    BreakevenSeries,
    ForgettingSeries,
    ObservedSeries,
    SaturationSeries,
    Stage1Series,
)
from bootlaw.runs import RunTable

MAIN_LAW = "bootstrapped"
JOINT_LAW = "bootstrapped+scratch"
HOLDOUTS = ("lowest-loss", "largest-d1")
BOOTSTRAP = 1000
CONTEST_BOOTSTRAP = 100
"""Replicates of a contest, which serve its coverage only."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class MethodAnalysis:
    """What was found about one group of reuse runs; None where the runs do not suffice.

    `problems` says why, by part: ``fit``, ``joint``, ``lowest-loss``, ``largest-d1``.
    """

    group: Group
    main: Fit | None
    joint: Fit | None
    gain: Gain | None
    ahead: Ahead | None
    saturation: Saturation | None
    contests: tuple[Contest, ...]
    breakevens: tuple[BreakevenAnswer, ...]
    noise: Noise
    curves: SaturationSeries
    stage1: Stage1Series
    observed: ObservedSeries | None
    forgetting: ForgettingSeries | None
    breakeven: BreakevenSeries | None
    problems: dict[str, str]


@dataclass(frozen=True)
class StudyAnalysis:
    """What was found in a run table, method by method."""

    table: RunTable
    methods: tuple[MethodAnalysis, ...]
    scale: Scale
    trunks: Trunks


def analyse(table: RunTable, *, bootstrap: int = BOOTSTRAP, seed: int = 0) -> StudyAnalysis:
    """Return every fit, contest and break-even that the report shows.

    Parameters
    ----------
    table
        Runs of one study; several methods, sizes and texts are analysed one by one.
    bootstrap
        Replicates of the two main fits per method.
    seed
        Of the bootstrap; the same table and seed give the same analysis.
    """
    return StudyAnalysis(
        table=table,
        methods=tuple(_analyse_group(group, bootstrap, seed) for group in split_groups(table)),
        scale=measures.study_scale(table),
        trunks=measures.count_trunks(table),
    )


def _analyse_group(group: Group, bootstrap: int, seed: int) -> MethodAnalysis:
    problems: dict[str, str] = {}
    main = _converged(problems, "fit", lambda: _fit(group, MAIN_LAW, bootstrap, seed))
    joint = _converged(problems, "joint", lambda: _fit_joint(group, bootstrap, seed))
    least = min(bootstrap, CONTEST_BOOTSTRAP)
    contests = tuple(_contest(problems, group, holdout, least, seed) for holdout in HOLDOUTS)
    answers = _breakevens(group, joint) if joint else ()
    free = tuple(answer for answer in answers if answer.stage1 == "free")
    return MethodAnalysis(
        group=group,
        main=main,
        joint=joint,
        gain=measures.second_stage_gain(group.runs),
        ahead=measures.reuse_against_scratch(group.runs, group.scratch),
        saturation=_saturation(main, joint, group) if main else None,
        contests=contests,
        breakevens=answers,
        noise=measures.seed_noise(group.table, group.runs, group.scratch),
        curves=stages.saturation_series(group, main),
        stage1=stages.stage1_series(group, main),
        observed=_observed(group, seed) if main else None,
        forgetting=(
            ForgettingSeries(group.forgetting, group.base_loss) if len(group.forgetting) else None
        ),
        breakeven=curves.breakeven_series(joint, free) if joint else None,
        problems=problems,
    )


def _attempt(problems: dict[str, str], part: str, compute: Callable[[], Result]) -> Result | None:
    """Return what `compute` returns, or None with the reason noted under `part`."""
    try:
        return compute()
    except (InputError, UndeterminedError) as error:
        problems[part] = str(error)
        return None


def _converged(problems: dict[str, str], part: str, compute: Callable[[], Fit]) -> Fit | None:
    found = _attempt(problems, part, compute)
    if found is None or found.status == "converged":
        return found
    gravest = "error" if any(d.severity == "error" for d in found.diagnostics) else "warning"
    reasons = [item.message for item in found.diagnostics if item.severity == gravest]
    problems[part] = "; ".join(reasons) or f"the fit is {found.status.replace('_', ' ')}"
    return None


def _fit(group: Group, law: str, bootstrap: int, seed: int, drop_lowest: float = 0.0) -> Fit:
    return fit(
        group.table,
        law,
        method=group.method,
        bootstrap=bootstrap,
        seed=seed,
        drop_lowest=drop_lowest,
    )


def _fit_joint(group: Group, bootstrap: int, seed: int) -> Fit:
    if len(group.scratch) == 0:
        raise UndeterminedError("the table has no runs of this model from scratch")
    return _fit(group, JOINT_LAW, bootstrap, seed)


def _saturation(main: Fit, joint: Fit | None, group: Group) -> Saturation:
    levels = group.runs.levels_stage1
    shortest, longest = float(levels[0]), float(levels[-1])
    return Saturation(
        interaction=_interval(main, "a3"),
        shortest_base=shortest,
        longest_base=longest,
        at_shortest=curves.exponent_interval(main, shortest),
        at_longest=curves.exponent_interval(main, longest),
        level=main.level,
        joint_interaction=_interval(joint, "a3") if joint else None,
    )


def _interval(fit: Fit, parameter: str) -> Interval:
    estimate = fit.estimates[parameter]
    return Interval(estimate.value, estimate.lower, estimate.upper)


def _contest(
    problems: dict[str, str], group: Group, holdout: str, bootstrap: int, seed: int
) -> Contest:
    def contest() -> Comparison:
        if "fit" in problems:
            raise UndeterminedError(
                "no contest, because the main law cannot be fitted even to all of these runs: "
                + problems["fit"]
            )
        found = compare(
            group.table, method=group.method, holdout=holdout, bootstrap=bootstrap, seed=seed
        )
        if not found.any_fitted:
            raise UndeterminedError("no law can be fitted to the runs that are left")
        return found

    found = _attempt(problems, holdout, contest)
    return Contest(holdout, (), 0, 0) if found is None else _contest_record(found)


def _contest_record(found: Comparison) -> Contest:
    rows = tuple(
        ContestRow(
            law=row.law,
            title=laws.get(row.law).title,
            n_params=row.n_params,
            rms_in=row.rms_log_in,
            rms_out=row.rms_log_out,
            coverage=row.coverage90_out,
            weight=row.weight,
            tie=row.tie,
            status=row.status,
        )
        for row in found.rows
    )
    return Contest(found.holdout, rows, found.n_in, found.n_out)


def _breakevens(group: Group, joint: Fit) -> tuple[BreakevenAnswer, ...]:
    """Return the answers for the shortest and the longest base, stage 1 free and paid."""
    levels = group.runs.levels_stage1
    bases = dict.fromkeys((float(levels[0]), float(levels[-1])))
    lengths = group.runs.levels_stage2
    data = (float(lengths[0]), float(lengths[-1]))
    longest = float(group.scratch.tokens_stage2.max())
    answers = []
    for tokens in bases:
        free = breakeven(joint, tokens_stage1=tokens)
        paid = breakeven(joint, tokens_stage1=tokens, stage1="paid", base_cost=group.base_cost)
        head_start = group.base_cost * tokens
        answers += [_answer(free, data), _answer(paid, data, head_start, longest)]
    return tuple(answers)


def _answer(
    found: Breakeven,
    data: tuple[float, float],
    head_start: float = 0.0,
    longest_scratch: float | None = None,
) -> BreakevenAnswer:
    interval = found.interval
    tokens = None
    if found.tokens is not None and found.status == "crossing":
        ends = (interval.lower, interval.upper) if interval else (None, None)
        tokens = Interval(found.tokens, *ends)
    return BreakevenAnswer(
        tokens_stage1=found.tokens_stage1,
        stage1=found.stage1,
        status=found.status,
        tokens=tokens,
        data=data,
        search=found.search,
        reason="; ".join(found.reasons),
        until=_reuse_overtakes(found),
        head_start=head_start,
        longest_scratch=longest_scratch,
    )


def _reuse_overtakes(found: Breakeven) -> float | None:
    first = found.crossings[0] if found.crossings else None
    return first.tokens if first is not None and first.winner_below == "scratch" else None


def _observed(group: Group, seed: int) -> ObservedSeries | None:
    try:
        seen = _fit(group, MAIN_LAW, 0, seed, drop_lowest=measures.HELD_OUT_SHARE)
    except (InputError, UndeterminedError):
        return None
    if seen.status != "converged":
        return None
    held_out = measures.lowest_losses(group.runs.loss, len(group.runs) - seen.n_rows)
    return curves.observed_series(seen, group.runs, held_out)
