"""When workers die: how often a run may take its worker with it, and what is said then."""

from __future__ import annotations

import signal

from bootlaw.studies.crew import Death
from bootlaw.studies.execute import Workplace

_MOST_DEATHS = 3

Landmarks = tuple[tuple[int, ...], int]


class Deaths:
    """Counts for every run the deaths of its workers since its last checkpoint or evaluation."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._seen: dict[str, tuple[Landmarks, int]] = {}

    def too_many(self, death: Death) -> bool:
        """Count `death`; True when its run should not be tried again."""
        run = death.node.id
        now = self._place.store(run).landmarks(death.node)
        before, count = self._seen.get(run, (now, 0))
        count = count + 1 if now == before else 1
        self._seen[run] = now, count
        return count >= _MOST_DEATHS


def cause(death: Death) -> str:
    """Return how the worker ended, as a predicate."""
    if death.exit_code >= 0:
        return f"ended with exit code {death.exit_code}"
    number = -death.exit_code
    name = next((item.name for item in signal.Signals if item == number), f"signal {number}")
    guess = " (out of memory?)" if number == signal.SIGKILL else ""
    return f"was killed by {name}{guess}"


def give_up(death: Death) -> str:
    """Return the message for a run that is not tried again."""
    return (
        f"{death.node.id}: its worker {cause(death)}, and so did {_MOST_DEATHS} workers without a "
        "new checkpoint; free memory or use fewer --workers, then the same command continues"
    )
