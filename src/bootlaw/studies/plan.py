"""What a study will cost and what of it is already done."""

from __future__ import annotations

from bootlaw.studies.execute import Workplace, evaluation_flops
from bootlaw.studies.graph import Cell, RunGraph
from bootlaw.studies.nodes import RunNode
from bootlaw.studies.progress import Work
from bootlaw.studies.store import RunState
from bootlaw.training.checkpoint import complete_steps

_WORDS = {
    RunState.DONE: "reuse",
    RunState.PLANNED: "new",
    RunState.PARTIAL: "continue",
    RunState.FAILED: "retry",
}


def node_work(node: RunNode) -> Work:
    """Return the work of a whole run, evaluations included."""
    return _training(node, node.last_step - node.first_step) + _evaluation(node)


def remaining_work(node: RunNode, place: Workplace) -> Work:
    """Return the work that is left of a run, from its last useful checkpoint."""
    store = place.store(node.id)
    pending = store.pending_steps(node)
    if not pending:
        return Work()
    saved = [step for step in complete_steps(store.checkpoints) if step <= pending[0]]
    start = max([node.first_step, *saved])
    due = [item for item in node.evaluations if not store.has_evaluation(item)]
    flops = sum(evaluation_flops(node.spec.model, item.tokens) for item in due)
    return _training(node, max(0, pending[-1] - start)) + Work(flops, 0)


def total_work(graph: RunGraph) -> Work:
    """Return the work of all runs."""
    return sum((node_work(node) for node in graph.nodes), Work())


def work_left(graph: RunGraph, place: Workplace) -> Work:
    """Return the work that is left of all runs."""
    return sum((remaining_work(node, place) for node in graph.nodes), Work())


def separate_tokens(cells: tuple[Cell, ...], tokens_per_step: int) -> int:
    """Return the tokens needed if every cell were trained alone, base included."""
    return tokens_per_step * sum(cell.steps_stage1 + cell.steps_stage2 for cell in cells)


def describe(graph: RunGraph, place: Workplace) -> str:
    """Return the graph as a table for ``--dry-run``: state, tokens, FLOPs of every run."""
    lines = [f"{'state':8} {'tokens left':>12} {'FLOPs left':>11}  run"]
    for node in graph.nodes:
        left = remaining_work(node, place)
        state = place.store(node.id).state(node)
        word = _WORDS[state]
        lines.append(f"{word:8} {left.tokens:12,} {left.flops:11.3g}  {node.id}")
    left = work_left(graph, place)
    lines.append(f"{'all':8} {left.tokens:12,} {left.flops:11.3g}  {len(graph.nodes)} runs")
    return "\n".join(lines)


def _training(node: RunNode, steps: int) -> Work:
    tokens = steps * node.spec.stream.batch_size * node.spec.model.context
    return Work(tokens * node.spec.model.flops_per_token, tokens)


def _evaluation(node: RunNode) -> Work:
    flops = sum(evaluation_flops(node.spec.model, due.tokens) for due in node.evaluations)
    return Work(flops, 0)
