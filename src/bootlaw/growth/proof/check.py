"""The check: both models on the fixed batch, and what the operator promised held against it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.plan import Preservation
from bootlaw.growth.proof.batch import Batch
from bootlaw.growth.proof.differences import Differences, differences, rounding_noise
from bootlaw.growth.proof.outputs import Outputs, outputs_of
from bootlaw.growth.proof.tolerance import Tolerance, coarser, from_floor, tolerance_for


@dataclass(frozen=True)
class CheckReport:
    """What the check found; part of the receipt. Losses are nats per token."""

    status: str
    """``passed``; ``measured`` for an operator that does not preserve the function; ``off`` (asked
    for) or ``skipped`` (not enough memory), then all numbers are null."""
    reason: str | None = None
    """Why it is off or skipped."""
    dtype: str | None = None
    """Arithmetic of the check."""
    stored_dtype: str | None = None
    """Coarsest dtype of the stored weights."""
    max_logit_difference: float | None = None
    """Largest absolute difference of a logit."""
    max_logit: float | None = None
    """Largest absolute logit of the parent."""
    divergence: float | None = None
    """Mean Kullback-Leibler divergence of the grown model from its parent, nats per token."""
    loss_before: float | None = None
    loss_after: float | None = None
    tolerance_logits: float | None = None
    tolerance_loss: float | None = None
    tolerance_divergence: float | None = None
    """Null where the table of tolerances was enough, which bounds the others only."""
    tolerance_reason: str | None = None
    batch_source: str | None = None
    """``text`` or ``seeded-ids``."""
    batch_detail: str | None = None
    batch_sequences: int | None = None
    batch_length: int | None = None
    """Tokens a sequence."""
    batch_sha256: str | None = None
    missing_keys: int | None = None
    """Tensors that transformers missed in the grown checkpoint: 0, or the growth has failed."""
    unexpected_keys: int | None = None
    """Tensors that it did not expect there: likewise."""
    parameters_built: int | None = None
    """Parameters of the grown model as transformers builds it."""


@dataclass(frozen=True)
class _Subject:
    """What is checked, and how."""

    parent: Path
    preservation: Preservation
    batch: Batch
    stored: str
    dtype: str


def check_growth(
    parent: Path,
    grown: Path,
    preservation: Preservation,
    batch: Batch,
    *,
    stored: str,
    dtype: str,
) -> CheckReport:
    """Return the report on a growth that kept its promise.

    Parameters
    ----------
    parent, grown
        Folders of the two checkpoints.
    preservation
        What the operator promises.
    batch
        Tokens on which they are compared.
    stored
        Coarsest dtype among the stored weights of both, as in ``bfloat16``.
    dtype
        Dtype of the arithmetic.

    Raises
    ------
    BootlawError
        When the grown model does not load without missing or unexpected tensors, is not finite,
        or differs from its parent by more than its class allows.
    InputError
        When the parent itself gives no finite numbers on the batch.
    """
    subject = _Subject(parent, preservation, batch, stored, dtype)
    before = _parent_outputs(subject)
    after = outputs_of(grown, batch, dtype, called=f"the model grown from {parent}")
    if not math.isfinite(after.loss):
        raise BootlawError(
            f"the growth failed its check: the grown model's loss on the fixed batch is "
            f"{after.loss}; nothing was written"
        )
    found = differences(before, after)
    tolerance = _tolerance(subject, before, found)
    if tolerance is not None and not tolerance.accepts(found):
        raise BootlawError(_failure(preservation, before, after, found, tolerance))
    return _report(subject, before, after, found, tolerance)


def _parent_outputs(subject: _Subject) -> Outputs:
    before = outputs_of(subject.parent, subject.batch, subject.dtype)
    if not math.isfinite(before.loss):
        raise InputError(
            f"{subject.parent}: the parent's own loss on the fixed batch is {before.loss} in "
            f"{subject.dtype}; the checkpoint is damaged, or this dtype overflows (then "
            "--check-dtype float32)"
        )
    return before


def _tolerance(subject: _Subject, before: Outputs, found: Differences) -> Tolerance | None:
    largest = float(before.logits.abs().max())
    tolerance = tolerance_for(subject.preservation, subject.stored, subject.dtype, largest)
    if (
        tolerance is None
        or subject.preservation is not Preservation.ROUNDING
        or tolerance.accepts(found)
    ):
        return tolerance
    # A second opinion before the work is thrown away: how far does rounding carry this parent?
    noise = rounding_noise(coarser(subject.stored, subject.dtype), subject.dtype)
    rounded = outputs_of(subject.parent, subject.batch, subject.dtype, change=noise)
    return from_floor(differences(before, rounded), tolerance)


def _failure(
    preservation: Preservation,
    before: Outputs,
    after: Outputs,
    found: Differences,
    tolerance: Tolerance,
) -> str:
    bounded = math.isfinite(tolerance.divergence)
    divergence = (
        f", the divergence is {found.divergence:.3g} (tolerance {tolerance.divergence:.3g})"
    )
    return (
        f"the growth failed its check: its class is {preservation.value!r}, but a logit differs "
        f"by {found.logit:.3g} (tolerance {tolerance.logits:.3g}){divergence if bounded else ''} "
        f"and the loss went from {before.loss:.6f} to {after.loss:.6f} (tolerance "
        f"{tolerance.loss:.3g}); nothing was written"
    )


def _report(
    subject: _Subject,
    before: Outputs,
    after: Outputs,
    found: Differences,
    tolerance: Tolerance | None,
) -> CheckReport:
    sequences, length = subject.batch.tokens.shape
    report = CheckReport(
        status="measured",
        dtype=subject.dtype,
        stored_dtype=subject.stored,
        max_logit_difference=found.logit,
        max_logit=float(before.logits.abs().max()),
        divergence=found.divergence,
        loss_before=before.loss,
        loss_after=after.loss,
        batch_source=subject.batch.source,
        batch_detail=subject.batch.detail,
        batch_sequences=sequences,
        batch_length=length,
        batch_sha256=subject.batch.sha256,
        missing_keys=0,
        unexpected_keys=0,
        parameters_built=after.params,
    )
    if tolerance is None:
        return report
    return replace(
        report,
        status="passed",
        tolerance_logits=tolerance.logits,
        tolerance_loss=tolerance.loss,
        tolerance_divergence=(
            tolerance.divergence if math.isfinite(tolerance.divergence) else None
        ),
        tolerance_reason=tolerance.reason,
    )
