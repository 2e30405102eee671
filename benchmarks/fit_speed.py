"""CPU time of bootstrap refits against scipy, in the same run on the same problems.

    OMP_NUM_THREADS=1 python benchmarks/fit_speed.py [--replicates 1000] [--rounds 5]

The Chinchilla form on the 234 digitised rows, resampled by pairs, one warm start each, one thread.
Both minimise the sum of Huber losses of log residuals; scipy with ``least_squares(loss="huber",
f_scale=1e-3)``, the analytic Jacobian and E >= 0, residuals and Jacobian written out as lean as
NumPy allows. Rounds alternate. Bar: a ratio of CPU times of at least 30, and every sampled
replicate within 1e-6 of its own optimum, sought from many starts.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from bootlaw import laws
from bootlaw.fitting import kernel
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum
from rivals import brute_force
from tables import DELTA, chinchilla_columns

Floats = NDArray[np.float64]


def chinchilla() -> Objective:
    """Return the objective of L = A N^-a + B D^-b + E on the 234 rows."""
    columns, losses = chinchilla_columns()
    return Objective.of(laws.get("chinchilla"), columns, losses, DELTA)


def scipy_refit(objective: Objective, weights: Floats, start: Floats) -> Floats:
    """Return scipy's optimum (A, B by their logarithms) of one resampled table."""
    # Whole-number weights are repeated rows, which is what scipy can be given.
    rows = np.repeat(np.arange(weights.size), weights.astype(int))
    columns, targets = objective.design.columns, objective.targets[rows]
    x, y = (np.log(columns[name])[rows] for name in ("params", "tokens_stage2"))
    out = np.empty((rows.size, 5))

    def residuals(u: Floats) -> Floats:
        return np.log(np.exp(u[0] - u[1] * x) + np.exp(u[2] - u[3] * y) + u[4]) - targets

    def jacobian(u: Floats) -> Floats:
        one, two = np.exp(u[0] - u[1] * x), np.exp(u[2] - u[3] * y)
        over = 1.0 / (one + two + u[4])
        out[:, 0], out[:, 2], out[:, 4] = one * over, two * over, over
        out[:, 1], out[:, 3] = -x * out[:, 0], -y * out[:, 2]
        return out

    bounds = ([-np.inf] * 4 + [0.0], np.inf)
    return np.asarray(
        least_squares(residuals, start, jac=jacobian, bounds=bounds, loss="huber",
                      f_scale=objective.delta, x_scale="jac").x
    )  # fmt: skip


def time_rounds(
    tables: Objective, optimum: Optimum, n: int, n_rounds: int
) -> list[tuple[float, float]]:
    """Return CPU seconds of ours and of scipy for every round, and print the gaps."""
    objective = replace(tables, weights=np.ones(tables.design.n_rows))
    times, gaps = [], []
    for part in np.array_split(np.arange(n), n_rounds):
        some = tables.take(part)
        started = time.process_time()
        own = refit(some, optimum, part.size, threads=1)
        middle = time.process_time()
        rivals = [scipy_refit(objective, weights, optimum.u) for weights in some.weights]
        times.append((middle - started, time.process_time() - middle))
        value, rival = some.value(own.u), some.value(np.array(rivals))
        gaps.append((value - rival) / rival)
    gap = np.concatenate(gaps)
    print(
        f"ours above scipy by at most {gap.max():.1e}; below by more than 1e-9 in "
        f"{(gap < -1e-9).mean():.1%}, by more than 1e-6 in {(gap < -1e-6).mean():.1%}"
    )
    return times


def check_replicates(tables: Objective, optimum: Optimum, n: int) -> Floats:
    """Return how far (n,) refits lie above the best of a thorough search, relative."""
    gaps = []
    for number in range(n):
        one = tables.take(np.array([number]))
        value = refit(one, optimum, 1).u
        alone = replace(one, weights=one.weights[0])
        best = min(find_optimum(alone).objective, brute_force(alone, optimum.u, 100)[0])
        gaps.append((float(alone.value(value)[0]) - best) / best)
    return np.array(gaps)


def main() -> None:
    """Print the ratio per round and of all, and how exact the replicates are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--checked", type=int, default=40, help="replicates searched thoroughly")
    args = parser.parse_args()
    objective = chinchilla()
    started = time.process_time()
    optimum = find_optimum(objective)
    print(f"kernel: {'compiled' if kernel.available() else 'NumPy'}; optimum from many starts in "
          f"{1e3 * (time.process_time() - started):.0f} ms of CPU")  # fmt: skip
    tables = resampled(objective, optimum.u, "pairs", None, args.replicates, 0)
    refit(tables.take(np.arange(2)), optimum, 2)
    times = np.array(time_rounds(tables, optimum, args.replicates, args.rounds))
    own, theirs = 1e3 * times.sum(axis=0) / args.replicates
    ratios = times[:, 1] / times[:, 0]
    print(f"ours {own:.3f} ms, scipy {theirs:.2f} ms of CPU a replicate; ratio {theirs / own:.1f} "
          f"(rounds {ratios.min():.1f} to {ratios.max():.1f}; bar 30)")  # fmt: skip
    gaps = check_replicates(tables, optimum, args.checked)
    print(f"{(gaps <= 1e-6).sum()} of {gaps.size} replicates within 1e-6 of their optimum "
          f"(bar all; worst {gaps.max():.1e})")  # fmt: skip


if __name__ == "__main__":
    main()
