"""Held-out loss, sequence by sequence, so that two runs can be compared in pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_SEQUENCES_A_BATCH = 32


@dataclass(frozen=True)
class HeldOutLoss:
    """Loss on held-out text."""

    sequence_losses: NDArray[np.float32]
    """Mean nats per token of each held-out sequence, shape (n,)."""

    @property
    def mean(self) -> float:
        """Nats per token."""
        return float(self.sequence_losses.mean(dtype=np.float64))

    def standard_error(self, documents: NDArray[np.int64]) -> float:
        """Sampling standard error of the mean, nats per token; `documents` as in `HeldOut`."""
        return clustered_error(self.sequence_losses, documents)

    def paired_error(self, other: HeldOutLoss, documents: NDArray[np.int64]) -> float:
        """Standard error of the difference of two models' losses on the same sequences."""
        return clustered_error(self.sequence_losses - other.sequence_losses, documents)


def clustered_error(values: NDArray[np.float32], documents: NDArray[np.int64]) -> float:
    """Return the standard error of the mean of `values` when whole documents are drawn.

    Sequences of one document resemble one another; taking them as independent made errors
    several times too small. The usual cluster-robust formula: with G documents and residual sums
    S_g, sqrt(G / (G - 1) * sum S_g^2) / n. NaN with fewer than two documents.
    """
    _, group = np.unique(documents, return_inverse=True)
    groups = int(group.max()) + 1
    if groups < 2:
        return float("nan")
    residuals = values - values.mean(dtype=np.float64)
    sums = np.bincount(group, weights=residuals)
    return float(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / len(values))


def evaluate(model: PreTrainedModel, sequences: NDArray[np.int64]) -> HeldOutLoss:
    """Return the loss of `model` on `sequences`, shape (n, context + 1)."""
    import torch
    from torch.nn import functional

    device = next(model.parameters()).device
    losses = []
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for first in range(0, len(sequences), _SEQUENCES_A_BATCH):
            batch = torch.from_numpy(sequences[first : first + _SEQUENCES_A_BATCH]).to(device)
            logits = model(input_ids=batch[:, :-1]).logits.float()
            loss = functional.cross_entropy(
                logits.flatten(0, 1), batch[:, 1:].flatten(), reduction="none"
            )
            losses.append(loss.view(len(batch), -1).mean(dim=1).cpu().numpy())
    model.train(was_training)
    return HeldOutLoss(np.concatenate(losses))
