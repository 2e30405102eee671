"""Decisions far beyond small pilots, in worlds whose law is known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bootlaw import fit
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import LawAverage, average_laws, compare
from bootlaw.laws import Law, from_formula, get
from bootlaw.planning.many import forecasts
from bootlaw.runs import RunTable, read_runs
from hindsight.planners import Expert, choose
from hindsight.score import Scores, regret, share_needed
from hindsight.truths import PARAMS, ROW_NOISE, TRUNK_NOISE, Truth, truth

Floats = NDArray[np.float64]

REUSE_OR_RESTART = "reuse or restart at a budget (base exists)"
ALLOCATION = "split of a budget over a base of a quarter of the size and its growth"
CHECKPOINT = "choice of a checkpoint for a given second-stage compute"

BASES_AND_BUDGETS = ((1e11, 16e9), (1e11, 64e9), (3e11, 64e9), (3e11, 256e9))
"""1000 and 3000 tokens per parameter, 5 and 15 times those of the longest pilot base, and second
stages of 2 to 32 times the longest pilot."""

BASE_COST = 0.25
"""FLOPs per token of the base over those of the final model, four times as large."""

TOTALS = np.array([3e10, 1e11, 3e11, 1e12])
"""Budgets, in tokens of the final model."""

SHARES = np.array([0.0, 0.02, 0.05, *np.arange(0.1, 0.95, 0.1), 0.95, 0.98])

SIZES = np.array([3e7, 6e7, 1.2e8])
COMPUTE = np.array([1e19, 1e20])
N_CHECKPOINTS = 6
EFFECTIVE = from_formula("A*N^-a + B*(D2 + k*D1^c)^-b + E")
"""Effective data with a term in N: a law of one's own, by formula."""


def study(scores: Scores, family: str, number: int, seed: int = 0) -> None:
    """Put one world of a family to every planner and keep what each answer cost."""
    rng = np.random.default_rng([seed, number, *family.encode()])
    world = truth(family, rng)
    name = f"{family}:{number}"
    expert = Expert(world.pilots(rng))
    _reuse_or_restart(scores, name, world, expert)
    _allocation(scores, name, world, expert)
    _checkpoint(scores, name, world, rng)


def _reuse_or_restart(scores: Scores, name: str, world: Truth, expert: Expert) -> None:
    for base, budget in BASES_AND_BUDGETS:
        stage1, stage2 = np.array([base, 0.0]), np.array([budget, budget])
        losses = world.loss(stage1, stage2)
        best = float(stage1[int(np.argmin(losses))])

        def needed(loss: float, best: float = best, budget: float = budget) -> float:
            return share_needed(lambda shares: world.loss(best, shares * budget), loss)

        def add(planner: str, chosen: int, status: str = "ok") -> None:
            found = regret(losses, chosen, needed, status)  # noqa: B023
            scores.add(REUSE_OR_RESTART, planner, name, found)

        for how, label in DECISIONS:
            action, status = expert.decision(how, base, budget)
            add(label, int(action == "scratch"), status)
        for how, label in PLANNERS:
            add(label, *choose(expert.predictions(how, stage1, stage2), fall_back=0))
        add("always reuse (counts total tokens)", 0)
        add("always start over (ignores the base)", 1)


DECISIONS = (
    ("average", "bootlaw decide (laws averaged)"),
    ("main", "bootlaw decide (main law)"),
)
PLANNERS = (
    ("main", "bootlaw, main law, no interval"),
    ("compare", "bootlaw, law chosen by compare"),
    ("average", "bootlaw, laws averaged, no interval"),
)


def _allocation(scores: Scores, name: str, world: Truth, expert: Expert) -> None:
    for total in TOTALS:
        stage1, stage2 = SHARES * total / BASE_COST, (1 - SHARES) * total
        losses = world.loss(stage1, stage2)
        best = SHARES[int(np.argmin(losses))]

        def needed(loss: float, best: float = best, total: float = total) -> float:
            return share_needed(
                lambda part: world.loss(best * part * total / BASE_COST, (1 - best) * part * total),
                loss,
            )

        def add(planner: str, chosen: int, status: str = "ok") -> None:
            scores.add(ALLOCATION, planner, name, regret(losses, chosen, needed, status))  # noqa: B023

        for how, label in PLANNERS:
            add(label, *choose(expert.predictions(how, stage1, stage2), fall_back=0))
        add("Chinchilla-only (one stage, no base)", 0)
        add("habit: nine tenths for the base", int(np.argmin(np.abs(SHARES - 0.9))))
        add("habit: always reuse, half and half", int(np.argmin(np.abs(SHARES - 0.5))))


