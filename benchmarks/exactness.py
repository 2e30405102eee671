"""Is the optimum exact? Ours against scipy from 64 starts, for every law on every table.

    OMP_NUM_THREADS=1 python benchmarks/exactness.py --runs DIR [--all]

Bar: where the optimum is finite, our objective is never above the best of scipy's `least_squares`
and L-BFGS-B by more than 1e-9 of it; where it lies at infinity, the fit is `not_identifiable` and
names what runs away. `--brute N` also compares with our own solver from 2 N starts that are not
those of a fit, a harder rival. Without `--all`, a part of the tables and a time limit on scipy.
`--log FILE` keeps every case as it is done; the same command then goes on where it stopped.
The simulated tables come in rounds, each with one law per table in turn, so that a run that was
stopped has seen all tables.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain, groupby, zip_longest
from pathlib import Path

import numpy as np

from bootlaw.fitting.identifiability import identify
from bootlaw.fitting.optimum import find_optimum
from bootlaw.fitting.problem import residual_scale
from rivals import best_of_scipy, brute_force, generic_starts
from tables import Case, real_cases, simulated_cases

BAR = 1e-9
N_STARTS = 64


@dataclass(frozen=True)
class Result:
    """One case: objectives, CPU seconds, and why the fit says not identifiable, if it does."""

    table: str
    law: str
    n_rows: int
    ours: float
    rival: float
    brute: float
    seconds: float
    rival_seconds: float
    n_rival_starts: int
    reason: str | None
    converged: bool

    @property
    def name(self) -> str:
        """As `Case.name`."""
        return f"{self.table} / {self.law}"

    @property
    def gap(self) -> float:
        """Ours above the best rival, relative; negative where ours is better."""
        best = min(self.rival, self.brute)
        # An exact fit has objective 0 but for rounding.
        return (self.ours - best) / max(best, 1e-20) if np.isfinite(best) else -np.inf

    @property
    def verdict(self) -> str:
        """One word."""
        if self.gap <= BAR:
            return "equal" if self.gap > -BAR else "better"
        if self.reason is None:
            return "WORSE"
        return "infinity" if "infinity" in self.reason else "unidentifiable"


def run(case: Case, seconds: float, n_brute: int) -> Result:
    """Return ours and the rivals' best of one case."""
    objective = case.objective
    started = time.process_time()
    optimum = find_optimum(objective)
    own_seconds = time.process_time() - started
    started = time.process_time()
    rival, used = best_of_scipy(objective, generic_starts(objective, N_STARTS), seconds)
    rival_seconds = time.process_time() - started
    brute = brute_force(objective, optimum.u, n_brute)[0] if n_brute else np.inf
    scale = residual_scale(objective.residuals(optimum.u), optimum.u.size)
    reason = identify(objective, optimum, 0.0 if np.isnan(scale) else scale).reason
    return Result(case.table, case.law, objective.design.n_rows, optimum.objective, rival, brute,
                  own_seconds, rival_seconds, used, reason, optimum.verified)  # fmt: skip


def describe(result: Result) -> str:
    """Return one line."""
    why = f"; {result.reason[:90]}" if result.reason else ""
    return (
        f"{result.verdict:15s} gap {result.gap:9.1e}  {result.name} ({result.n_rows} rows), "
        f"{1e3 * result.seconds:.0f} ms against {result.rival_seconds:.1f} s{why}"
    )


def summarise(results: list[Result]) -> None:
    """Print counts per law, times and the worst cases."""
    verdicts = ("better", "equal", "infinity", "unidentifiable", "WORSE")
    print(f"\n{'law':28s}" + "".join(f"{v:>16s}" for v in verdicts))
    for law in dict.fromkeys(r.law for r in results):
        counts = Counter(r.verdict for r in results if r.law == law)
        print(f"{law:28s}" + "".join(f"{counts[v]:16d}" for v in verdicts))
    own = np.array([r.seconds for r in results])
    theirs = np.array([r.rival_seconds / r.n_rival_starts for r in results])
    tables, starts = {r.table for r in results}, np.array([r.n_rival_starts for r in results])
    print(
        f"{len(results)} cases on {len(tables)} tables; our search {1e3 * np.median(own):.0f} ms "
        f"of CPU in the median, {1e3 * own.max():.0f} at most; scipy "
        f"{1e3 * np.median(theirs):.0f} ms a start (both methods), {np.median(starts):.0f} starts "
        f"in the median, all {N_STARTS} in {(starts == N_STARTS).sum()} cases"
    )
    finite = [r for r in results if r.reason is None]
    largest = max((r.gap for r in finite), default=-np.inf)
    print(f"largest gap where the optimum is finite: {largest:.1e} (bar {BAR:.0e})")
    for result in sorted(results, key=lambda r: -r.gap)[:12]:
        print(describe(result))


def cases(args: argparse.Namespace) -> Iterator[Case]:
    """Yield the cases asked for."""
    real = real_cases(Path(args.runs), every=args.all)
    every = chain(real, in_rounds(simulated_cases(200 if args.all else args.simulated)))
    return (case for case in every if args.law is None or case.law == args.law)


def in_rounds(cases: Iterator[Case]) -> list[Case]:
    """Return the cases with one law of every table first, then another of every table, ..."""
    tables = [list(group) for _, group in groupby(cases, key=lambda case: case.table)]
    turned = [
        table[at % len(table) :] + table[: at % len(table)] for at, table in enumerate(tables)
    ]
    return [case for turn in zip_longest(*turned) for case in turn if case is not None]


def kept(path: Path | None) -> list[Result]:
    """Return the results of an earlier run, none where there was none."""
    if path is None or not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Result(**json.loads(line)) for line in lines]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", default=".", help="folder with the tables of real runs")
    parser.add_argument("--all", action="store_true", help="all tables, all 64 starts (hours)")
    parser.add_argument("--simulated", type=int, default=12, help="simulated tables without --all")
    parser.add_argument(
        "--seconds", type=float, help="scipy's limit per case (1.5; none with --all)"
    )
    parser.add_argument("--brute", type=int, default=0, help="starts of the brute-force search")
    parser.add_argument("--law", help="only this law")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first cases")
    parser.add_argument("--most", type=int, help="at most so many cases")
    parser.add_argument("--log", type=Path, help="keep the cases here, and go on from there")
    args = parser.parse_args()
    seconds = args.seconds or (np.inf if args.all else 1.5)
    results = kept(args.log)
    done = {result.name for result in results}
    for case in list(cases(args))[args.skip :][: args.most]:
        if case.name in done:
            continue
        results.append(run(case, seconds, args.brute))
        if results[-1].verdict == "WORSE":
            print(describe(results[-1]), flush=True)
        if args.log is not None:
            with args.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(results[-1])) + "\n")
    summarise(results)


if __name__ == "__main__":
    main()
