"""Do the runs that `next_runs` asks for make a decision right sooner than other choices?

    OMP_NUM_THREADS=1 python benchmarks/next_runs.py [--truths 102] [--rounds 3] [--seed 0]

Truths are laws with parameters drawn around typical ones; pilot tables are simulated from them in
several designs, with noise of trunks and of rows. In every round each policy spends the same
budget on runs of one pool of candidates at the same costs, their losses are simulated, and the law
is fitted again. What counts is how far the decision that the new fit gives is from the right one:
of a break-even |ln D* - truth|, no crossing being the end of the searched range; of a forecast
|ln L - truth|; of an optimum the share of the true loss given away. The rivals: runs at random;
the cheapest first; and D-optimal choice (most information about all parameters, searched and priced
exactly as ours). Printed is the ratio of our mean error to each
rival's after every round, with its standard error over truths (jackknife). The bar: below 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bootlaw import laws
from bootlaw.fitting import Fit, fit
from bootlaw.laws import Law
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.pilots import (
    BreakevenQuestion,
    CostRules,
    ForecastQuestion,
    OptimumQuestion,
    Question,
    size_question,
    split_question,
)
from bootlaw.planning.pilots.believe import believe
from bootlaw.planning.pilots.candidates import Candidates, read_candidates
from bootlaw.planning.pilots.costs import Bases, Ledger
from bootlaw.planning.pilots.goals import Information
from bootlaw.planning.pilots.grid import default_grid
from bootlaw.planning.pilots.search import choose
from bootlaw.planning.pilots.table import Pilots, read_pilots
from bootlaw.planning.source import Source, as_source
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]
Columns = dict[str, list[float]]

RIVALS = ("random", "cheapest", "D-optimal")
REPLICATES = 100
MOST = 60
"""Runs of one round at most, which no budget reaches."""


@dataclass(frozen=True)
class Design:
    """A table of pilots, what further runs cost, and the questions asked of it."""

    name: str
    law: str
    bases: Sequence[float]
    seeds: int
    stage2: Sequence[float]
    scratch_trunks: int
    noise: tuple[float, float]
    shared: Bases
    budget: float


CHINCHILLA = {
    "A": (406.4, 0.3),
    "B": (410.7, 0.3),
    "a": (0.34, 0.08),
    "b": (0.28, 0.08),
    "E": (1.69, 0.1),
}
"""Published value (Hoffmann et al., arXiv 2203.15556) and spread of the logarithm."""

TWO_STAGE = "bootstrapped+scratch"
DESIGNS = (
    Design(
        name="4 bases",
        law=TWO_STAGE,
        bases=np.geomspace(1e6, 2e7, 4),
        seeds=1,
        stage2=np.geomspace(5e5, 1e7, 5),
        scratch_trunks=1,
        noise=(0.002, 0.002),
        shared="shared",
        budget=3e7,
    ),
    Design(
        name="3 bases, 2 seeds",
        law=TWO_STAGE,
        bases=np.geomspace(2e6, 2e7, 3),
        seeds=2,
        stage2=np.geomspace(5e5, 8e6, 4),
        scratch_trunks=2,
        noise=(0.003, 0.001),
        shared="separate",
        budget=4e7,
    ),
    Design(
        name="6 bases, few lengths",
        law=TWO_STAGE,
        bases=np.geomspace(5e5, 2e7, 6),
        seeds=1,
        stage2=np.geomspace(1e6, 4e6, 3),
        scratch_trunks=1,
        noise=(0.0, 0.003),
        shared="free",
        budget=2e7,
    ),
    Design(
        name="sizes",
        law="chinchilla",
        bases=(),
        seeds=1,
        stage2=np.geomspace(3e7, 1e9, 3),
        scratch_trunks=0,
        noise=(0.0, 0.005),
        shared="free",
        budget=6e17,
    ),
)
SIZES = np.geomspace(3e6, 6e7, 4)
"""Parameters of the pilots of the design of sizes."""

DENSE = 400
"""Options among which the best one is looked for, to say what a choice gave away."""


@dataclass
class State:
    """What one policy has got so far."""

    rows: dict[str, list[object]]
    left: float = 0.0
    used: set[int] = field(default_factory=set)
    fitted: Fit | None = None


def draw_truth(law: Law, rng: np.random.Generator) -> Floats:
    """Return natural parameters (p,): typical slopes and levels in the middle of the pilots."""
    if law.key == "chinchilla":
        middle = np.array([CHINCHILLA[name][0] for name in law.names])
        spread = np.array([CHINCHILLA[name][1] for name in law.names])
        return middle * np.exp(spread * rng.standard_normal(middle.size))
    x1, x2 = np.log(4e6), np.log(3e6)
    level, alone = rng.uniform(1.0, 2.0), rng.uniform(0.2, 0.32)
    slope1, slope2, a3 = (
        rng.uniform(0.05, 0.15),
        alone * rng.uniform(0.35, 0.8),
        rng.uniform(0, 0.012),
    )
    a1, a2 = slope1 + a3 * x2, slope2 + a3 * x1
    ln_a = np.log(level * rng.uniform(0.5, 0.8)) + a1 * x1 + a2 * x2 - a3 * x1 * x2
    own = {"A": np.exp(ln_a), "a1": a1, "a2": a2, "a3": a3, "E": rng.uniform(0.8, 1.6),
           "A_s": level * np.exp(alone * x2), "a_s": alone}  # fmt: skip
    return np.array([own[name] for name in law.names])


class World:
    """One truth: simulated losses of any run, trunks with deviations of their own."""

    def __init__(self, design: Design, seed: int) -> None:
        self.design, self.law, self.seed = design, laws.get(design.law), seed
        self.truth = draw_truth(self.law, np.random.default_rng([seed, 1]))
        self.trunks: dict[str, float] = {}

    def losses(self, columns: dict[str, Floats], trunk: Sequence[str], stream: int) -> Floats:
        """Return the losses (n,) of runs."""
        of_trunks, of_rows = self.design.noise
        rng = np.random.default_rng([self.seed, 2, stream])
        own = {name: columns[name] for name in self.law.variables}
        noise = of_rows * rng.standard_normal(len(trunk))
        return self.law.loss(self.truth, own) * np.exp(
            noise + of_trunks * np.array([self._offset(name) for name in trunk])
        )

    def _offset(self, trunk: str) -> float:
        if trunk not in self.trunks:
            key = [self.seed, 3, *trunk.encode()]
            self.trunks[trunk] = float(np.random.default_rng(key).standard_normal())
        return self.trunks[trunk]

    def pilots(self) -> dict[str, list[object]]:
        """Return the pilot table."""
        rows: list[tuple[float, float, float, str]] = []
        if self.law.key == "chinchilla":
            rows = [(0.0, d, n, f"n{n:.0f}") for n in SIZES for d in self.design.stage2]
        else:
            stems = [
                (b, f"b{b:.0f}-{s}") for b in self.design.bases for s in range(self.design.seeds)
            ]
            stems += [(0.0, f"s{s}") for s in range(self.design.scratch_trunks)]
            rows = [(base, d, 1e6, name) for base, name in stems for d in self.design.stage2]
        columns = {D1: [r[0] for r in rows], D2: [r[1] for r in rows], N: [r[2] for r in rows]}
        trunk = [r[3] for r in rows]
        losses = self.losses({n: np.array(v) for n, v in columns.items()}, trunk, 0)
        return {**columns, "trunk": trunk, "loss": list(losses)}  # type: ignore[dict-item]


def refit(world: World, state: State, replicates: int) -> RunTable:
    """Fit the law to all that a policy has got; return the table."""
    method = ["reuse" if base else "scratch" for base in state.rows[D1]]
    table = read_runs({**state.rows, "method": method})
    nearby = {}
    if state.fitted is not None and state.fitted.status == "converged":
        start = dict(zip(world.law.names, map(float, state.fitted.values), strict=True))
        nearby = {"start": start, "search": "nearby"}
    state.fitted = fit(
        table, world.law, bootstrap=replicates, seed=world.seed, remarks=False, **nearby
    )
    return table


def questions(world: World, source: Source, **options: int) -> dict[str, Question]:
    """Return the decisions of a design, at targets far outside the pilots."""
    if world.law.key == "chinchilla":
        return {"optimal size": size_question(source, flops=1e22, reach=100.0, **options)}
    total = 10 ** np.random.default_rng([world.seed, 5]).uniform(7.5, 9.5)
    return {
        "break-even": BreakevenQuestion(1e8, search=(1e6, 1e12)),
        "forecast": ForecastQuestion(1e8, 1e8),
        "optimal split": split_question(source, total_tokens=total, **options),
    }


def error(question: Question, world: World, found: Fit) -> float:
    """Return how far the point estimate's decision is from the right one."""
    true = Source(world.law, world.truth[None], "truth", ranges=found.ranges)
    own = Source(world.law, found.values[None], "fit", ranges=found.ranges)
    if isinstance(question, OptimumQuestion):
        right, guessed = (question.losses(one, one)[0] for one in (true, own))
        return float(right[np.argmin(guessed)] - right.min())
    right, guessed = (question.quantities(one, one) for one in (true, own))
    return float(abs(question.answers(guessed)[0] - question.answers(right)[0]))


