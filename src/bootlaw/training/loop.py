"""The step loop: forward, backward, clip, update. Nothing else happens between two steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootlaw.errors import BootlawError
from bootlaw.training.schedule import Schedule
from bootlaw.training.stream import TokenStream

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import PreTrainedModel

_STEPS_BETWEEN_FINITE_CHECKS = 50


@dataclass
class TrainState:
    """What changes from step to step: the model, its optimiser and the updates done."""

    model: PreTrainedModel
    optimizer: Optimizer
    step: int


def advance(
    state: TrainState,
    *,
    stream: TokenStream,
    schedule: Schedule,
    clip: float,
    until: int,
    after_step: Callable[[TrainState], None],
) -> None:
    """Train `state` in place until `until` updates are done.

    Parameters
    ----------
    state
        Starts at ``state.step``; the batch and the rate of a step depend on the step alone.
    stream, schedule
        Where the batch and the learning rate of a step come from.
    clip
        Largest global norm of the gradient.
    until
        The number of updates after which to return.
    after_step
        Called after every update; it may save, report, or raise to stop.

    Raises
    ------
    BootlawError
        When the training loss is not finite.
    """
    import torch

    model, optimizer = state.model, state.optimizer
    parameters = list(model.parameters())
    device = parameters[0].device
    model.train()
    while state.step < until:
        rate = schedule.learning_rate(state.step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        tokens = torch.from_numpy(stream.batch(state.step)).to(device, non_blocking=True)
        loss = next_token_loss(model, tokens)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        state.step += 1
        if state.step % _STEPS_BETWEEN_FINITE_CHECKS == 0 or state.step == until:
            _check_finite(loss, state.step)
        after_step(state)


def next_token_loss(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats per token of `tokens`, shape (batch, context + 1)."""
    from torch.nn import functional

    logits = model(input_ids=tokens[:, :-1]).logits
    return functional.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten())


def _check_finite(loss: Tensor, step: int) -> None:
    if not bool(loss.isfinite()):
        raise BootlawError(
            f"the training loss is {loss.item()} at step {step}; lower schedule.peak_lr"
        )
