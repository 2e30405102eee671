"""What an action cost against the best one in hindsight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Regret:
    """One decision of one planner.

    Attributes
    ----------
    nats : loss of the chosen action less that of the best.
    wasted : share of the budget that the best kind of action would not have needed for the loss
        that was reached; NaN where no curve says it.
    status : what the planner said of its own answer.
    """

    nats: float
    wasted: float
    status: str = "ok"


def regret(losses: Floats, chosen: int, needed: Callable[[float], float], status: str) -> Regret:
    """Return the regret of choosing one of the actions with true `losses` (k,).

    Parameters
    ----------
    needed : the share of the budget at which the best action reaches a loss.
    """
    behind = float(losses[chosen] - losses.min())
    return Regret(behind, 1.0 - needed(float(losses[chosen])) if behind > 0 else 0.0, status)


def share_needed(curve: Callable[[Floats], Floats], loss: float) -> float:
    """Return the least share of the budget from which on `curve` is at or below `loss`."""
    shares = np.geomspace(1e-4, 1.0, 400)
    reached = curve(shares) <= loss
    return float(shares[int(np.argmax(reached))]) if reached.any() else 1.0


class Scores:
    """Regrets by question and planner, each with the world they come from."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[tuple[str, Regret]]] = defaultdict(list)

    def add(self, question: str, planner: str, world: str, found: Regret) -> None:
        """Keep one regret; `world` names the truth, whose decisions are not independent."""
        self._found[question, planner].append((world, found))

    def lines(self, heading: str) -> Iterator[str]:
        """Yield a Markdown table for each question."""
        for question in dict.fromkeys(q for q, _ in self._found):
            yield f"\n{heading}: {question}\n"
            yield "| planner | regret, mean nats | budget wasted | best action found | decisions |"
            yield "|---|---|---|---|---|"
            for (asked, planner), found in self._found.items():
                if asked == question:
                    yield _line(planner, found)
                    yield from _by_status(found)

    def by_family(self, question: str, planners: Sequence[str]) -> Iterator[str]:
        """Yield a table of the mean regret by family of truths (the part of a world before ':')."""
        yield "| truth | " + " | ".join(planners) + " |"
        yield "|---|" + "---|" * len(planners)
        families = dict.fromkeys(w.split(":")[0] for w, _ in self._found[question, planners[0]])
        for family in families:
            cells = []
            for planner in planners:
                own = [x for x in self._found[question, planner] if x[0].split(":")[0] == family]
                mean, error = _mean([(world, one.nats) for world, one in own])
                cells.append(f"{mean:.4f} +- {error:.4f}")
            yield f"| {family} | " + " | ".join(cells) + " |"


def _line(name: str, found: Sequence[tuple[str, Regret]]) -> str:
    nats, error = _mean([(world, one.nats) for world, one in found])
    wasted, wasted_error = _mean([(world, one.wasted) for world, one in found])
    waste = f"{wasted:.1%} +- {wasted_error:.1%}" if np.isfinite(wasted) else "-"
    hit = np.mean([one.nats <= 1e-12 for _, one in found])
    return f"| {name} | {nats:.4f} +- {error:.4f} | {waste} | {hit:.0%} | {len(found)} |"


def _by_status(found: Sequence[tuple[str, Regret]]) -> Iterator[str]:
    """Yield a line for each status a planner gave, where it gave several."""
    kinds = list(dict.fromkeys(one.status for _, one in found))
    if len(kinds) > 1:
        for kind in sorted(kinds):
            own = [(world, one) for world, one in found if one.status == kind]
            yield _line(f"- where it says {kind}", own)


def _mean(values: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """Return the mean and its standard error, over worlds, whose decisions hang together."""
    worlds: dict[str, list[float]] = defaultdict(list)
    for world, value in values:
        worlds[world].append(value)
    totals = np.array([np.sum(own) for own in worlds.values()])
    counts = np.array([len(own) for own in worlds.values()])
    mean = totals.sum() / counts.sum()
    if len(totals) < 2:
        return float(mean), float("nan")
    spread = np.sqrt(np.sum((totals - mean * counts) ** 2) * len(totals) / (len(totals) - 1))
    return float(mean), float(spread / counts.sum())
