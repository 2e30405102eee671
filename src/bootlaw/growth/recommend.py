"""Which operator for which goal, with the evidence and where it is from.

The evidence is what the named papers report for their models; none of it is a promise about
another. `bootlaw study` measures on your own.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bootlaw.errors import InputError
from bootlaw.growth.compose import Step
from bootlaw.growth.request import step_text


def _added_quarter(layers: int) -> Step:
    """One new block after every few, about a quarter more (LLaMA Pro: 8 for 32)."""
    most = max(layers // 4, 1)
    blocks = max(count for count in range(1, most + 1) if layers % count == 0)
    return Step("identity", {"layers": layers + blocks})


def _overlapped(layers: int) -> Step:
    """A quarter of the layers dropped from either copy (SOLAR: 8 of 32)."""
    return Step("overlap", {"drop": max(layers // 4, 1)})


def _fixed(operator: str, **arguments: int) -> Callable[[int], Step]:
    return lambda _: Step(operator, arguments)


@dataclass(frozen=True)
class Recommendation:
    """An operator for a goal."""

    goal: str
    meaning: str
    """The goal in words."""
    step: Callable[[int], Step]
    """Operator and arguments for a parent of so many layers."""
    why: str
    evidence: str
    source: str
    instead: str
    """When to take another operator."""
    freeze: bool = False
    """Whether the goal needs what is old to be frozen."""

    def document(self, layers: int = 32) -> dict[str, str]:
        """Return the recommendation for a parent of so many layers, as plain data."""
        return {
            "goal": self.goal,
            "meaning": self.meaning,
            "operator": step_text(self.step(layers)),
            "why": self.why,
            "evidence": self.evidence,
            "source": self.source,
            "instead": self.instead,
        }


GOALS: Mapping[str, Recommendation] = {
    entry.goal: entry
    for entry in (
        Recommendation(
            "fastest-pretraining",
            "a larger model at a given loss for the least compute, trained on much text",
            _fixed("stack", factor=4),
            "repeats the whole block of layers; every new weight is a trained one",
            "of four ways to grow (deeper or wider, preserving or not) stacking was the best: a "
            "7B model reached with 194B tokens the loss of 300B from scratch (54.6 % faster); the "
            "authors advise a factor of 4. The loss jumps at first",
            "Du et al., arXiv 2405.15319 (G_stack)",
            "with a parent that has seen very many tokens the gain shrinks (arXiv 2510.06548): "
            "ask `bootlaw plan breakeven`",
        ),
        Recommendation(
            "keep-function",
            "a larger model that starts exactly where the parent stopped",
            _fixed("identity", factor=2),
            "new blocks add nothing at first (their outputs are zero), so logits stay bit for bit",
            "8 blocks added to Llama 2 7B kept what it could do while code and mathematics were "
            "learnt. For pretraining at large, plain stacking was faster than preserving growth "
            "(arXiv 2405.15319)",
            "Wu et al., arXiv 2401.02415 (LLaMA Pro)",
            "to grow in width instead: tile, which preserves up to rounding",
        ),
        Recommendation(
            "wider",
            "a wider model of the same depth that starts where the parent stopped",
            _fixed("tile", factor=2),
            "repeats every matrix and divides by its repeated inputs; cancelling noise breaks the "
            "symmetry, without which the wide model trains as the small one",
            "OPT, Pythia and OLMo models grown in width reached the final accuracy of training "
            "from scratch 2.2 to 4 times faster",
            "Samragh et al., arXiv 2409.12903 (HyperCloning)",
            "for a wider FFN alone: widen_ffn",
        ),
        Recommendation(
            "add-domain-layers",
            "learn a new domain without losing the old one",
            _added_quarter,
            "puts identity blocks between the old ones; the old ones are frozen, only the new are "
            "trained",
            "LLaMA Pro 8.3B (8 blocks among the 32 of Llama 2 7B) learnt code and mathematics by "
            "training the new blocks only, without forgetting what it could do before",
            "Wu et al., arXiv 2401.02415 (LLaMA Pro)",
            "where all weights may move: identity without freezing, or continued pretraining with "
            "replay",
            freeze=True,
        ),
        Recommendation(
            "half-as-deep-again",
            "about half as many layers more, after a good and long trained parent",
            _overlapped,
            "puts the layers twice, without the last of the lower and the first of the upper copy",
            "a 32-layer 7B model became one of 48 layers and 10.7B parameters (8 dropped), which "
            "after continued pretraining was ahead of models of its size",
            "Kim et al., arXiv 2312.15166 (SOLAR)",
            "for a start without a jump of the loss: identity",
        ),
        Recommendation(
            "more-capacity",
            "many more parameters, while a token computes two FFNs instead of one",
            _fixed("upcycle", experts=8, top_k=2),
            "copies the FFN into experts and adds a router; with renormalised weights the function "
            "is preserved",
            "upcycled T5 and ViT models overtook their dense parents for about half the parent's "
            "own cost in extra training; a 15B model upcycled and trained on 1T tokens reached "
            "67.6 % MMLU against 65.3 % for continued dense training",
            "Komatsuzaki et al., arXiv 2212.05055; He et al., arXiv 2410.07524",
            "with very much text left, training from scratch catches up (arXiv 2510.06548)",
        ),
        Recommendation(
            "more-capacity-same-flops",
            "more parameters at the same compute a token",
            _fixed("upcycle", experts=16, top_k=2, granularity=2),
            "eight copies of the FFN cut into halves, two of which are chosen: as many active "
            "parameters as the dense parent, and a router that learns (a single chosen expert with "
            "renormalised weights would give it no gradient)",
            "in ablations with models of billions of parameters, finer experts improved accuracy",
            "He et al., arXiv 2410.07524",
            "where some more compute is allowed: goal more-capacity",
        ),
    )
}
"""Goals by name; the first is what is meant where none is named."""


def recommend(goal: str) -> Recommendation:
    """Return the operator for `goal`.

    Raises
    ------
    InputError
        For an unknown goal; the message lists them.
    """
    if goal not in GOALS:
        near = difflib.get_close_matches(goal, GOALS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"unknown goal {goal!r}; {hint}goals are {', '.join(GOALS)}")
    return GOALS[goal]
