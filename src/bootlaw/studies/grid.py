"""From a specification and the text found to the levels that can be run without repeating text.

The text of the first stage is dealt out in chunks: of every four, three belong to the bases and
one to second stages on the same kind of text. So longer levels ask for more text at the end and
no token ever changes sides. All second stages of one seed read their share in one order, whatever
their base, so that they differ in their base and not in their data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bootlaw.errors import InputError
from bootlaw.studies.nodes import TextFiles
from bootlaw.studies.spec import StudySpec
from bootlaw.training.stream import CHUNK, Share
from bootlaw.training.text.prepared import IDENTITY_TOKENS

STAGE1, CPT = "stage1", "cpt"
"""Keys of a study's texts."""
_WORTH_A_LEVEL = 1.25


@dataclass(frozen=True)
class Pool:
    """A share of a domain's training tokens."""

    text: TextFiles
    share: Share

    def steps(self, context: int, batch_size: int) -> int:
        """Return how many steps it holds without repeating a token."""
        return self.share.sequences(self.text.train_tokens, context) // batch_size


@dataclass(frozen=True)
class Grid:
    """What will be run: levels in steps, and the text each stage reads."""

    stage1: tuple[int, ...]
    """Steps D1, ascending."""
    cpt: tuple[int, ...]
    stack: tuple[int, ...]
    replicate_stage1: tuple[int, ...]
    base_pool: Pool
    """Stage-1 text."""
    same_pool: Pool
    """Text of the first domain set apart for second stages on the same kind of text."""
    other_pool: Pool | None
    """Text of the second domain."""
    notes: tuple[str, ...]
    """What was capped, in words."""


def text_needed(spec: StudySpec) -> dict[str, int]:
    """Return the training tokens that the longest levels need, by the key of the text."""
    stack = spec.stack.tokens if spec.stack else ()
    needed = {
        STAGE1: max(
            _text_for(spec, spec.stage1.tokens, Share.BASES),
            _text_for(spec, stack, Share.SECOND),
        )
    }
    if spec.cpt:
        needed[CPT] = _text_for(spec, spec.cpt.tokens, Share.ALL)
    return {key: max(tokens, IDENTITY_TOKENS) for key, tokens in needed.items()}


def plan_grid(spec: StudySpec, texts: Mapping[str, TextFiles]) -> Grid:
    """Return the grid of `spec` on `texts`, capped where the text ends.

    Raises
    ------
    InputError
        When the text does not even suffice for the smallest level.
    """
    base_pool = Pool(texts[STAGE1], Share.BASES)
    same_pool = Pool(texts[STAGE1], Share.SECOND)
    other_pool = Pool(texts[CPT], Share.ALL) if spec.cpt else None
    notes: list[str] = []
    stage1 = _levels(spec, "stage1", spec.stage1.tokens, base_pool, notes)
    return Grid(
        stage1=stage1,
        cpt=_levels(spec, "cpt", spec.cpt.tokens, other_pool, notes)
        if spec.cpt and other_pool
        else (),
        stack=_levels(spec, "stack", spec.stack.tokens, same_pool, notes) if spec.stack else (),
        replicate_stage1=_replicates(spec, stage1, notes),
        base_pool=base_pool,
        same_pool=same_pool,
        other_pool=other_pool,
        notes=tuple(notes),
    )


def cooldown_start(spec: StudySpec, steps: int) -> int:
    """Return the step at which a run of `steps` steps leaves the constant rate."""
    return steps - max(1, round(spec.schedule.cooldown_fraction * steps))


def unique_tokens(spec: StudySpec, steps: int) -> int:
    """Return the distinct tokens of the chunks from which a run of `steps` steps draws.

    Not those of its whole share: that grows with the longest level, and a row must not change
    because another was added.
    """
    sequences = steps * spec.schedule.batch_size
    return -(-sequences // CHUNK) * CHUNK * spec.model.context


def _steps(spec: StudySpec, tokens: int) -> int:
    return max(1, round(tokens / spec.tokens_per_step))


def _text_for(spec: StudySpec, levels: tuple[int, ...], share: Share) -> int:
    longest = max((_steps(spec, level) for level in levels), default=0)
    return share.tokens_of_text(longest * spec.schedule.batch_size, spec.model.context)


def _levels(
    spec: StudySpec, stage: str, tokens: tuple[int, ...], pool: Pool, notes: list[str]
) -> tuple[int, ...]:
    available = pool.steps(spec.model.context, spec.schedule.batch_size)
    asked = sorted({_steps(spec, level) for level in tokens})
    kept = [steps for steps in asked if steps <= available]
    if len(kept) < len(asked):
        if not kept or available >= _WORTH_A_LEVEL * kept[-1]:
            kept.append(available)
        _check_any(spec, stage, pool, available)
        notes.append(
            f"{stage}: asked for up to {asked[-1] * spec.tokens_per_step:,} tokens, the unique "
            f"text of {pool.text.name} set apart for it holds "
            f"{available * spec.tokens_per_step:,}: nothing is repeated, the longest run has "
            f"{kept[-1] * spec.tokens_per_step:,}"
        )
    _check_shortest(spec, stage, kept[0])
    return tuple(kept)


def _check_any(spec: StudySpec, stage: str, pool: Pool, available: int) -> None:
    if available < 1:
        batch = spec.schedule.batch_size
        raise InputError(
            f"{stage}: the {pool.text.train_tokens:,} tokens of {pool.text.name} hold no step for "
            f"it; at least {pool.share.tokens_of_text(batch, spec.model.context):,} are needed "
            "beside the held-out text; give more text"
        )


def _check_shortest(spec: StudySpec, stage: str, steps: int) -> None:
    if cooldown_start(spec, steps) < spec.schedule.warmup_steps:
        raise InputError(
            f"{stage}: the shortest run has {steps} steps ({steps * spec.tokens_per_step:,} "
            f"tokens), too few for {spec.schedule.warmup_steps} steps of warm-up before its "
            "cooldown; give more text, longer runs or a shorter warm-up"
        )


def _replicates(spec: StudySpec, stage1: tuple[int, ...], notes: list[str]) -> tuple[int, ...]:
    """Return the stage-1 lengths to repeat; the longest stands in for those capped away."""
    kept = set()
    for level in spec.replicates.tokens_stage1:
        steps = _steps(spec, level)
        if steps not in stage1:
            notes.append(
                f"replicates: the base of {level:,} tokens was capped away, the longest, of "
                f"{stage1[-1] * spec.tokens_per_step:,}, is repeated"
            )
            steps = stage1[-1]
        kept.add(steps)
    return tuple(sorted(kept))
