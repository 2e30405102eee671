"""The run graph of a study: trunks exist once, branches hang on them.

For every seed there is one base trunk; at every D1 a cooldown branch observes the base itself.
From every base (the trunk's checkpoint at D1, not cooled down) and from scratch a second-stage
trunk starts, with a cooldown branch at every D2.

Runs of one seed share random numbers: all its second stages on one text read it in one order, and
its base and its scratch runs of one shape start from the same weights. Differences between two
cells of a seed are sharper for that, but what is left of them after a fit is correlated: an
unlucky order moves every trunk of its seed the same way. Only another seed is an independent draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bootlaw.runs.quantities import short
from bootlaw.studies.grid import Grid, Pool, cooldown_start, unique_tokens
from bootlaw.studies.nodes import Evaluation, Parent, RunNode, RunSpec, StreamSpec
from bootlaw.studies.spec import StudySpec
from bootlaw.training.model import ModelSpec
from bootlaw.training.schedule import Cooldown, Trunk


@dataclass(frozen=True)
class Cell:
    """One row-producing run of the grid and what it is an observation of."""

    run: str
    """Id of the cooldown run."""
    trunk: str
    method: str
    seed: int
    model: ModelSpec
    base_model: ModelSpec | None
    steps_stage1: int
    steps_stage2: int
    data1: str
    data2: str
    unique_tokens: int
    evaluations: tuple[Evaluation, ...]
    base_run: str | None = None
    """Id of the base trunk whose checkpoint at `steps_stage1` was reused."""


@dataclass(frozen=True)
class RunGraph:
    """All runs of a study, parents before children, and the cells they fill."""

    nodes: tuple[RunNode, ...]
    cells: tuple[Cell, ...]

    def node(self, run: str) -> RunNode:
        """Return the run with this id."""
        return next(node for node in self.nodes if node.id == run)


@dataclass(frozen=True)
class _SecondStage:
    """One method's second stage: its text, its lengths and the model it trains."""

    method: str
    pool: Pool
    steps: tuple[int, ...]
    model: ModelSpec
    growth: str
    """Operator that makes its model from the base's; empty where they are the same."""
    growth_factor: int


def build_graph(spec: StudySpec, grid: Grid) -> RunGraph:
    """Return the run graph of `spec` on the levels and text of `grid`."""
    builder = _Builder(spec, grid)
    for seed in spec.seeds:
        builder.add_seed(seed, grid.stage1, observe_base=True)
    for seed in spec.replicates.seeds:
        builder.add_seed(seed, grid.replicate_stage1, observe_base=False)
    return RunGraph(tuple(builder.nodes.values()), tuple(builder.cells))


