"""The model card: what was grown, what was proven of it, and how to go on."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bootlaw.growth.counts import Counts
from bootlaw.growth.onward.snippet import trainer_snippet
from bootlaw.growth.onward.train_spec import TrainSpec
from bootlaw.growth.receipt import RECEIPT_NAME, Receipt
from bootlaw.growth.size import bytes_text, count_text


def model_card(
    receipt: Receipt,
    spec: TrainSpec,
    parent_card: str | None = None,
    *,
    distributed: bool = False,
) -> str:
    """Return the ``README.md`` of a grown model.

    Parameters
    ----------
    receipt
        Of the growth.
    spec
        How to train on.
    parent_card
        The parent's ``README.md``, for its licence and languages; its words are not repeated,
        since they speak of another model.
    distributed
        Whether the checkpoint is in torch's distributed format, as that of our own training.
    """
    name = Path(receipt.folder).name
    chain = ", then ".join(f"`{entry.operator}`" for entry in receipt.operations)
    return "\n".join(
        [
            *_front_matter(receipt, parent_card),
            f"# {name}",
            "",
            f"Grown from `{receipt.parent.source}` by {chain}. It is a starting point for "
            "training, not a finished model.",
            "",
            "## Growth",
            "",
            *_growth_table(receipt),
            "",
            *_check(receipt),
            *_remarks(receipt),
            "## How to go on",
            "",
            *_onward(receipt, spec, distributed),
            "",
        ]
    )


def _front_matter(receipt: Receipt, parent_card: str | None) -> list[str]:
    lines = ["---", "library_name: transformers", "pipeline_tag: text-generation"]
    if receipt.parent.revision is not None:
        lines.append(f"base_model: {receipt.parent.source.partition('@')[0]}")
    lines += _inherited(parent_card or "")
    tags = ["model-growth", *dict.fromkeys(entry.operator for entry in receipt.operations)]
    return [*lines, "tags:", *(f"- {tag}" for tag in tags), "---", ""]


def _inherited(card: str) -> list[str]:
    """Return the lines on licence and language of another card's front matter."""
    match = re.match(r"---\n(.*?)\n---", card.replace("\r\n", "\n"), re.DOTALL)
    if match is None:
        return []
    kept, keep = [], False
    for line in match[1].split("\n"):
        if not line.startswith((" ", "-", "\t")):
            keep = line.startswith(("license", "language:"))
        if keep:
            kept.append(line)
    return kept


def _growth_table(receipt: Receipt) -> list[str]:
    parent = receipt.parent
    rows = [
        ("parent", f"`{parent.source}`"),
        ("parent revision", f"`{parent.revision}`" if parent.revision else "a folder"),
        ("parent hash", f"`{parent.hash}`" if parent.hash else "not taken"),
    ]
    rows += [
        (f"`{entry.operator}`", f"`{json.dumps(dict(entry.arguments))}`")
        for entry in receipt.operations
    ]
    rows += [
        ("defined by", receipt.source),
        ("class", _CLASSES[receipt.preservation]),
        ("seed", str(receipt.seed)),
        ("parameters", _counts(receipt.parameters_before, receipt.parameters_after)),
        ("size", f"{bytes_text(receipt.bytes_before)} to {bytes_text(receipt.bytes_after)}"),
        ("optimiser state", f"{receipt.optimizer.policy}: {receipt.optimizer.reason}"),
        ("versions", ", ".join(f"{key} {value}" for key, value in receipt.versions.items())),
    ]
    for key, after in receipt.shape_after.items():
        before = receipt.shape_before.get(key)
        if before != after:
            rows.append((key.replace("_", " "), f"{_cell(before)} to {_cell(after)}"))
    return ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)]


_CLASSES = {
    "exact": "exact: the parent's logits, bit for bit",
    "rounding": "the parent's logits up to rounding",
    "approximate": "approximate: the loss jumps, training repairs it",
}


def _cell(value: object) -> str:
    return "none" if value is None else str(value)


def _counts(before: Counts, after: Counts) -> str:
    text = f"{before.total} to {after.total} ({count_text(after.total)})"
    text += f"; without embedding and head {before.non_embedding} to {after.non_embedding}"
    if after.active != after.total:
        text += f"; active a token {before.active} to {after.active}"
    return text


def _check(receipt: Receipt) -> list[str]:
    check = receipt.check
    if check.max_logit_difference is None:
        return [f"**Not checked** ({check.reason}): parent and grown model were not compared.", ""]
    text = (
        f"On {check.batch_sequences} x {check.batch_length} tokens ({check.batch_detail}), in "
        f"{check.dtype}: largest difference of a logit {check.max_logit_difference:.3g}, loss "
        f"{check.loss_before:.6f} before and {check.loss_after:.6f} after. "
    )
    if check.status == "passed":
        text += f"Passed: at most {check.tolerance_logits:.3g} was allowed. "
    return [text + "No tensor was missing or unexpected.", ""]


def _remarks(receipt: Receipt) -> list[str]:
    remarks = [*receipt.warnings, *receipt.notes]
    return [*(f"* {remark}" for remark in remarks), ""] if remarks else []


def _onward(receipt: Receipt, spec: TrainSpec, distributed: bool) -> list[str]:
    lines = [
        f"`train.toml` holds the settings with the reason for each, `{RECEIPT_NAME}` everything "
        "about the growth.",
        "",
    ]
    if spec.sweep:
        lines += ["Try more than one value of:", ""]
        lines += [
            f"* `{name}`: {', '.join(f'{value:g}' for value in values)}. {spec.reasons[name]}."
            for name, values in spec.sweep.items()
        ]
        lines.append("")
    if spec.open:
        lines += ["Only you can answer:", ""]
        lines += [f"* `{name}`: {question}" for name, question in spec.open.items()]
        lines.append("")
    experts = receipt.parameters_after.active != receipt.parameters_after.total
    script = trainer_snippet(spec, experts, distributed)
    return [*lines, "With `transformers`:", "", "```python", script, "```"]
