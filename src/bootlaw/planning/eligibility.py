"""Which checkpoints a law can be asked about, and in what the others differ from its runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bootlaw.laws.names import D1, N
from bootlaw.planning import words
from bootlaw.planning.checkpoints import OUTSIDE, Checkpoint
from bootlaw.planning.cost import Hardware, flops_per_token
from bootlaw.planning.source import Source

SAME_SIZE = 1.1
"""A law of one model size is asked about sizes up to this factor away from it."""

REPEATED = 1.05
"""Tokens per distinct token from which a text counts as read more than once."""


@dataclass(frozen=True)
class Asked:
    """What every checkpoint is asked: the budget, the sizes, and how the law's runs were made.

    Attributes
    ----------
    budget : FLOPs of the second stage.
    params : the final size, for a law that reads N; else the size of the law's bases.
    max_params : the most parameters that one token may use after the second stage.
    on : hardware, for days and money.
    """

    tokens_stage2: float | None
    budget: float | None
    params: float | None = None
    max_params: float | None = None
    tokenizer: str | None = None
    schedule_state: str | None = None
    outside: bool = False
    on: Hardware | None = None

    def grown(self, source: Source) -> float | None:
        """Return the size that all checkpoints are grown to, None where they keep their own."""
        return self.params if N in source.law.variables else None

    def tokens(self, flops_per_token: float) -> float:
        """Return the D2 that the budget buys."""
        if self.tokens_stage2 is not None:
            return self.tokens_stage2
        assert self.budget is not None
        return self.budget / flops_per_token

    def flops_per_token(self, one: Checkpoint, source: Source) -> float:
        """Return training FLOPs per token of the model after the second stage.

        From the checkpoint's shape; 6 N where that is not known, or is to be grown.
        """
        grown = self.grown(source)
        return float(flops_per_token(grown or one.shape or one.params_active or math.nan))


def refusal(one: Checkpoint, source: Source, asked: Asked) -> str | None:
    """Return why the law cannot be asked about a checkpoint, None where it can."""
    outside = _outside(one)
    if outside is not None and not asked.outside:
        return f"outside the law: {outside}"
    if one.tokens is None:
        return "the tokens that it was trained on are not known"
    if one.params is None or one.params_active is None:
        return "its non-embedding parameters are not known"
    return _wrong_size(one.params, asked.grown(source) or one.params_active, source, asked)


def _outside(one: Checkpoint) -> str | None:
    if one.kind in OUTSIDE:
        return f"it {OUTSIDE[one.kind]}"
    if one.params != one.params_active:
        return "it is a mixture of experts: its parameters are not those of a dense model"
    return None


def _wrong_size(params: float, active: float, source: Source, asked: Asked) -> str | None:
    if asked.max_params is not None and active > asked.max_params:
        return f"uses more than {words.tokens(asked.max_params)} parameters per token"
    if asked.params is None:
        return None
    size = words.tokens(asked.params)
    if N in source.law.variables:
        too_large = params > asked.params * SAME_SIZE
        return f"larger than the final {size} parameters" if too_large else None
    if max(params / asked.params, asked.params / params) > SAME_SIZE:
        return f"of another size: the law holds for bases of {size} parameters"
    return None


def flags(one: Checkpoint, asked: Asked) -> tuple[str, ...]:
    """Return in what a checkpoint differs from the runs behind the law."""
    found = []
    if one.kind in OUTSIDE:
        found.append(f"outside the law ({one.kind})")
    if one.params != one.params_active:
        found.append("outside the law (mixture of experts)")
    if one.kind == "synthetic":
        found.append("mostly synthetic text")
    if asked.tokenizer and one.tokenizer != asked.tokenizer:
        found.append(f"another tokenizer ({one.tokenizer or 'not known'})")
    if asked.schedule_state and one.schedule_state != asked.schedule_state:
        found.append(f"{one.schedule_state or 'unknown'} learning rate, not {asked.schedule_state}")
    if one.unique_tokens and one.tokens and one.tokens > REPEATED * one.unique_tokens:
        found.append(f"read its text {one.tokens / one.unique_tokens:.2g} times")
    return tuple(found)


def remarks(ranked: Mapping[str, Checkpoint], source: Source, asked: Asked) -> tuple[str, ...]:
    """Return what holds for the whole ranking, in words."""
    found = []
    if D1 not in source.law.variables:
        found.append(
            f"the law {source.law.key} does not read stage-1 tokens: checkpoints of one size "
            "differ in nothing that it knows"
        )
    final = asked.grown(source)
    if final is not None:
        found.append(
            f"every checkpoint is taken as grown to {words.tokens(final)} parameters; the law "
            "does not read from what size"
        )
    tokenizers = {one.tokenizer for one in ranked.values() if one.tokenizer}
    if asked.tokenizer is None and len(tokenizers) > 1:
        found.append(
            f"the checkpoints have {len(tokenizers)} tokenizers, and a loss per token compares "
            "within one only; name that of the law's runs to have the others flagged"
        )
    return tuple(found)
