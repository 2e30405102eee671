"""From a specification and the text found to the levels that can be run without repeating text."""

from __future__ import annotations

from dataclasses import dataclass

from bootlaw.errors import InputError
from bootlaw.studies.nodes import TextFiles
from bootlaw.studies.spec import StudySpec

_LARGEST_STAGE2_SHARE = 0.25
_WORTH_A_LEVEL = 1.25


@dataclass(frozen=True)
class Pool:
    """A range of a domain's training tokens."""

    text: TextFiles
    start: int
    stop: int

    def steps(self, context: int, batch_size: int) -> int:
        """Return how many steps it holds without repeating a token."""
        return max(0, (self.stop - self.start - 1) // context) // batch_size


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


def plan_grid(spec: StudySpec, texts: tuple[TextFiles, ...]) -> Grid:
    """Return the grid of `spec` on `texts`, capped where the text ends.

    Second stages on the first domain read a part of it that no base has seen, the same for every
    base, so that runs differ in their base and not in their second-stage text. It takes at most a
    quarter of that text.

    Raises
    ------
    InputError
        When the text does not even suffice for the smallest level.
    """
    first = texts[0]
    needed = max(spec.stack.tokens) + spec.tokens_per_step if spec.stack else 0
    reserved = min(needed, int(first.train_tokens * _LARGEST_STAGE2_SHARE))
    base_pool = Pool(first, 0, first.train_tokens - reserved)
    same_pool = Pool(first, first.train_tokens - reserved, first.train_tokens)
    other_pool = Pool(texts[1], 0, texts[1].train_tokens) if spec.cpt else None
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


def _levels(
    spec: StudySpec, stage: str, tokens: tuple[int, ...], pool: Pool, notes: list[str]
) -> tuple[int, ...]:
    available = pool.steps(spec.model.context, spec.schedule.batch_size)
    asked = sorted({max(1, round(level / spec.tokens_per_step)) for level in tokens})
    kept = [steps for steps in asked if steps <= available]
    if len(kept) < len(asked):
        if not kept or available >= _WORTH_A_LEVEL * kept[-1]:
            kept.append(available)
        notes.append(
            f"{stage}: asked for up to {asked[-1] * spec.tokens_per_step:,} tokens, the unique "
            f"text of {pool.text.domain} set apart for it holds "
            f"{available * spec.tokens_per_step:,}: capped there, nothing is repeated"
        )
    _check_shortest(spec, stage, kept[0])
    return tuple(kept)


def _check_shortest(spec: StudySpec, stage: str, steps: int) -> None:
    if cooldown_start(spec, steps) < spec.schedule.warmup_steps:
        raise InputError(
            f"{stage}: the shortest run has {steps} steps ({steps * spec.tokens_per_step:,} "
            f"tokens), too few for {spec.schedule.warmup_steps} steps of warm-up before its "
            "cooldown; give more text, longer runs or a shorter warm-up"
        )


def _replicates(spec: StudySpec, stage1: tuple[int, ...], notes: list[str]) -> tuple[int, ...]:
    asked = {round(level / spec.tokens_per_step) for level in spec.replicates.tokens_stage1}
    kept = tuple(sorted(asked & set(stage1)))
    if asked and not kept:
        kept = stage1[-1:]
        notes.append("replicates: their stage-1 length was capped away; the longest is repeated")
    return kept
