"""Brings one run to done: from its last complete checkpoint, its parent, or fresh weights."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bootlaw import growth
from bootlaw.errors import BootlawError, Interrupted
from bootlaw.studies.nodes import Evaluation, Parent, RunNode, TextFiles
from bootlaw.studies.store import RunStore, Stretch
from bootlaw.training.checkpoint import (
    complete_steps,
    load_checkpoint,
    load_weights,
    prune_checkpoints,
    save_checkpoint,
)
from bootlaw.training.evaluation import HeldOutLoss, evaluate
from bootlaw.training.held_out import read_held_out
from bootlaw.training.loop import TrainState, advance
from bootlaw.training.model import ModelSpec, build_model
from bootlaw.training.optimizer import build_optimizer
from bootlaw.training.stream import Share, TokenStream

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_SECONDS_BETWEEN_CHECKPOINTS = 60.0
_STEPS_BETWEEN_REPORTS = 10


class Control(Protocol):
    """How a run talks to whoever started it."""

    def stopping(self) -> bool:
        """True when the run should save and stop after the current step."""
        ...

    def add_cost(self, flops: float, tokens: int) -> None:
        """Report work done."""
        ...


@dataclass(frozen=True)
class Workplace:
    """Where the runs of a study live and what they read."""

    runs: RunStore
    """Any run's store; only its root is used."""
    texts: Mapping[str, TextFiles]

    def store(self, run: str) -> RunStore:
        """Return the store of a run."""
        return RunStore(self.runs.root, run)


def execute(node: RunNode, place: Workplace, control: Control) -> None:
    """Train and evaluate `node` until all that is asked of it is on disk.

    Raises
    ------
    Interrupted
        When `control` asked to stop; what was trained is saved.
    BootlawError
        When training fails, or a loss or a weight is not finite.
    """
    store = place.store(node.id)
    store.write_spec(node)
    state: TrainState | None = None
    for target in store.pending_steps(node):
        if state is None or state.step > target:
            state = _state_before(node, place, target)
        watch = _Watch(node, store, control, state.step)
        try:
            _train(node, place, state, target, watch)
            _observe(node, place, control, state)
        finally:
            watch.close(state.step)
    asked = {*node.checkpoints, node.last_step} if node.is_trunk else set()
    prune_checkpoints(store.checkpoints, keep=asked)


def _train(node: RunNode, place: Workplace, state: TrainState, target: int, watch: _Watch) -> None:
    if state.step >= target:
        return
    spec = node.spec
    stream = TokenStream(
        path=place.texts[spec.stream.domain].train,
        context=spec.model.context,
        batch_size=spec.stream.batch_size,
        seed=spec.stream.seed,
        share=Share(spec.stream.share),
    )
    advance(
        state,
        stream=stream,
        schedule=spec.schedule,
        clip=spec.optimizer.clip,
        until=target,
        after_step=watch.after_step,
    )


def _observe(node: RunNode, place: Workplace, control: Control, state: TrainState) -> None:
    """Evaluate, then commit the checkpoint, so that a branch mostly finds its base's losses.

    A stop or a rolling checkpoint at this very step comes before both: the step then stays
    pending for its losses, and they are measured from that checkpoint.
    """
    store = place.store(node.id)
    for due in node.evaluations:
        if due.step == state.step and not store.has_evaluation(due):
            held_out = read_held_out(
                place.texts[due.domain].held_out, node.spec.model.context, due.tokens
            )
            store.write_evaluation(due, _finite(evaluate(state.model, held_out.sequences), due))
            control.add_cost(evaluation_flops(node.spec.model, due.tokens), 0)
    if state.step in node.checkpoints:
        save_checkpoint(store.checkpoints, state.step, state.model, state.optimizer)


def _finite(loss: HeldOutLoss, due: Evaluation) -> HeldOutLoss:
    if not np.isfinite(loss.sequence_losses).all():
        raise BootlawError(
            f"the held-out loss on {due.domain} is {loss.mean} at step {due.step}; "
            "lower schedule.peak_lr"
        )
    return loss


class _Watch:
    """What happens after a step: reports, rolling checkpoints, and the wish to stop."""

    def __init__(self, node: RunNode, store: RunStore, control: Control, step: int) -> None:
        self._node, self._store, self._control = node, store, control
        self._first = self._reported = step
        self._started = self._saved = time.monotonic()

    def after_step(self, state: TrainState) -> None:
        if state.step - self._reported >= _STEPS_BETWEEN_REPORTS:
            self._report(state.step)
        if self._control.stopping():
            self._save(state)
            raise Interrupted(f"{self._node.id} stopped at step {state.step}")
        if time.monotonic() - self._saved > _SECONDS_BETWEEN_CHECKPOINTS:
            self._save(state)

    def close(self, step: int) -> None:
        """Report and record what was not yet."""
        self._report(step)
        self._record(step)

    def _save(self, state: TrainState) -> None:
        # Recorded first: these steps were trained whether or not their checkpoint succeeds.
        self._record(state.step)
        folder = self._store.checkpoints
        save_checkpoint(folder, state.step, state.model, state.optimizer)
        prune_checkpoints(folder, keep={*self._node.checkpoints, state.step})
        self._saved = time.monotonic()

    def _record(self, step: int) -> None:
        now = time.monotonic()
        seconds = round(now - self._started, 3)
        self._store.add_stretch(Stretch(self._first, step, seconds, socket.gethostname()))
        self._first, self._started = step, now

    def _report(self, step: int) -> None:
        spec = self._node.spec
        tokens = (step - self._reported) * spec.stream.batch_size * spec.model.context
        self._control.add_cost(tokens * spec.model.flops_per_token, tokens)
        self._reported = step


def evaluation_flops(model: ModelSpec, tokens: int) -> float:
    """Return the cost of evaluating: the forward third of training."""
    return tokens * model.flops_per_token / 3


def _state_before(node: RunNode, place: Workplace, target: int) -> TrainState:
    """Return the state from which the fewest steps lead to `target`."""
    spec, store = node.spec, place.store(node.id)
    saved = [step for step in complete_steps(store.checkpoints) if step <= target]
    if saved:
        return _loaded(node, store, saved[-1])
    if spec.parent is None:
        model = build_model(spec.model.config(), spec.seed)
        return TrainState(model, build_optimizer(model, spec.optimizer), step=0)
    parent_store = place.store(spec.parent.run)
    if spec.parent.carry_optimizer:
        return _loaded(node, parent_store, spec.parent.step)
    model = _second_stage_model(spec.parent, spec.model, parent_store)
    return TrainState(model, build_optimizer(model, spec.optimizer), step=0)


def _loaded(node: RunNode, store: RunStore, step: int) -> TrainState:
    model = build_model(node.spec.model.config(), seed=0)
    optimizer = build_optimizer(model, node.spec.optimizer)
    load_checkpoint(store.checkpoints, step, model, optimizer)
    return TrainState(model, optimizer, step)


def _second_stage_model(parent: Parent, wanted: ModelSpec, store: RunStore) -> PreTrainedModel:
    base = build_model(parent.model.config(), seed=0)
    load_weights(store.checkpoints, parent.step, base)
    if not parent.growth:
        return base
    tensors = base.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    spec = growth.describe({"model_type": "llama", **parent.model.config()}, shapes)
    plan = growth.stack(spec, factor=parent.growth_factor)
    if dict(plan.config) != {"model_type": "llama", **wanted.config()}:
        raise BootlawError(f"stacking {parent.run} gives another model than the one asked for")
    grown = build_model(wanted.config(), seed=0)
    grown.load_state_dict(growth.materialise(plan, tensors))
    return grown
