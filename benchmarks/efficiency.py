"""How close the errors of a fit with an automatic delta come to the smallest possible ones.

    OMP_NUM_THREADS=1 python benchmarks/efficiency.py [--tables 400]

Tables are simulated from the main law with independent normal noise of log losses. The Cramer-Rao
bound of parameters fitted by least squares of logs is sigma (J^T J)^-1/2; an estimate with Huber's
loss at 1.345 standard deviations needs about 1.03 of it, nearly a median (delta 1e-3) 1.25. With
5 % of the rows moved by a gross symmetric error least squares breaks down. Prints the largest and
the mean ratio, over the parameters, of the root mean square error to the bound.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from bootlaw import laws
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.options import Options
from bootlaw.fitting.problem import solve
from bootlaw.laws import constrain
from bootlaw.runs import read_runs

Floats = NDArray[np.float64]

TRUTH = {"A": 20.0, "a1": 0.12, "a2": 0.30, "a3": 0.012, "E": 1.1}
SIGMA = 0.001
GROSS = 20.0
"""Standard deviation of a gross error, in those of the noise."""
SETTINGS = (
    ("normal noise, delta auto", 0.0, Options(delta="auto")),
    ("normal noise, nearly a median", 0.0, Options(delta=1e-4)),
    ("5 % gross errors, delta auto", 0.05, Options(delta="auto")),
    ("5 % gross errors, squared", 0.05, Options(loss="squared")),
)


def design() -> dict[str, Floats]:
    """Return an identifiable grid: 8 bases times 8 second stages over three decades each."""
    stage1, stage2 = np.meshgrid(np.geomspace(1e6, 1e9, 8), np.geomspace(1e5, 1e8, 8))
    return {"tokens_stage1": stage1.ravel(), "tokens_stage2": stage2.ravel()}


def bound(columns: dict[str, Floats]) -> Floats:
    """Return the Cramer-Rao standard deviations (p,) of the internal coordinates."""
    law = laws.get("bootstrapped")
    u = law.to_internal([TRUTH[name] for name in law.names])
    ones = np.ones(len(columns["tokens_stage1"]))
    jacobian = Objective.of(law, columns, ones, 1.0).residual_jacobian(u)
    return SIGMA * np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))


def errors(n_tables: int, gross: float, options: Options) -> Floats:
    """Return the errors (n_tables, p) of the internal coordinates."""
    law, columns = laws.get("bootstrapped"), design()
    truth = [TRUTH[name] for name in law.names]
    clean, u = law.loss(truth, columns), law.to_internal(truth)
    rng = np.random.default_rng(7)
    found = []
    for _ in range(n_tables):
        noise = SIGMA * rng.standard_normal(clean.size)
        wild = rng.random(clean.size) < gross
        noise[wild] += GROSS * SIGMA * rng.standard_normal(int(wild.sum()))
        table = read_runs({**columns, "loss": clean * np.exp(noise)})
        found.append(solve(table, constrain(law, {}, {}), "loss", options).optimum.u - u)
    return np.array(found)


def main() -> None:
    """Print the ratios for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=400)
    args = parser.parse_args()
    smallest = bound(design())
    for name, gross, options in SETTINGS:
        ratio = np.sqrt((errors(args.tables, gross, options) ** 2).mean(axis=0)) / smallest
        print(f"{name:32s} largest {ratio.max():.3f}, mean {ratio.mean():.3f} of the bound "
              f"(Monte Carlo error {1 / np.sqrt(2 * args.tables):.3f})")  # fmt: skip


if __name__ == "__main__":
    main()
