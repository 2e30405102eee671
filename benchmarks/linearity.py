"""Cost of bootstrap refits per row and replicate, from a thousand rows to a million.

    OMP_NUM_THREADS=1 python benchmarks/linearity.py [--most 1000000]

The Chinchilla form on simulated rows, pairs bootstrap in blocks of bounded memory. Bars: a cost
linear in rows and in replicates (the last over the first cost per row and replicate), and two
threads 1.8 times as fast as one, taken in turns. The load of the machine is printed, without
which a ratio of wall times means nothing.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

import numpy as np

from bootlaw import laws
from bootlaw.fitting.blocks import refit_in_blocks
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum
from tables import DELTA

TRUTH = {"A": 406.4, "a": 0.34, "B": 410.7, "b": 0.28, "E": 1.69}
"""Hoffmann et al., arXiv 2203.15556, approach 3."""


def simulated(n_rows: int) -> Objective:
    """Return the objective of n rows that follow Hoffmann's law with 1 % noise."""
    rng = np.random.default_rng(0)
    law = laws.get("chinchilla")
    columns = {
        "params": np.exp(rng.uniform(np.log(5e7), np.log(2e10), n_rows)),
        "tokens_stage2": np.exp(rng.uniform(np.log(1e9), np.log(3e11), n_rows)),
    }
    losses = law.loss([TRUTH[name] for name in law.names], columns)
    return Objective.of(law, columns, losses * np.exp(rng.normal(0.0, 0.01, n_rows)), DELTA)


def time_rows(n_rows: int, n: int) -> None:
    """Print the costs of a fit and of its refits."""
    objective = simulated(n_rows)
    started = time.process_time()
    optimum = find_optimum(objective)
    fit_seconds = time.process_time() - started
    started = time.process_time()
    tables = resampled(objective, optimum.u, "pairs", None, min(n, 4_000_000 // n_rows), 0)
    drawn = time.process_time()
    own = refit(tables, optimum, len(tables.weights), threads=1)
    solved = time.process_time()
    cost = 1e9 / (n_rows * len(tables.weights))
    refit_in_blocks(objective, optimum, "pairs", None, n, 0, threads=1)
    total = 1e9 / (n_rows * n) * (time.process_time() - solved)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{n_rows:9,d} rows: fit {fit_seconds:6.2f} s; a row and replicate: "
        f"{cost * (drawn - started):5.1f} ns to draw, {cost * (solved - drawn):6.1f} ns to refit; "
        f"all {n} in blocks {total:6.1f} ns; "
        f"{own.share_converged:.0%} converged; peak memory {memory:.0f} MB",
        flush=True,
    )  # fmt: skip


def time_replicates(n_rows: int) -> None:
    """Print the cost per replicate for more and more of them."""
    objective = simulated(n_rows)
    optimum = find_optimum(objective)
    for n in (100, 1000, 10_000):
        started = time.process_time()
        refit_in_blocks(objective, optimum, "pairs", None, n, 0, threads=1)
        print(f"{n_rows} rows, {n:6d} replicates: "
              f"{1e3 * (time.process_time() - started) / n:.4f} ms of CPU each")  # fmt: skip


def wall(objective: Objective, optimum: Optimum, threads: int) -> float:
    """Return seconds of wall time of the refits."""
    n = len(objective.weights)
    started = time.perf_counter()
    refit(objective, optimum, n, threads=threads)
    return time.perf_counter() - started


def time_threads(n_rows: int, n: int, rounds: int = 7) -> None:
    """Print how much faster two threads are, the best of each in alternating rounds."""
    objective = simulated(n_rows)
    optimum = find_optimum(objective)
    tables = resampled(objective, optimum.u, "pairs", None, n, 0)
    pairs = [(wall(tables, optimum, 1), wall(tables, optimum, 2)) for _ in range(rounds)]
    one, two = (min(column) for column in zip(*pairs, strict=True))
    load = os.getloadavg()[0]
    print(
        f"{n} refits of {n_rows} rows: one thread {one:.3f} s, two {two:.3f} s of wall time, "
        f"ratio {one / two:.2f} (rounds {min(a / b for a, b in pairs):.2f} to "
        f"{max(a / b for a, b in pairs):.2f}; bar 1.8)"
    )
    cores = os.cpu_count() or 1
    if load > cores - 1.5:
        print(f"the machine is busy (load {load:.1f} on {cores} cores): this ratio tells little")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="rows of the largest table")
    args = parser.parse_args()
    for n_rows, n in ((1000, 2000), (10_000, 400), (100_000, 40), (1_000_000, 8)):
        if n_rows <= args.most:
            time_rows(n_rows, n)
    time_replicates(234)
    time_threads(1000, 4000)


if __name__ == "__main__":
    main()
