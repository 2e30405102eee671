"""Do 95 % intervals cover 95 %: two-stage tables simulated from a known law, fitted, and counted.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py [--tables 2000] [--jobs 2] [--scheme wild]

Designs: 6, 8, 12 and 24 trunks (levels of D1 times seeds) of six D2 each; trunk noise (0.4 % of a
trunk, 0.2 % of a row) or row noise (0.4 % of a row); the main law with E free, with E given, and
jointly with a trunk from scratch for every four of reuse (two at least), for the break-even ln D*.
Each table is fitted, `--replicates` tables are simulated from it and refitted, and the true value
of a quantity is covered where it lies between the percentiles of the cloud. "No crossing" is
ln D* = infinity. The bar: 93 to 97 % from 12 trunks, 90 to 98 % below.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bootlaw import laws
from bootlaw.fitting.bootstrap import SCHEMES, refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import find_optimum
from bootlaw.laws import Design, constrain
from bootlaw.laws.names import D1, D2

Floats = NDArray[np.float64]

LEVELS = {6: 6, 8: 4, 12: 6, 24: 8}
"""Trunks -> levels of D1; the seeds are the rest."""

NOISE = {"trunk": (0.004, 0.002), "row": (0.0, 0.004)}
"""Standard deviations of the log loss: of trunks, of rows."""

TRUE = {"A": 20.0, "a1": 0.12, "a2": 0.3, "a3": 0.012, "A_s": 27.71, "a_s": 0.3, "E": 1.1}
"""Reuse from D1 = 2e6 and scratch cross at D2 = 4e6."""

KINDS = ("E free", "E given", "with scratch")

FORECASTS = {
    "centre": (2e6, 1e6),
    "corner": (2e7, 1e7),
    "3x D2": (2e6, 3e7),
    "3x D1": (6e7, 1e6),
    "3x both": (6e7, 3e7),
}
"""Where a loss is forecast; the grid reaches from (2e5, 1e5) to (2e7, 1e7)."""

BASE = 2e6
"""D1 of the break-even."""


@dataclass(frozen=True)
class Case:
    """One design: how many trunks, which noise, which law."""

    trunks: int
    noise: str
    kind: str

    @property
    def bar(self) -> tuple[float, float]:
        """Least and greatest coverage asked for."""
        return (0.93, 0.97) if self.trunks >= 12 else (0.90, 0.98)

    @property
    def code(self) -> tuple[int, ...]:
        """Numbers that stand for the design in a seed."""
        return self.trunks, list(NOISE).index(self.noise), KINDS.index(self.kind)

    @property
    def law(self) -> laws.Law:
        """The law that is simulated and fitted."""
        return laws.get("bootstrapped+scratch" if self.kind == "with scratch" else "bootstrapped")

    @property
    def truth(self) -> Floats:
        """(p,) internal coordinates."""
        return self.law.to_internal([TRUE[name] for name in self.law.names])

    def table(self) -> tuple[dict[str, Floats], NDArray[np.intp]]:
        """Return the token counts of the rows, and their trunks."""
        levels = LEVELS[self.trunks]
        tokens = np.geomspace(1e5, 1e7, 6)
        bases = np.repeat(np.geomspace(2e5, 2e7, levels), self.trunks // levels)
        if self.kind == "with scratch":
            bases = np.concatenate([bases, np.zeros(max(2, self.trunks // 4))])
        columns = {D1: np.repeat(bases, tokens.size), D2: np.tile(tokens, bases.size)}
        return columns, np.repeat(np.arange(bases.size), tokens.size)


def simulate(case: Case, rng: np.random.Generator, delta: float) -> Objective:
    """Return the objective of one table."""
    columns, trunks = case.table()
    of_trunks, of_rows = NOISE[case.noise]
    noise = of_trunks * rng.standard_normal(int(trunks.max()) + 1)[trunks]
    noise += of_rows * rng.standard_normal(trunks.size)
    losses = case.law.loss(case.law.from_internal(case.truth), columns) * np.exp(noise)
    return Objective.of(case.law, columns, losses, delta)


def cloud(case: Case, objective: Objective, scheme: str, n: int, seed: int) -> Floats:
    """Return the refits (n, p) of simulated tables, in internal coordinates."""
    trunks = case.table()[1]
    given = {"E": float(case.law.from_internal(case.truth)[-1])} if case.kind == "E given" else {}
    held = constrain(case.law, given, {})
    fitted = replace(objective, design=Design(held.law, objective.design.columns))
    optimum = find_optimum(fitted)
    tables = resampled(fitted, optimum.u, scheme, trunks, n, seed)
    refits = refit(tables, optimum, n).u
    return case.law.to_internal(held.expand(held.law.from_internal(refits)))


def quantities(case: Case, u: Floats) -> dict[str, Floats]:
    """Return every quantity (R,) at internal coordinates (R, p).

    A, a1 and a2 are at D = 1 token; "A centre" is the reducible loss, "a1 centre" and
    "a2 centre" the local exponents at the centre of the data.
    """
    law = case.law
    of = {name: u[:, law.index(name)] for name in law.names}
    ln1, ln2 = np.log(2e6), np.log(1e6)
    found = {
        "A": np.exp(of["A"]),
        "A centre": of["A"] - of["a1"] * ln1 - of["a2"] * ln2 + of["a3"] * ln1 * ln2,
        "a1": of["a1"],
        "a1 centre": of["a1"] - of["a3"] * ln2,
        "a2": of["a2"],
        "a2 centre": of["a2"] - of["a3"] * ln1,
        "a3": of["a3"],
    }
    if case.kind != "E given":
        found["E"] = of["E"]
    natural = law.from_internal(u)
    for name, (stage1, stage2) in FORECASTS.items():
        found[name] = law.loss(natural, {D1: [stage1], D2: [stage2]})[:, 0]
    if case.kind == "with scratch":
        found["ln D*"] = breakeven(of)
    return found


def breakeven(of: dict[str, Floats]) -> Floats:
    """Return ln D2 (R,) where reuse from `BASE` stops winning; E is shared and drops out.

    Infinity where starting over catches up nowhere up to 1e14 tokens, minus infinity where it is
    ahead from 100 tokens on.
    """
    level = of["A"] - of["a1"] * np.log(BASE) - of["A_s"]
    slope = of["a_s"] - of["a2"] + of["a3"] * np.log(BASE)
    low, high = np.log(1e2), np.log(1e14)
    with np.errstate(divide="ignore"):
        crossing = -level / slope
    crosses = (slope > 0) & (crossing >= low) & (crossing <= high)
    return np.where(crosses, crossing, np.where(level + slope * low >= 0, -np.inf, np.inf))


Ranks = dict[str, float]


def ranks(case: Case, scheme: str, n: int, delta: float, seed: int) -> Ranks:
    """Return, for one table, the share of the cloud below the true value of each quantity."""
    objective = simulate(case, np.random.default_rng([seed, *case.code]), delta)
    drawn = quantities(case, cloud(case, objective, scheme, n, seed))
    true = quantities(case, case.truth[None, :])
    return {
        name: float(((values < true[name]).mean() + (values <= true[name]).mean()) / 2)
        for name, values in drawn.items()
    }


@dataclass(frozen=True)
class Count:
    """Tables of one design and quantity: how many, how many missed low and high."""

    tables: int
    below: int
    above: int

    @property
    def coverage(self) -> float:
        """Share of the tables whose interval holds the true value."""
        return 1.0 - (self.below + self.above) / self.tables

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the coverage, at the nominal one."""
        return float(np.sqrt(0.95 * 0.05 / self.tables))

    def within(self, bar: tuple[float, float], errors: float) -> bool:
        """Return whether the coverage is inside the bar widened by so many errors."""
        slack = errors * self.error
        return bar[0] - slack <= self.coverage <= bar[1] + slack


