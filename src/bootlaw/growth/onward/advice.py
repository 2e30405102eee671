"""What follows for training from how a model was grown and from what is known of its parent.

Nothing about the parent is guessed: what its owner does not say becomes a question or a sweep.
Sources: Step Law (Li et al., arXiv 2503.04715) for rate and batch of a model trained from
scratch, used as the upper end of a sweep; Pythia (Biderman et al., arXiv 2304.01373) for the span
of published rates; Ma & Yarats (arXiv 1910.04209) for the warm-up that Adam needs; Haegele et al.
(arXiv 2405.18392) for the cooldown; Du et al. (arXiv 2405.15319) for rates after stacking;
Yang et al. (arXiv 2203.03466) for rates of wider matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bootlaw.growth.onward.facts import Grown, Known
from bootlaw.growth.onward.rates import peak_rates, step_law_batch
from bootlaw.growth.onward.train_spec import TrainSpec, Value

BETA1, BETA2, WEIGHT_DECAY, CLIP = 0.9, 0.95, 0.1, 1.0
_WARMUP_SHARE = 0.01
"""Warm-up of a run whose loss jumped, as a share of its updates."""
_LONGEST_USUAL = 8192
"""Longest context that is taken for the length of pretraining sequences."""


@dataclass
class _Draft:
    given: dict[str, Value]
    sweep: dict[str, tuple[int | float, ...]]
    open: dict[str, str]
    reasons: dict[str, str]

    def give(self, name: str, value: Value, reason: str = "") -> None:
        self.given[name] = value
        if reason:
            self.reasons[name] = reason

    def try_out(self, name: str, values: tuple[int | float, ...], reason: str) -> None:
        self.sweep[name] = values
        self.reasons[name] = reason

    def ask(self, name: str, question: str) -> None:
        self.open[name] = question


def advise(grown: Grown, known: Known) -> TrainSpec:
    """Return how to train on, each number with its reason."""
    draft = _Draft({}, {}, {}, {})
    _model(draft, grown)
    _data(draft, known)
    _optimizer(draft, grown)
    _rate(draft, grown, known)
    batch = _batch(draft, grown, known)
    _course(draft, grown, known, batch)
    return TrainSpec(grown.name, draft.given, draft.sweep, draft.open, draft.reasons)


def _model(draft: _Draft, grown: Grown) -> None:
    draft.give("model.checkpoint", ".")
    _dtype(draft, grown)
    if grown.context <= _LONGEST_USUAL:
        draft.give("model.sequence_length", grown.context, "the model's context")
    else:
        draft.ask(
            "model.sequence_length",
            f"how long are the sequences? The model takes up to {grown.context} tokens; "
            "pretraining is usually on far shorter ones",
        )
    _frozen(draft, grown)


def _frozen(draft: _Draft, grown: Grown) -> None:
    if not grown.freezable:
        draft.give("model.frozen", (), "nothing needs to be frozen")
    elif grown.freeze:
        reason = "only the new blocks are trained, as in arXiv 2401.02415"
        draft.give("model.frozen", grown.freezable, reason)
    else:
        patterns = ", ".join(f"'{pattern}'" for pattern in grown.freezable)
        reason = f"all is trained; [{patterns}] would train the new blocks only (arXiv 2401.02415)"
        draft.give("model.frozen", (), reason)


def _dtype(draft: _Draft, grown: Grown) -> None:
    if grown.dtype == "float16":
        reason = "stored in float16, which would need loss scaling; bfloat16 has float32's range"
        draft.give("model.dtype", "bfloat16", reason)
    elif grown.dtype == "bfloat16":
        draft.give("model.dtype", "bfloat16", "as stored")
    else:
        draft.give("model.dtype", "float32", "as stored" if grown.dtype == "float32" else "")


def _data(draft: _Draft, known: Known) -> None:
    draft.ask("data.text", "which files or folders of text?")
    if known.tokens is None:
        draft.ask("data.tokens", "how many tokens, D2? (`bootlaw plan forecast` says what it buys)")
    else:
        draft.give("data.tokens", known.tokens, "as asked for")
    draft.give("data.seed", 0)


def _optimizer(draft: _Draft, grown: Grown) -> None:
    draft.give("optimizer.name", "adamw")
    draft.give(
        "optimizer.state",
        "carry" if grown.carried else "reset",
        "the parent's moments were mapped onto the grown tensors"
        if grown.carried
        else "a fresh optimiser",
    )
    usual = "the usual value for decoders; take the parent's if you know it"
    draft.give("optimizer.beta1", BETA1, usual)
    draft.give("optimizer.beta2", BETA2, usual)
    draft.give("optimizer.weight_decay", WEIGHT_DECAY, usual)
    draft.give("optimizer.clip", CLIP, usual)


def _rate(draft: _Draft, grown: Grown, known: Known) -> None:
    values, reason = peak_rates(grown, known)
    if len(values) == 1:
        draft.give("schedule.peak_lr", values[0], reason)
    else:
        draft.try_out("schedule.peak_lr", values, reason)


def _batch(draft: _Draft, grown: Grown, known: Known) -> int | None:
    """Settle the batch; return its tokens where it is one number."""
    if known.batch_tokens is not None:
        reason = "the parent's, which its rate belongs to"
        if grown.experts is not None:
            experts, chosen = grown.experts
            reason += f"; an expert sees {chosen}/{experts} of it, so a larger one is worth a try"
        draft.give("schedule.batch_tokens", known.batch_tokens, reason)
        return known.batch_tokens
    if known.tokens is None:
        draft.ask("schedule.batch_tokens", "how many tokens an update? (the parent's, if known)")
        return None
    unit = min(grown.context, _LONGEST_USUAL)
    best = max(_whole(step_law_batch(known.tokens), unit), unit)
    half = max(_whole(best / 2, unit), unit)
    values = tuple(dict.fromkeys((half, best, 2 * best)))
    draft.try_out(
        "schedule.batch_tokens",
        values,
        "the parent's batch is not known: around Step Law's for this length (arXiv 2503.04715), in "
        f"multiples of {unit} tokens",
    )
    return best


def _course(draft: _Draft, grown: Grown, known: Known, batch: int | None) -> None:
    draft.give("schedule.shape", "warmup-stable-decay", "one trunk serves every length")
    draft.give(
        "schedule.cooldown_fraction",
        0.2,
        "a fifth of the updates is about where longer cooldowns stop to help (arXiv 2405.18392)",
    )
    steps = 0 if known.tokens is None or batch is None else known.tokens // batch
    draft.give("schedule.warmup_steps", *_warmup(grown, steps))


def _warmup(grown: Grown, steps: int) -> tuple[int, str]:
    """Return the updates of warm-up in a run of `steps` (0: not known), and the reason."""
    if not grown.warms_up:
        return 0, "none, as asked for: a fresh optimiser at its full rate"
    if grown.carried and grown.preserving:
        return 0, "function and moments are the parent's: go on"
    adam = math.ceil(2 / (1 - BETA2))
    fresh = (
        f"fresh moments: 2 / (1 - beta2) = {adam} updates until Adam's second moment can be "
        "trusted (arXiv 1910.04209)"
    )
    share = 0 if grown.preserving else math.ceil(steps * _WARMUP_SHARE)
    if share > adam:
        jumped = f"the loss jumped, so {_WARMUP_SHARE:.0%} of the updates"
        return share, jumped if grown.carried else f"{fresh}; {jumped}"
    if grown.carried:
        return adam, f"the loss jumped, so that carried moments are off too: {adam} updates"
    return adam, fresh


def _whole(tokens: float, sequence: int) -> int:
    return round(tokens / sequence) * sequence