def walk(key: Callable[[Floats], Floats], ledger: Ledger, budget: float) -> list[int]:
    """Return the affordable runs with the least key of their costs, one after the other."""
    runs: list[int] = []
    while True:
        costs = ledger.costs()
        ranks = np.where(costs <= budget, key(costs), np.inf)
        run = int(np.argmin(ranks))
        if not np.isfinite(ranks[run]):
            return runs
        budget -= costs[run]
        runs.append(run)
        ledger = ledger.after(run)


def pick_runs(
    policy: str, question: Question, source: Source, pilots: Pilots, offered: Candidates,
    ledger: Ledger, budget: float, rng: np.random.Generator,
) -> list[int]:  # fmt: skip
    """Return the candidates that a policy spends its budget on."""
    if policy == "random":
        return walk(lambda costs: rng.random(costs.size), ledger, budget)
    if policy == "cheapest":
        return walk(lambda costs: costs, ledger, budget)
    goal, belief = believe(question, source, source, pilots, offered)
    aim = Information() if policy == "D-optimal" else goal
    return list(choose(aim, belief, ledger, budget, MOST).runs)


def play(
    world: World, policy: str, question: Question, asked: dict[str, Question], pool: RunTable,
    first: State, rounds: int,
) -> tuple[dict[str, list[float]], list[float]]:  # fmt: skip
    """Return the error of each decision after every round, and what had been spent by then."""
    state = State({n: list(v) for n, v in first.rows.items()}, fitted=first.fitted)
    errors: dict[str, list[float]] = {name: [] for name in asked}
    spent = [0.0]
    rng = np.random.default_rng([world.seed, 4, len(policy)])
    rules = CostRules(bases=world.design.shared)
    table = read_runs(
        {**state.rows, "method": ["reuse" if b else "scratch" for b in state.rows[D1]]}
    )
    for number in range(rounds):
        source = as_source(state.fitted)
        pilots = read_pilots(state.fitted, table)
        keep = np.array([i not in state.used for i in range(len(pool))])
        index = np.flatnonzero(keep)
        offered = read_candidates(pool.select(keep), source, pilots)
        ledger = offered.ledger(pilots, rules)
        budget = state.left + world.design.budget
        runs = pick_runs(policy, question, source, pilots, offered, ledger, budget, rng)
        cost = 0.0
        for run in runs:
            cost += ledger.costs()[run]
            ledger = ledger.after(run)
        state.left = budget - cost
        spent.append(spent[-1] + cost)
        state.used |= {int(index[run]) for run in runs}
        add(world, state, offered, runs, number + 1)
        asks = policy in ("ours", "D-optimal") and number + 1 < rounds
        table = refit(world, state, REPLICATES if asks else 0)
        for name, one in asked.items():
            errors[name].append(error(one, world, state.fitted))
    return errors, spent[1:]


