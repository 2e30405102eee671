"""How far two models' outputs on one batch are apart, a sequence at a time to spare memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootlaw.errors import BootlawError
from bootlaw.growth.proof.outputs import Outputs

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

_UNIT_ROUNDOFF = {"float64": 2**-53, "float32": 2**-24, "float16": 2**-11, "bfloat16": 2**-8}


@dataclass(frozen=True)
class Differences:
    """Second model against the first."""

    logit: float
    """Largest absolute difference of a logit."""
    loss: float
    """Loss of the second less that of the first, nats per token."""
    divergence: float
    """Mean over tokens of sum_v p(v) ln(p(v) / q(v)), p of the first model, q of the second."""


def differences(before: Outputs, after: Outputs) -> Differences:
    """Return how far `after` is from `before`.

    Raises
    ------
    BootlawError
        When the models do not give logits of the same shape.
    """
    if before.logits.shape != after.logits.shape:
        raise BootlawError(
            f"the grown model gives logits of shape {tuple(after.logits.shape)}, its parent of "
            f"shape {tuple(before.logits.shape)}"
        )
    pairs = [
        (float((p.double() - q.double()).abs().max()), _divergence(p, q))
        for p, q in zip(before.logits, after.logits, strict=True)
    ]
    return Differences(
        logit=max(logit for logit, _ in pairs),
        loss=after.loss - before.loss,
        # Rounding may carry a divergence of zero just below it.
        divergence=max(sum(divergence for _, divergence in pairs) / len(pairs), 0.0),
    )


def _divergence(parent: Tensor, grown: Tensor) -> float:
    p, q = parent.double().log_softmax(-1), grown.double().log_softmax(-1)
    return float((p.exp() * (p - q)).sum(-1).mean())


def rounding_noise(rounded_to: str, held_in: str) -> Callable[[PreTrainedModel], None]:
    """Return a change of a model that makes one rounding error of `rounded_to` in every weight.

    `held_in` is the dtype of the model's weights; where it is the same, the errors are twice as
    large, since half a unit in the last place would be rounded away.
    """
    amplitude = _UNIT_ROUNDOFF[rounded_to] * (2 if rounded_to == held_in else 1)

    def change(model: PreTrainedModel) -> None:
        import torch

        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for weight in model.parameters():
                uniform = torch.rand(weight.shape, generator=generator, dtype=torch.float64)
                error = amplitude * (2 * uniform - 1)
                weight.copy_((weight.double() * (1 + error)).to(weight.dtype))

    return change