def count(found: list[Ranks]) -> dict[str, Count]:
    """Return the misses of each quantity over tables."""
    return {
        name: Count(
            len(found), sum(r[name] > 0.975 for r in found), sum(r[name] < 0.025 for r in found)
        )
        for name in found[0]
    }


def line(name: str, result: Count, bar: tuple[float, float]) -> str:
    """Return one line of the table."""
    mark = "" if result.within(bar, 0.0) else " *" if result.within(bar, 2.0) else " **"
    return (
        f"  {name:10s} {result.coverage:6.1%} +- {result.error:4.1%}   interval below the truth "
        f"{result.below / result.tables:5.1%}, above {result.above / result.tables:5.1%}{mark}"
    )


def pooled(results: dict[Case, dict[str, Count]]) -> Iterator[tuple[str, Count, Case]]:
    """Yield the counts over all designs with few trunks and all with many, by quantity."""
    for many in (False, True):
        some = [case for case in results if (case.trunks >= 12) == many]
        for name in dict.fromkeys(name for case in some for name in results[case]):
            parts = [results[case][name] for case in some if name in results[case]]
            total = Count(
                *(sum(getattr(p, f) for p in parts) for f in ("tables", "below", "above"))
            )
            yield name, total, some[0]


def verdict(pairs: list[tuple[Count, Case]]) -> str:
    """Return how much of the bar is met."""
    inside = sum(result.within(case.bar, 0.0) for result, case in pairs)
    nearly = sum(result.within(case.bar, 2.0) for result, case in pairs)
    return f"{inside} of {len(pairs)} inside the bar, {nearly} within two Monte Carlo errors of it"


def report(results: dict[Case, dict[str, Count]]) -> None:
    """Print the designs pooled, and the share of the bar that is met."""
    heading = None
    for name, total, case in pooled(results):
        title = "12 trunks and more" if case.trunks >= 12 else "6 to 11 trunks"
        if title != heading:
            print(f"\nall designs with {title}")
            heading = title
        print(line(name, total, case.bar))
    by_design = [(result, case) for case in results for result in results[case].values()]
    print(f"\ndesign by quantity: {verdict(by_design)}")
    print(f"quantities pooled over designs: {verdict([(c, k) for _, c, k in pooled(results)])}")


def main() -> None:
    """Simulate, count and print; one star is outside the bar, two by more than two errors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=2000, help="in all")
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--delta", type=float, default=1e-3)
    parser.add_argument("--scheme", default="random-effects", choices=SCHEMES[1:])
    parser.add_argument("--trunks", type=int, nargs="*", default=list(LEVELS))
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    cases = [Case(*parts) for parts in product(args.trunks, NOISE, KINDS)]
    each = -(-args.tables // len(cases))
    results = {}
    with ProcessPoolExecutor(args.jobs) as pool:
        for case in cases:
            task = partial(ranks, case, args.scheme, args.replicates, args.delta)
            results[case] = count(list(pool.map(task, range(each), chunksize=8)))
            print(f"\n{case.trunks} trunks, {case.noise} noise, {case.kind}: {each} tables")
            for name, result in results[case].items():
                print(line(name, result, case.bar), flush=True)
    report(results)


if __name__ == "__main__":
    main()