def add(world: World, state: State, offered: Candidates, runs: list[int], number: int) -> None:
    """Do the runs."""
    if not runs:
        return
    columns = {n: offered.columns[n][runs] for n in offered.columns}
    columns.setdefault(N, np.full(len(runs), 1e6))
    trunk = [offered.trunk_names[offered.trunk[run]] for run in runs]
    losses = world.losses(columns, trunk, number)
    for name in (D1, D2, N):
        state.rows[name] += list(columns[name])
    state.rows["trunk"] += trunk
    state.rows["loss"] += list(losses)


def candidates_of(offered: Candidates, budget: float, ledger: Ledger) -> RunTable:
    """Return the pool as a table: what three rounds' budget could buy one of."""
    keep = ledger.costs() <= 3 * budget
    names = np.array([offered.trunk_names[t] for t in offered.trunk[keep]], dtype=object)
    columns = {name: values[keep] for name, values in offered.columns.items()}
    return RunTable({**columns, "trunk": names}, "pool", np.arange(int(keep.sum())) + 1)


Results = dict[str, dict[str, list[list[float]]]]


def run_world(world: World, rounds: int, results: Results, spent: dict[str, list[float]]) -> None:
    """Play all policies in one truth, and add their errors to the results."""
    first = State(world.pilots())
    table = refit(world, first, REPLICATES)
    if first.fitted.status != "converged":
        return
    source, pilots = as_source(first.fitted), read_pilots(first.fitted, table)
    offered = default_grid(source, pilots)
    ledger = offered.ledger(pilots, CostRules(bases=world.design.shared))
    pool = candidates_of(offered, world.design.budget, ledger)
    asked = questions(world, source)
    dense = questions(world, source, options=DENSE)
    any_question = next(iter(asked.values()))
    found = {p: play(world, p, any_question, dense, pool, first, rounds) for p in RIVALS}
    for name, one in asked.items():
        own = play(world, "ours", one, {name: dense[name]}, pool, first, rounds)
        start = error(dense[name], world, first.fitted)
        for policy, (errors, costs) in {**found, "ours": own}.items():
            results.setdefault(name, {}).setdefault(policy, []).append([start, *errors[name]])
            share = costs[-1] / (rounds * world.design.budget)
            spent.setdefault(f"{name} {policy}", []).append(share)