class _Builder:
    """Collects runs by id, so that what two cells share exists once."""

    def __init__(self, spec: StudySpec, grid: Grid) -> None:
        self.spec = spec
        self.grid = grid
        self.nodes: dict[str, RunNode] = {}
        self.cells: list[Cell] = []

    def add_seed(self, seed: int, stage1: Sequence[int], *, observe_base: bool) -> None:
        base = self._put(
            RunNode(f"base-s{seed}", self._trunk_spec(self.spec.model, seed, self.grid.base_pool))
        )
        if observe_base:
            self._observe(base, "scratch", seed, stage1, self.grid.base_pool, None, 0)
        for stage in _second_stages(self.spec, self.grid):
            scratch = self._put(
                RunNode(
                    f"scratch-{stage.method}-s{seed}",
                    self._trunk_spec(stage.model, seed, stage.pool),
                )
            )
            self._observe(scratch, "scratch", seed, stage.steps, stage.pool, None, 0)
            for steps in stage1:
                self._add_reuse(seed, base, steps, stage)

    def _add_reuse(self, seed: int, base: RunNode, steps: int, stage: _SecondStage) -> None:
        parent = Parent(base.id, steps, self.spec.model, stage.growth, stage.growth_factor)
        trunk_spec = replace(self._trunk_spec(stage.model, seed, stage.pool), seed=0, parent=parent)
        trunk = self._put(RunNode(f"{stage.method}-s{seed}-d1_{self._count(steps)}", trunk_spec))
        self._put(
            base.asked(
                checkpoints=(steps,),
                evaluations=self._due(steps, stage.pool, stage.method),
            )
        )
        if stage.growth:
            self._put(trunk.asked(evaluations=self._due(0, stage.pool, stage.method)))
        self._observe(trunk, stage.method, seed, stage.steps, stage.pool, base.id, steps)

    def _observe(
        self,
        trunk: RunNode,
        method: str,
        seed: int,
        lengths: Iterable[int],
        pool: Pool,
        base_run: str | None,
        steps_stage1: int,
    ) -> None:
        for steps in lengths:
            start = cooldown_start(self.spec, steps)
            self._put(trunk.asked(checkpoints=(start,)))
            schedule = trunk.spec.schedule
            assert isinstance(schedule, Trunk)
            cooled = self._put(
                RunNode(
                    f"{trunk.label}-d2_{self._count(steps)}",
                    replace(
                        trunk.spec,
                        seed=0,
                        schedule=Cooldown(schedule, start, steps),
                        parent=Parent(trunk.id, start, trunk.spec.model, carry_optimizer=True),
                    ),
                    evaluations=self._due(steps, pool, method),
                )
            )
            self.cells.append(
                Cell(
                    run=cooled.id,
                    trunk=trunk.id,
                    method=method,
                    seed=seed,
                    model=trunk.spec.model,
                    base_model=self.spec.model if base_run else None,
                    steps_stage1=steps_stage1,
                    steps_stage2=steps,
                    data1=self.grid.base_pool.text.name if base_run else "",
                    data2=pool.text.name,
                    unique_tokens=unique_tokens(self.spec, steps),
                    evaluations=cooled.evaluations,
                    base_run=base_run,
                )
            )

    def _put(self, node: RunNode) -> RunNode:
        known = self.nodes.get(node.id, node)
        merged = known.asked(checkpoints=node.checkpoints, evaluations=node.evaluations)
        self.nodes[node.id] = merged
        return merged

    def _trunk_spec(self, model: ModelSpec, seed: int, pool: Pool) -> RunSpec:
        stream = StreamSpec(
            domain=pool.text.domain,
            text_fingerprint=pool.text.fingerprint,
            share=pool.share.value,
            seed=derive_seed(seed, "order", pool.text.domain),
            batch_size=self.spec.schedule.batch_size,
        )
        schedule = Trunk(self.spec.schedule.peak_lr, self.spec.schedule.warmup_steps)
        return RunSpec(
            model=model,
            optimizer=self.spec.optimizer,
            stream=stream,
            schedule=schedule,
            seed=derive_seed(seed, "weights", str(model.layers)),
        )

    def _due(self, step: int, pool: Pool, method: str) -> tuple[Evaluation, ...]:
        """Held-out losses at `step`: the stage's own text, and the old text where it moved on."""
        sizes = self.spec.evaluation
        due = [Evaluation(step, pool.text.domain, _held_out(pool, sizes.held_out_tokens))]
        if method == "cpt":
            old = self.grid.base_pool
            due.append(Evaluation(step, old.text.domain, _held_out(old, sizes.forgetting_tokens)))
        return tuple(due)

    def _count(self, steps: int) -> str:
        return short(steps * self.spec.tokens_per_step)


def derive_seed(*parts: object) -> int:
    """Return a seed that follows from `parts` alone."""
    text = "/".join(str(part) for part in parts).encode()
    return int(np.random.SeedSequence(list(text)).generate_state(1)[0])


def _second_stages(spec: StudySpec, grid: Grid) -> list[_SecondStage]:
    stages = []
    if spec.cpt and grid.other_pool:
        stages.append(_SecondStage("cpt", grid.other_pool, grid.cpt, spec.model, "", 1))
    if spec.stack:
        grown = replace(spec.model, layers=spec.model.layers * spec.stack.factor)
        stages.append(
            _SecondStage("stack", grid.same_pool, grid.stack, grown, "stack", spec.stack.factor)
        )
    return stages


def _held_out(pool: Pool, tokens: int) -> int:
    return min(tokens, pool.text.held_out_tokens)
