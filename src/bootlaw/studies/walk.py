"""The ready-set walk over a run graph: what is done, what may start, what waits for a failure.

A run is ready when its parent's checkpoint is on disk; of the ready runs the one with the most
work behind it goes first.
"""

from __future__ import annotations

from bootlaw.errors import Interrupted
from bootlaw.studies.execute import Workplace
from bootlaw.studies.graph import RunGraph
from bootlaw.studies.nodes import RunNode
from bootlaw.studies.plan import node_work
from bootlaw.studies.store import RunState


class Walk:
    """The state of a ready-set walk: what is done, running, failed."""

    def __init__(self, graph: RunGraph, place: Workplace) -> None:
        self._place = place
        self._nodes = {node.id: node for node in graph.nodes}
        self._priority = _work_behind(graph)
        self.done = {run for run, node in self._nodes.items() if self._state(node) is RunState.DONE}
        self.running: set[str] = set()
        self.failed: dict[str, str] = {}

    def ready(self) -> list[RunNode]:
        """Return the runs that may start now, the one with the most work behind it first."""
        waiting = [
            node
            for run, node in self._nodes.items()
            if run not in self.done and run not in self.running and run not in self.failed
        ]
        startable = [node for node in waiting if self._parent_is_there(node)]
        return sorted(startable, key=lambda node: -self._priority[node.id])

    def finish(self, node: RunNode, error: BaseException | None) -> None:
        """Record that `node` ended."""
        self.running.discard(node.id)
        if error is None:
            self.done.add(node.id)
        elif not isinstance(error, Interrupted):
            self.failed[node.id] = str(error)

    def put_back(self, node: RunNode) -> None:
        """Let `node` start again: whoever trained it is gone."""
        self.running.discard(node.id)

    @property
    def size(self) -> int:
        """How many runs there are in all."""
        return len(self._nodes)

    @property
    def over(self) -> bool:
        """True when nothing runs and nothing can start."""
        return not self.running and not self.ready()

    @property
    def blocked(self) -> list[str]:
        """Runs that wait for a failed one."""
        return [run for run in self._nodes if run not in self.done and run not in self.failed]

    def _parent_is_there(self, node: RunNode) -> bool:
        parent = node.spec.parent
        return parent is None or self._place.store(parent.run).has_checkpoint(parent.step)

    def _state(self, node: RunNode) -> RunState:
        return self._place.store(node.id).state(node)


def _work_behind(graph: RunGraph) -> dict[str, float]:
    """Return for every run the FLOPs of the longest chain that starts with it."""
    behind: dict[str, float] = {}
    for node in reversed(graph.nodes):
        children = [
            behind[child.id]
            for child in graph.nodes
            if child.spec.parent and child.spec.parent.run == node.id and child.id in behind
        ]
        behind[node.id] = node_work(node).flops + max(children, default=0.0)
    return behind
