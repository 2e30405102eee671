"""CPU time of the contest of all laws on one table of runs.

    OMP_NUM_THREADS=1 python benchmarks/compare_speed.py [--rows 100] [--replicates 200]

The table is simulated: bases and second stages on a grid, each base with its own shared noise,
with every column that a law of the catalogue may ask for. The size of the model matters little in
it, so that laws without it fit as well as they would on runs of one size.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from bootlaw.fitting import compare
from bootlaw.runs import RunTable, read_runs

HOLDOUTS = ("lowest-loss", "largest-d1", "kfold")


def simulated(n_rows: int, seed: int) -> RunTable:
    """Return about `n_rows` runs: bases of several sizes and lengths, five second stages each."""
    rng = np.random.default_rng(seed)
    n_bases = max(n_rows // 5, 4)
    base = np.repeat(np.arange(n_bases), 5)
    stage1 = np.geomspace(1e9, 1e11, 5)[base % 5]
    params = np.geomspace(1e8, 4e8, 4)[base // 5 % 4]
    stage2 = np.tile(np.geomspace(1e8, 1e10, 5), n_bases)
    noise = 0.002 * rng.normal(size=n_bases)[base] + 0.001 * rng.normal(size=base.size)
    reducible = 30 * stage1**-0.09 * stage2 ** (-0.14 + 0.003 * np.log(stage1))
    loss_base = 2.0 + 30 * stage1**-0.12 + 40 * params**-0.2
    columns = {
        "method": ["cpt"] * base.size,
        "params": params,
        "params_base": params,
        "tokens_stage1": stage1,
        "tokens_stage2": stage2,
        "replay": np.resize([0.05, 0.2, 0.1], base.size),
        "unique_tokens": np.full(base.size, 2e9),
        "loss_base": loss_base * np.exp(0.001 * rng.normal(size=n_bases)[base]),
        "flops": 6 * params * (stage1 + stage2),
        "seed": [0] * base.size,
        "trunk": [f"base-{number}" for number in base],
        "loss": (reducible + 3 * params**-0.2 + 1.8) * np.exp(noise),
    }
    return read_runs(columns)


def main() -> None:
    """Print the laws that entered, the fits made and the CPU seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--holdouts", default=",".join(HOLDOUTS))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    table = simulated(args.rows, args.seed)
    started = time.process_time()
    found = compare(table, holdout=tuple(args.holdouts.split(",")), bootstrap=args.replicates)
    seconds = time.process_time() - started
    first = found.contests[0]
    n_fits = len(first.contest.made) if first.contest is not None else 0
    print(
        f"{len(table)} rows, {len(first.rows)} laws, {len(found.contests)} hold-outs, "
        f"{n_fits} fits, {args.replicates} replicates: {seconds:.2f} CPU s, "
        f"{1e3 * seconds / max(n_fits, 1):.0f} ms per fit"
    )
    for law in first.not_applicable:
        print(f"not applicable: {law.law}: {law.reason}")


if __name__ == "__main__":
    main()
