"""A receipt and the goals as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

from bootlaw.growth.receipt import RECEIPT_NAME, Receipt
from bootlaw.growth.recommend import GOALS, Recommendation
from bootlaw.growth.request import step_text
from bootlaw.growth.size import bytes_text, count_text

_WIDTH = 100


def receipt_text(receipt: Receipt) -> str:
    """Return what a person wants to see of a growth, or of its plan."""
    before, after = receipt.parameters_before, receipt.parameters_after
    lines = [_title(receipt), ""]
    rows = [
        *_shape_rows(receipt.shape_before, receipt.shape_after),
        ("parameters", _count(before.total), _count(after.total)),
        ("  without embeddings", _count(before.non_embedding), _count(after.non_embedding)),
        ("  active a token", _count(before.active), _count(after.active)),
        ("size on disk", bytes_text(receipt.bytes_before), bytes_text(receipt.bytes_after)),
    ]
    lines += _columns([("", "before", "after"), *rows])
    memory = receipt.training_memory
    lines += ["", f"training memory: {bytes_text(memory['total'])} ({memory['how']})"]
    lines += [f"class: {receipt.preservation} ({receipt.source})", f"check: {_check(receipt)}"]
    lines.append(f"optimiser: {receipt.optimizer.policy}; {receipt.optimizer.reason}")
    if receipt.frozen:
        lines.append(f"can be frozen: {receipt.frozen[0]} (--freeze writes it into train.toml)")
    for title, remarks in (("warning", receipt.warnings), ("note", receipt.notes)):
        lines += [fill(f"{title}: {remark}", _WIDTH) for remark in remarks]
    if receipt.status == "done":
        lines += ["", f"model:   {receipt.folder}"]
        lines.append(f"receipt: {receipt.folder}/{RECEIPT_NAME}")
        lines.append(f"go on:   {receipt.folder}/train.toml and the Trainer script in README.md")
    return "\n".join(lines)


def _title(receipt: Receipt) -> str:
    chain = ", then ".join(
        _operation(entry.operator, entry.arguments) for entry in receipt.operations
    )
    verb = "would grow" if receipt.status == "planned" else "grew"
    return f"{verb} {receipt.parent.source} by {chain}"


def _operation(operator: str, arguments: Mapping[str, Any]) -> str:
    pairs = ", ".join(f"{name} {value}" for name, value in arguments.items())
    return f"{operator} ({pairs})" if pairs else operator


def _shape_rows(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, "-"), after.get(key, "-")
        yield key.replace("_", " "), str(old), "" if old == new else str(new)


def _count(value: int) -> str:
    return f"{value} ({count_text(value)})"


def _columns(rows: list[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _check(receipt: Receipt) -> str:
    check = receipt.check
    if check.max_logit_difference is None:
        return f"{check.status} ({check.reason})"
    tokens = f"{check.batch_sequences} x {check.batch_length} tokens in {check.dtype}"
    text = (
        f"{check.status} on {tokens} ({check.batch_detail}): loss {check.loss_before:.6f} before, "
        f"{check.loss_after:.6f} after; largest difference of a logit "
        f"{check.max_logit_difference:.3g}"
    )
    if check.tolerance_logits is not None:
        text += f" (allowed {check.tolerance_logits:.3g})"
    return text


def goals_text() -> str:
    """Return the goals with the operator for each, its evidence and where that is from."""
    layers = 32
    parts = [
        "Goals, and the operator for each (--goal NAME takes it; the arguments are for a parent of "
        f"{layers} layers):"
    ]
    return "\n\n".join([*parts, *(recommendation_text(entry, layers) for entry in GOALS.values())])


def recommendation_text(entry: Recommendation, layers: int) -> str:
    """Return one recommendation for a parent of so many layers."""
    lines = [
        f"{entry.goal}: {entry.meaning}",
        f"operator: {step_text(entry.step(layers))}",
        f"why: {entry.why}",
        f"evidence: {entry.evidence} ({entry.source})",
        f"otherwise: {entry.instead}",
    ]
    return "\n".join(
        fill(line, _WIDTH, initial_indent=indent, subsequent_indent="    ")
        for line, indent in zip(lines, ("", *["  "] * 4), strict=True)
    )