def ratio(own: Floats, other: Floats) -> tuple[float, float]:
    """Return the ratio of mean errors over truths, and its jackknife standard error."""
    n = own.size
    with np.errstate(divide="ignore", invalid="ignore"):
        each = (own.sum() - own) / (other.sum() - other)
        spread = np.sqrt((n - 1) / n * np.sum((each - each.mean()) ** 2))
        return float(own.mean() / other.mean()), float(spread)


def report(results: Results, spent: dict[str, list[float]]) -> bool:
    """Print errors and ratios; return whether the bar is met."""
    met = True
    for name, found in results.items():
        errors = {policy: np.array(values) for policy, values in found.items()}
        n, rounds = errors["ours"].shape
        print(f"\n{name}: {n} truths; mean error by round, from the pilots on")
        for policy, values in errors.items():
            shown = "  ".join(f"{value:9.3g}" for value in values.mean(axis=0))
            paid = np.mean(spent[f"{name} {policy}"])
            print(f"  {policy:10s} {shown}   (spent {paid:.0%} of the budget)")
        for policy in RIVALS:
            ratios = [ratio(errors["ours"][:, r], errors[policy][:, r]) for r in range(1, rounds)]
            all_rounds = ratio(
                errors["ours"][:, 1:].mean(axis=1), errors[policy][:, 1:].mean(axis=1)
            )
            shown = "  ".join(f"{value:.2f} +- {se:.2f}" for value, se in ratios)
            met &= all_rounds[0] < 1
            pooled = f"all rounds {all_rounds[0]:.2f} +- {all_rounds[1]:.2f}"
            print(f"  ours / {policy:10s} {shown};  {pooled}")
    print(f"\nbar (below 1 against random, cheapest and D-optimal): {'met' if met else 'MISSED'}")
    return met


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truths", type=int, default=102, help="per decision, over the designs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="designs whose name contains this")
    args = parser.parse_args()
    results: Results = {}
    spent: dict[str, list[float]] = {}
    start = time.process_time()
    two_stage = [d for d in DESIGNS if d.law == TWO_STAGE]
    for design in DESIGNS:
        if args.only not in design.name:
            continue
        share = args.truths if design.law != TWO_STAGE else -(-args.truths // len(two_stage))
        for number in range(share):
            run_world(World(design, 1000 * args.seed + number + 100_000 * DESIGNS.index(design)),
                      args.rounds, results, spent)  # fmt: skip
        seconds = time.process_time() - start
        print(f"\n== up to {design.name}: {share} truths, {seconds:.0f} s of CPU", flush=True)
        report(results, spent)


if __name__ == "__main__":
    main()
