"""CPU time of bootstrap refits against scipy, in the same run on the same problems.

    OMP_NUM_THREADS=1 python benchmarks/fit_speed.py [TABLE] [--method stack] [--replicates 1000]

Both minimise the sum of Huber losses of log residuals from the table's optimum, scipy with
``least_squares(loss="huber")`` and the analytic Jacobian, one after the other. More --rounds
split the replicates and alternate the two, which costs the batch some of its advantage. Quote the
ratio, not the seconds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from bootlaw import laws
from bootlaw.fitting import select_rows
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum
from bootlaw.laws.features import D1, D2
from bootlaw.runs import read_runs

TABLE = Path(__file__).parents[1] / "tests" / "data" / "tiny_two_stage.csv"


def problem(table: str, method: str) -> Objective:
    """Return the objective of the main law on the table's rows."""
    law = laws.get("bootstrapped")
    rows = select_rows(read_runs(table), law, method=method).table
    columns = {name: rows.numbers(name) for name in law.variables}
    return Objective.of(law, columns, rows.numbers("loss"), 1e-3)


def scipy_refit(objective: Objective, start: np.ndarray) -> np.ndarray:
    """Return the optimum (A by its logarithm) of one resampled table by scipy, E >= 0.

    Residuals and Jacobian are written out for the main law, as lean as NumPy allows.
    """
    weights, targets = (np.atleast_2d(v)[0] for v in (objective.weights, objective.targets))
    # Whole-number weights are repeated rows, which is what scipy can be given.
    rows = np.repeat(np.arange(weights.size), weights.astype(int))
    x, y = (np.log(objective.design.columns[name])[rows] for name in (D1, D2))
    design, targets = np.stack([np.ones_like(x), -x, -y, x * y], axis=1), targets[rows]

    def residuals(u: np.ndarray) -> np.ndarray:
        return np.log(np.exp(design @ u[:4]) + u[4]) - targets

    def jacobian(u: np.ndarray) -> np.ndarray:
        reducible = np.exp(design @ u[:4])
        total = reducible + u[4]
        return np.column_stack([(reducible / total)[:, None] * design, 1.0 / total])

    return least_squares(
        residuals,
        np.append(start[:4], max(start[4], 1e-9)),
        jac=jacobian,
        bounds=([-np.inf] * 4 + [0.0], np.inf),
        loss="huber",
        f_scale=objective.delta,
        x_scale="jac",
    ).x


def time_rounds(
    tables: Objective, optimum: Optimum, n: int, n_rounds: int
) -> tuple[float, float, np.ndarray]:
    """Return CPU seconds of ours and of scipy for n refits, and the relative objective gaps."""
    ours = scipys = 0.0
    gaps = []
    for part in np.array_split(np.arange(n), n_rounds):
        some = tables.take(part)
        started = time.process_time()
        own = refit(some, optimum, part.size)
        ours += time.process_time() - started
        started = time.process_time()
        rivals = [scipy_refit(tables.take(np.array([i])), optimum.u) for i in part]
        scipys += time.process_time() - started
        value, rival = some.value(own.u), some.value(np.array(rivals))
        gaps.append((value - rival) / rival)
    return ours, scipys, np.concatenate(gaps)


def main() -> None:
    """Print the ratio and the worst gap for both kinds of resampling."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", default=str(TABLE))
    parser.add_argument("--method", default="stack")
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    objective = problem(args.table, args.method)
    started = time.process_time()
    optimum = find_optimum(objective)
    print(f"optimum from many starts: {time.process_time() - started:.3f} CPU s")
    for scheme in ("wild", "pairs"):
        rows = np.arange(objective.design.n_rows)
        tables = resampled(objective, optimum.u, scheme, rows, args.replicates, 0)
        ours, scipys, gaps = time_rounds(tables, optimum, args.replicates, args.rounds)
        each = 1e3 / args.replicates
        print(
            f"{scheme}: ours {ours * each:.3f} ms, scipy {scipys * each:.3f} ms per refit, "
            f"ratio {scipys / ours:.1f}; ours above scipy by at most {gaps.max():.1e}, "
            f"median {np.median(gaps):.1e}, below by more than 1e-9 in "
            f"{(gaps < -1e-9).mean():.1%}"
        )


if __name__ == "__main__":
    main()