def _checkpoint(scores: Scores, name: str, world: Truth, rng: np.random.Generator) -> None:
    """Choose among bases of several sizes, each with its own number of tokens."""
    size_term, size_slope = rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.45)

    def loss(stage1: Floats, stage2: Floats, params: Floats) -> Floats:
        return world.loss(stage1, stage2) + size_term * (params / PARAMS) ** -size_slope

    pilots = _sized_pilots(loss, rng)
    experts = _sized_experts(pilots)
    for compute in COMPUTE:
        params = 10 ** rng.uniform(8.2, 9.7, N_CHECKPOINTS)
        stage1 = params * 10 ** rng.uniform(1.3, 3.6, N_CHECKPOINTS)
        stage2 = compute / (6 * params)
        losses = loss(stage1, stage2, params)
        best = int(np.argmin(losses))

        def needed(
            value: float,
            d1: float = stage1[best],
            d2: float = stage2[best],
            n: float = params[best],
        ) -> float:
            return share_needed(lambda part: loss(np.array(d1), part * d2, np.array(n)), value)

        def add(planner: str, chosen: int, status: str = "ok") -> None:
            scores.add(CHECKPOINT, planner, name, regret(losses, chosen, needed, status))  # noqa: B023

        largest = int(np.argmax(params))
        for label, predict in experts.items():
            add(label, *choose(predict(stage1, stage2, params), fall_back=largest))
        add("always the largest", largest)
        add("always the longest trained", int(np.argmax(stage1)))
        add("always the most tokens per parameter", int(np.argmax(stage1 / params)))


Sized = Callable[[Floats, Floats, Floats], "Floats | None"]


def _sized_pilots(loss: Sized, rng: np.random.Generator) -> RunTable:
    """Return pilots of three sizes, three bases each and three second stages."""
    axes = np.meshgrid(SIZES, [20.0, 60.0, 200.0], [1e9, 3e9, 9e9], indexing="ij")
    params, per_param, d2 = (axis.ravel() for axis in axes)
    d1 = params * per_param
    trunk = np.repeat(np.arange(9), 3)
    noise = TRUNK_NOISE * rng.standard_normal(9)[trunk] + ROW_NOISE * rng.standard_normal(27)
    losses = loss(d1, d2, params)
    assert losses is not None
    return read_runs(
        {
            "method": ["cpt"] * 27,
            "params": params,
            "tokens_stage1": d1,
            "tokens_stage2": d2,
            "loss": losses * np.exp(noise),
            "trunk": [f"t{number}" for number in trunk],
        }
    )


def _sized_experts(pilots: RunTable) -> dict[str, Sized]:
    """Return the planners of a checkpoint.

    The joint main law, it or effective data, whichever predicts the longest bases better, and
    Chinchilla's law on all tokens.
    """
    total = read_runs(
        {
            "params": pilots.numbers("params"),
            "tokens": pilots.numbers("tokens_stage1") + pilots.numbers("tokens_stage2"),
            "loss": pilots.numbers("loss"),
        }
    )
    laws = {"main": get("bootstrapped-joint"), "effective": EFFECTIVE}
    best = compare(pilots, laws=list(laws.values()), holdout="largest-d1").rows[0].law
    chosen = next((law for law in laws.values() if law.key == best), laws["main"])
    return {
        "bootlaw, main law joint in N": _by_law(pilots, laws["main"]),
        "bootlaw, it or effective data, by compare": _by_law(pilots, chosen),
        "bootlaw, laws joint in N averaged": _by_average(pilots),
        "Chinchilla-only (all tokens alike)": _by_law(total, get("chinchilla")),
    }


def _by_average(table: RunTable) -> Sized:
    found: LawAverage | None = None
    with contextlib.suppress(InputError, UndeterminedError):
        found = average_laws(table, bootstrap=0)

    def predict(stage1: Floats, stage2: Floats, params: Floats) -> Floats | None:
        if found is None:
            return None
        columns = {"tokens_stage1": stage1, "tokens_stage2": stage2, "params": params}
        return forecasts(found, columns).loss

    return predict


def _by_law(table: RunTable, law: Law) -> Sized:
    found = fit(table, law)

    def predict(stage1: Floats, stage2: Floats, params: Floats) -> Floats | None:
        if found.status != "converged":
            return None
        columns = {"tokens_stage1": stage1, "tokens_stage2": stage2, "params": params}
        if law.key == "chinchilla":
            columns = {"tokens_stage2": stage1 + stage2, "params": params}
        try:
            return forecasts(found, columns).loss
        except InputError:
            return None

    return predict
