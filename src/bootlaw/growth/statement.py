"""The receipt of a prepared growth: what was done, in numbers and words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.carrying import resolved_policy
from bootlaw.growth.counts import parameter_counts
from bootlaw.growth.plan import Preservation
from bootlaw.growth.prepare import Prepared, freezable
from bootlaw.growth.proof.batch import window_of
from bootlaw.growth.proof.check import CheckReport
from bootlaw.growth.receipt import Operation, OptimizerPolicy, ParentRecord, Receipt, versions
from bootlaw.growth.shape import shape_of
from bootlaw.growth.size import TrainingMemory, training_memory
from bootlaw.growth.target import target_note

_NO_STATE = "a Hugging Face checkpoint holds no optimiser state"


def receipt_of(prepared: Prepared, check: CheckReport, digest: str | None, status: str) -> Receipt:
    """Return the receipt; `digest` is the parent's hash, `status` ``done`` or ``planned``."""
    request, plan, parent = prepared.request, prepared.plan, prepared.parent
    after = parameter_counts(prepared.after)
    return Receipt(
        status=status,
        folder=request.out or "",
        operations=operations(prepared),
        preservation=plan.preservation.value,
        source=plan.source,
        seed=request.seed,
        parent=ParentRecord(
            source=parent.origin,
            folder=str(parent.folder),
            revision=parent.revision,
            hash=digest,
            model_type=prepared.before.family.model_type,
        ),
        shape_before=shape_of(prepared.before),
        shape_after=shape_of(prepared.after),
        parameters_before=parameter_counts(prepared.before),
        parameters_after=after,
        bytes_before=parent.total_bytes,
        bytes_after=prepared.bytes_after,
        training_memory=asdict(_memory(prepared)),
        target=None if prepared.target is None else asdict(prepared.target),
        check=check,
        optimizer=optimizer_policy(prepared),
        frozen=freezable(plan),
        notes=_notes(prepared, check),
        warnings=_warnings(prepared),
        versions=versions(),
        seconds=None,
    )


def _memory(prepared: Prepared) -> TrainingMemory:
    return training_memory(prepared.params, prepared.request.precision, prepared.frozen_params)


def optimizer_policy(prepared: Prepared) -> OptimizerPolicy:
    """Return what becomes of the optimiser state.

    Raises
    ------
    InputError
        When it is to be carried over and the parent has none, or the operator no map for it.
    """
    plan, parent, asked = prepared.plan, prepared.parent, prepared.request.optimizer
    rule = "none" if plan.moments is None else plan.moment_rule.value
    if asked == "carry" and not parent.trains:
        raise InputError(
            f"--optimizer carry: {_NO_STATE}; a checkpoint of bootlaw's training loop does (its "
            "folder step-NNNNNNNN). Leave it out: train.toml then has a warm-up for a fresh "
            "optimiser"
        )
    policy = resolved_policy(plan, asked, saved=parent.has_optimizer)
    if not parent.trains:
        reason = _NO_STATE
    elif not parent.has_optimizer:
        reason = "the checkpoint was saved without its optimiser"
    else:
        reason = _reason(policy, asked, rule)
    return OptimizerPolicy(asked, policy, rule, reason)


def _reason(policy: str, asked: str, rule: str) -> str:
    if asked != "auto":
        return "as asked for"
    if policy == "carry":
        return f"the operator's map of Adam's moments is {rule}"
    return f"the operator's map of Adam's moments is {rule}: fresh moments do as well"


def operations(prepared: Prepared) -> tuple[Operation, ...]:
    """Return the operators with the arguments that they settled on."""
    plan = prepared.plan
    steps = plan.arguments.get("steps")
    if steps is None:
        return (Operation(plan.operator, dict(plan.arguments)),)
    return tuple(Operation(step["operator"], dict(step["arguments"])) for step in steps)


def _notes(prepared: Prepared, check: CheckReport) -> tuple[str, ...]:
    notes = list(prepared.plan.notes)
    window = window_of(prepared.plan.config)
    if window is not None and check.batch_length is not None and check.batch_length <= window:
        notes.append(
            f"the check's {check.batch_length} tokens do not reach beyond the sliding window of "
            f"{window}, so it cannot see which layers have one; config.json moves them with "
            "their layers"
        )
    if prepared.recommendation is not None:
        entry = prepared.recommendation
        notes.append(f"for {entry.goal}: {entry.evidence} ({entry.source})")
    if prepared.target is not None:
        notes.append(target_note(prepared.target))
    if prepared.before.dropped:
        names = ", ".join(prepared.before.dropped[:3])
        notes.append(f"left out, since the model makes it anew: {names}")
    return tuple(notes)


def _warnings(prepared: Prepared) -> tuple[str, ...]:
    warnings = list(prepared.parent.warnings)
    target: Any = prepared.target
    if target is not None and not 0.8 <= target.ratio <= 1.25:
        warnings.append(
            f"the nearest size is {target.ratio:.0%} of what was wanted; identity and widen_ffn "
            "have finer sizes, --layers sets the depth outright"
        )
    if prepared.plan.preservation is Preservation.APPROXIMATE:
        warnings.append("the loss jumps at growth and training repairs it; see the check")
    if any(_never_routes(entry) for entry in operations(prepared)):
        warnings.append(
            "a single expert with renormalised weights leaves the router without a gradient: it "
            "stays random. top_k=2,granularity=2 with twice the experts costs the same and learns"
        )
    return tuple(warnings)


def _never_routes(entry: Operation) -> bool:
    arguments = entry.arguments
    single = entry.operator == "upcycle" and arguments.get("top_k") == 1
    return single and bool(arguments.get("renormalise"))
