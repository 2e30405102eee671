"""Which runs to do next, where nobody knows the law: by one law, by all averaged, or by habit.

    OMP_NUM_THREADS=1 python benchmarks/next_laws.py [--worlds 13] [--seed 0]

Worlds of eight laws as in `regret.py`, pilots of 20 runs, and one question: the loss of a run with
1000 tokens per parameter in stage 1, five times beyond the longest pilot base. Every policy spends
one budget on runs of one pool, none longer than half of that base; the laws are averaged again,
and what counts is the error of their forecast. Printed is the mean |ln forecast - ln truth| before
and after, with its standard error over worlds, and its ratio to that of the average's choice.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bootlaw import fit
from bootlaw.fitting import average_laws
from bootlaw.planning.many import forecasts
from bootlaw.planning.pilots import ForecastQuestion, next_runs
from bootlaw.runs import RunTable, read_runs
from hindsight.truths import FAMILIES, PARAMS, ROW_NOISE, TRUNK_NOISE, Truth, truth

Floats = NDArray[np.float64]

QUESTION = ForecastQuestion(1e11, 16e9)
BUDGET = 6e10
"""Tokens: of one long base with its second stage, or of several short ones."""

_GRID = np.meshgrid([2e9, 5e9, 1e10, 2e10, 3e10, 5e10], [1e9, 3e9, 8e9, 16e9, 30e9], indexing="ij")
STAGE1 = np.concatenate([_GRID[0].ravel(), np.zeros(3)])
STAGE2 = np.concatenate([_GRID[1].ravel(), [16e9, 30e9, 60e9]])
COSTS = STAGE1 + STAGE2
KEPT = ("method", "params", "tokens_stage1", "tokens_stage2", "loss", "trunk")
REPLICATES = 100


def forecast(table: RunTable) -> float:
    """Return the loss that the laws averaged expect."""
    columns = {
        "tokens_stage1": QUESTION.tokens_stage1,
        "tokens_stage2": QUESTION.tokens_stage2,
    }
    return float(forecasts(average_laws(table, bootstrap=0), columns).loss[0])


def by_next_runs(table: RunTable, *, averaged: bool) -> list[int]:
    """Return the runs that `next_runs` asks for, by one law or by all averaged."""
    rests_on = (
        average_laws(table, bootstrap=REPLICATES)
        if averaged
        else fit(table, "bootstrapped+scratch", bootstrap=REPLICATES)
    )
    pool = {"tokens_stage1": STAGE1, "tokens_stage2": STAGE2, "cost": COSTS}
    found = next_runs(rests_on, table, decision=QUESTION, candidates=pool, budget=BUDGET, batch=6)
    return [one.candidate for one in found.batch]


def within_budget(order: Sequence[int]) -> list[int]:
    """Return the runs in this order that the budget pays for."""
    left, chosen = BUDGET, []
    for run in order:
        if COSTS[run] <= left:
            chosen.append(int(run))
            left -= COSTS[run]
    return chosen


def with_runs(table: RunTable, world: Truth, runs: list[int], rng: np.random.Generator) -> RunTable:
    """Return the table with runs done, each on a trunk of its own."""
    d1, d2 = STAGE1[runs], STAGE2[runs]
    scale = np.hypot(TRUNK_NOISE, ROW_NOISE)
    losses = world.loss(d1, d2) * np.exp(scale * rng.standard_normal(len(runs)))
    columns = {name: list(table.columns[name]) for name in KEPT}
    for number, (first, second, loss) in enumerate(zip(d1, d2, losses, strict=True)):
        row = ("cpt" if first else "scratch", PARAMS, first, second, loss, f"new-{number}")
        for name, value in zip(KEPT, row, strict=True):
            columns[name].append(value)
    return read_runs(columns)


def errors(family: str, number: int, seed: int) -> dict[str, float]:
    """Return the error of the forecast in one world, before and after each policy's runs."""
    key = [seed, number, *family.encode()]
    rng = np.random.default_rng(key)
    world = truth(family, rng)
    table = world.pilots(rng)
    cheapest = np.argsort(COSTS, kind="stable")
    chosen = {
        "before": [],
        "next, laws averaged": by_next_runs(table, averaged=True),
        "next, main law": by_next_runs(table, averaged=False),
        "random": within_budget(rng.permutation(COSTS.size).tolist()),
        "cheapest first": within_budget(cheapest.tolist()),
        "dearest first": within_budget(cheapest[::-1].tolist()),
    }
    right = float(world.loss(QUESTION.tokens_stage1, QUESTION.tokens_stage2))
    found = {}
    for policy, runs in chosen.items():
        noise = np.random.default_rng([*key, 1])
        found[policy] = abs(np.log(forecast(with_runs(table, world, runs, noise)) / right))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=13, help="of each of the eight families")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    started = time.process_time()
    by_policy: dict[str, list[float]] = defaultdict(list)
    for family in FAMILIES:
        for number in range(args.worlds):
            for policy, error in errors(family, number, args.seed).items():
                by_policy[policy].append(error)
    ours = np.array(by_policy["next, laws averaged"])
    print("| runs chosen | error of the forecast | laws averaged over it |")
    print("|---|---|---|")
    for policy, values in by_policy.items():
        mean, spread = np.mean(values), np.std(values) / np.sqrt(len(values))
        print(f"| {policy} | {mean:.2%} +- {spread:.2%} | {ratio(ours, np.array(values))} |")
    print(f"\n{ours.size} worlds, {time.process_time() - started:.0f} s of CPU")


def ratio(ours: Floats, theirs: Floats) -> str:
    """Return the ratio of the mean errors with its standard error over worlds (jackknife)."""
    n = ours.size
    left_out = (ours.sum() - ours) / (theirs.sum() - theirs)
    spread = np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2))
    return f"{ours.mean() / theirs.mean():.2f} +- {spread:.2f}"


if __name__ == "__main__":
    main()
