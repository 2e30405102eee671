"""`bootlaw.grow`: plan, write, check, publish; a growth that fails its check leaves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.afterwards import train_spec_of
from bootlaw.growth.checking import CheckDecision, decide_check
from bootlaw.growth.checkpoint import (
    TrainingCheckpoint,
    parse_size,
    write_grown,
    write_grown_training,
)
from bootlaw.growth.compose import Step
from bootlaw.growth.onward.facts import Known
from bootlaw.growth.onward.model_card import model_card
from bootlaw.growth.onward.train_spec import train_toml
from bootlaw.growth.prepare import Prepared, prepare, read_card
from bootlaw.growth.proof.batch import Batch, fixed_batch
from bootlaw.growth.proof.check import CheckReport, check_growth
from bootlaw.growth.proof.skeleton import check_skeleton
from bootlaw.growth.receipt import RECEIPT_NAME, Receipt
from bootlaw.growth.request import GrowRequest, parse_step
from bootlaw.growth.size import bytes_text
from bootlaw.growth.statement import optimizer_policy, receipt_of

Say = Callable[[str], None]


def grow(
    parent: str | Path,
    out: str | Path | None = None,
    *,
    op: str | None = None,
    then: str | tuple[str, ...] | list[str] = (),
    goal: str | None = None,
    target_params: int | None = None,
    in_step: bool = False,
    revision: str | None = None,
    seed: int = 0,
    dry_run: bool = False,
    check: str = "auto",
    check_dtype: str = "auto",
    check_text: str | Path | None = None,
    hash: str = "sample",
    shard_size: str | int = "5GB",
    optimizer: str = "auto",
    precision: str = "mixed",
    freeze: bool = False,
    known: Known | None = None,
    **arguments: Any,
) -> Receipt:
    """Grow a Hugging Face checkpoint and return the receipt of what was proven.

    Parameters
    ----------
    parent
        A folder, or OWNER/NAME on the hub.
    out
        The new folder; it must not exist. Not needed for a dry run.
    op
        The operator, ``stack`` or ``stack:factor=2``.
    then
        One or more further operators after it, in the same notation.
    goal
        What is wanted, instead of `op`: the operator recommended for it is taken.
    target_params
        Non-embedding parameters; the size that comes nearest is taken.
    in_step
        Reach `target_params` by tiling and by `op` (stack, interleave, identity) together, depth
        and width within sqrt(2) of the parent's ratio.
    revision
        Branch, tag or commit of a hub repository.
    seed
        Of whatever the operator draws, and of the check's tokens where there is no tokenizer.
    dry_run
        Plan only; the receipt's status is ``planned``.
    check
        ``auto`` (where memory allows), ``on`` or ``off``.
    check_dtype
        Arithmetic of the check; ``auto`` is float32, or the stored dtype where memory is short.
    check_text
        A file of text for the check, instead of the one shipped.
    hash
        How the parent's weights are hashed: ``full``, ``sample`` or ``off``.
    shard_size
        Most bytes of a weight file, as a number or ``5GB``.
    optimizer
        ``auto``, ``carry``, ``reset`` or ``reset+warmup``.
    precision
        Of training, for the memory it takes: ``mixed``, ``float32`` or ``bfloat16``.
    freeze
        Whether ``train.toml`` freezes what the operator suggests.
    known
        What is known of the parent's training and the stage to come.
    **arguments
        Of the operator `op`.

    Raises
    ------
    InputError
        When the request, the checkpoint or the operator's arguments are wrong.
    BootlawError
        When the growth fails its check or cannot be written; nothing is left then.
    """
    steps: tuple[Step, ...] = ()
    if op is not None:
        first = parse_step(op)
        after = (then,) if isinstance(then, str) else then
        steps = (Step(first.operator, {**first.arguments, **arguments}), *map(parse_step, after))
    elif arguments or then:
        raise InputError("a goal chooses operator and arguments; leave them out, or name op")
    request = GrowRequest(
        parent=str(parent),
        out=None if out is None else str(out),
        steps=steps,
        goal=goal,
        revision=revision,
        target_params=target_params,
        in_step=in_step,
        seed=seed,
        dry_run=dry_run,
        check=check,
        check_dtype=check_dtype,
        check_text=None if check_text is None else str(check_text),
        hash=hash,
        shard_size=shard_size,
        optimizer=optimizer,
        precision=precision,
        freeze=freeze,
        known=known or Known(),
    )
    return grow_checkpoint(request)


def _silent(_: str) -> None:
    return None


def grow_checkpoint(request: GrowRequest, say: Say = _silent) -> Receipt:
    """Do what `request` asks for; `say` gets a line about every step that takes time."""
    started = time.monotonic()
    _refuse_taken(request)
    prepared = prepare(request)
    decision = decide_check(
        request.check,
        request.check_dtype,
        prepared.stored,
        prepared.params,
        prepared.plan.config,
        mixture=prepared.after.experts > 0,
    )
    if request.dry_run:
        return receipt_of(prepared, _unchecked(decision), None, "planned")
    assert request.out is not None
    return _carried_out(prepared, decision, Path(request.out), say, started)


def _carried_out(
    prepared: Prepared, decision: CheckDecision, out: Path, say: Say, started: float
) -> Receipt:
    request, parent = prepared.request, prepared.parent
    # Before hours of work: what cannot be carried, and a text that cannot be used, are refused.
    optimizer_policy(prepared)
    batch = None if decision.dtype is None else _batch(prepared)
    if request.hash == "full":
        say(f"hashing {parent.origin}")
    digest = parent.hash(request.hash)
    kept: list[Receipt] = []

    def before_publish(partial: Path) -> None:
        report = _checked(prepared, decision, batch, partial, say)
        seconds = time.monotonic() - started
        receipt = replace(receipt_of(prepared, report, digest, "done"), seconds=seconds)
        for name, content in _documents(prepared, receipt).items():
            (partial / name).write_text(content, encoding="utf-8")
        kept.append(receipt)

    say(f"writing {out} ({bytes_text(prepared.bytes_after)})")
    _write(prepared, out, before_publish)
    return kept[0]


def _write(prepared: Prepared, out: Path, before_publish: Callable[[Path], None]) -> None:
    request, checkpoint = prepared.request, prepared.parent.checkpoint
    if isinstance(checkpoint, TrainingCheckpoint):
        write_grown_training(
            prepared.plan,
            checkpoint,
            out,
            optimizer=request.optimizer,
            seed=request.seed,
            before_publish=before_publish,
        )
        return
    write_grown(
        prepared.plan,
        checkpoint,
        out,
        shard_size=parse_size(request.shard_size),
        seed=request.seed,
        before_publish=before_publish,
    )


def _refuse_taken(request: GrowRequest) -> None:
    """Raise before anything is downloaded where OUT cannot be made."""
    if request.out is None:
        return
    out = Path(request.out)
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists already; choose another folder, or remove it")


def _unchecked(decision: CheckDecision) -> CheckReport:
    return CheckReport(status=decision.status, reason=decision.reason, dtype=decision.dtype)


def _batch(prepared: Prepared) -> Batch:
    request, parent = prepared.request, prepared.parent
    text = None if request.check_text is None else Path(request.check_text)
    return fixed_batch(parent.folder, parent.config, seed=request.seed, text=text)


def _checked(
    prepared: Prepared, decision: CheckDecision, batch: Batch | None, partial: Path, say: Say
) -> CheckReport:
    if decision.dtype is None or batch is None:
        say(f"not compared with the parent: {decision.reason}")
        return replace(
            _unchecked(decision), parameters_built=_skeleton(prepared, decision, partial)
        )
    say(f"checking against the parent, in {decision.dtype}")
    report = check_growth(
        prepared.parent.folder,
        partial,
        prepared.plan.preservation,
        batch,
        stored=prepared.stored,
        dtype=decision.dtype,
    )
    if report.parameters_built != prepared.params:
        raise BootlawError(
            f"transformers builds {report.parameters_built} parameters from the grown "
            f"checkpoint, {prepared.params} were to be made; nothing was written"
        )
    return report


def _skeleton(prepared: Prepared, decision: CheckDecision, partial: Path) -> int | None:
    """Compare names and shapes with those that transformers builds, unless the check is off."""
    if decision.status == "off" or prepared.parent.trains:
        return None
    after = prepared.after
    aliases = {other: slot.pattern for slot in after.family.slots for other in slot.aliases}
    return check_skeleton(partial, after.shapes, aliases, mixture=after.experts > 0)


def _documents(prepared: Prepared, receipt: Receipt) -> Mapping[str, str]:
    spec = train_spec_of(prepared, receipt)
    heading = (
        f"How to train on from {Path(receipt.folder).name}, grown from {receipt.parent.source}.\n"
        "Every value has its reason under [reasons]."
    )
    return {
        RECEIPT_NAME: receipt.text(),
        "train.toml": train_toml(spec, heading),
        "README.md": model_card(
            receipt,
            spec,
            read_card(prepared.parent.folder),
            distributed=prepared.parent.trains,
        ),
    }
