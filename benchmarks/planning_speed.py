"""CPU time of planning by the thousand.

    python benchmarks/planning_speed.py [--rounds 3]

Bars: 1e5 point forecasts, 1e3 forecasts with 1000 replicates each, and 1e3 break-evens with 1000
replicates each, in at most one second of CPU each. Beside them, without a bar: what takes longer,
and the same break-evens one call at a time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bootlaw.fitting import Misfit, RollOut
from bootlaw.laws import get
from bootlaw.planning import breakeven
from bootlaw.planning.many import breakevens, forecasts
from bootlaw.planning.source import Source

BAR = 1.0
REPLICATES = 1000
MAIN = {"A": 20.0, "a1": 0.12, "a2": 0.3, "a3": 0.012, "A_s": 27.71, "a_s": 0.3, "E": 1.1}
JOINT = {
    "A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4, "B": 8.53, "b": 0.112, "E": 0.165,
    "A_s": 32.0, "a_s": 0.161, "B_s": 7.05, "b_s": 0.080,
}  # fmt: skip
RANGES = {"tokens_stage1": (1e8, 1e11), "tokens_stage2": (1e7, 1e10), "params": (1e8, 1e10)}


def source_of(key: str, values: dict[str, float], spread: float) -> Source:
    """Return a source with replicates that scatter around `values` by a share of them."""
    law = get(key)
    point = np.array([values[name] for name in law.names])
    noise = np.random.default_rng(0).normal(0.0, spread, (REPLICATES, point.size))
    params = np.vstack([point, point * np.exp(noise)])
    ranges = {name: RANGES[name] for name in law.variables}
    return Source(law, params, f"the {key} fit", ranges=ranges, residual_scale=0.005)


def widened(source: Source) -> Source:
    """Return the source with misfits along all of its variables."""
    step = RollOut(1.0, 0.5, 0.01, 0.01, 20, 5)
    return replace(
        source,
        misfits=tuple(Misfit(name, high, (step,) * 3) for name, (_, high) in source.ranges.items()),
    )


def least(run: Callable[[], object], rounds: int) -> float:
    """Return the least CPU time of a few rounds, in seconds."""
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        seconds.append(time.process_time() - started)
    return min(seconds)


def main() -> int:
    """Print each time beside its bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    rng = np.random.default_rng(1)
    two, joint = (
        source_of("bootstrapped+scratch", MAIN, 0.003),
        source_of("bootstrapped-joint+scratch", JOINT, 0.003),
    )
    point = replace(two, params=two.params[:1])
    d1, d2, n = (10 ** rng.uniform(low, high, 1000) for low, high in ((8, 11), (7, 10), (8, 10)))
    many1, many2 = (10 ** rng.uniform(low, high, 100_000) for low, high in ((8, 11), (7, 10)))
    at = {"tokens_stage1": d1, "tokens_stage2": d2}
    cases: list[tuple[str, Callable[[], object], bool]] = [
        ("1e5 point forecasts", lambda: forecasts(
            point, {"tokens_stage1": many1, "tokens_stage2": many2}), True),
        ("1e3 forecasts x 1000 replicates", lambda: forecasts(two, at), True),
        ("1e3 forecasts x 1000 replicates, joint law", lambda: forecasts(
            joint, {**at, "params": n}), True),
        ("1e3 break-evens x 1000 replicates", lambda: breakevens(two, tokens_stage1=d1), True),
        ("1e3 break-evens x 1000 replicates, joint law", lambda: breakevens(
            joint, tokens_stage1=d1, params=n), True),
        ("1e3 break-evens beyond the data, with misfits", lambda: breakevens(
            widened(joint), tokens_stage1=d1, params=n), False),
        ("1e3 break-evens, stage 1 paid", lambda: breakevens(
            joint, tokens_stage1=d1, params=n, stage1="paid"), False),
        ("10 break-evens x 1000 replicates, one call each", lambda: [
            breakeven(joint, tokens_stage1=d1[i], params=n[i]) for i in range(10)], False),
    ]  # fmt: skip
    reached = True
    for name, run, has_bar in cases:
        seconds = least(run, rounds)
        reached &= seconds <= BAR or not has_bar
        bar = f" (bar {BAR:.0f} s: {'reached' if seconds <= BAR else 'NOT reached'})"
        print(f"{name}: {seconds:.2f} s of CPU{bar if has_bar else ''}", flush=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
