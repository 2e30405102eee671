"""Writes a grown training checkpoint, weights and Adam's state, for our loop to continue from.

The tensors are built while they are written, one at a time: the state that is saved holds none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootlaw.errors import BootlawError
from bootlaw.growth.carrying import resolved_policy
from bootlaw.growth.checkpoint.dcp import DcpError, quiet_dcp
from bootlaw.growth.checkpoint.publish import new_folder
from bootlaw.growth.checkpoint.training_state import MOMENTS, TrainingCheckpoint
from bootlaw.growth.plan import GrowthPlan, MomentRecipe
from bootlaw.growth.storage import round_once, stored_types

if TYPE_CHECKING:
    from torch import Tensor

_ONE_FILE = 1_000_000_000
"""Bytes of a state up to which it goes into one file, which torch then holds in memory."""


def write_grown_training(
    plan: GrowthPlan,
    parent: TrainingCheckpoint,
    out: Path,
    *,
    optimizer: str = "auto",
    seed: int = 0,
    before_publish: Callable[[Path], None] | None = None,
) -> str:
    """Write what `plan` makes of a training checkpoint to the new folder `out`.

    Parameters
    ----------
    plan
        A growth operator's result for `parent`.
    parent
        The opened checkpoint.
    out
        Must not exist: the folder of step 0 of the run that continues.
    optimizer
        ``carry``: weights by the plan's recipes, moments by its moment maps, and each
        parameter's own step counter; ``reset`` or ``reset+warmup``: moments and counters 0, as
        of a new optimiser; ``auto``: see `bootlaw.growth.carrying`. A parent that was saved
        without its optimiser grows without one.
    seed
        Of whatever the plan draws at random.
    before_publish
        Called with the finished, still hidden folder; where it raises, nothing is left.

    Returns
    -------
    str
        What was done: ``carry``, ``reset`` or ``reset+warmup``.

    Raises
    ------
    InputError
        When `out` exists, or the operator has no moment map to carry by.
    BootlawError
        When the disk is too small, or something cannot be read or written.
    """
    policy = resolved_policy(plan, optimizer, saved=parent.has_optimizer)
    state = _State(plan, parent, carry=policy == "carry", seed=seed)
    with new_folder(out, state.nbytes) as folder:
        try:
            with quiet_dcp() as dcp:
                writer = dcp.FileSystemWriter(
                    str(folder), single_file_per_rank=state.nbytes < _ONE_FILE
                )
                dcp.save(state.skeleton(), storage_writer=writer, planner=_planner(state.builds))
        except DcpError as error:
            raise BootlawError(f"cannot write {out}: {error}; nothing was left there") from error
        config = json.dumps(dict(plan.config), indent=2, ensure_ascii=False) + "\n"
        (folder / "config.json").write_text(config, "utf-8")
        if before_publish is not None:
            before_publish(folder)
    return policy


class _State:
    """The grown state: what every tensor of it looks like, and how it is built."""

    def __init__(
        self, plan: GrowthPlan, parent: TrainingCheckpoint, *, carry: bool, seed: int
    ) -> None:
        self._plan, self._parent, self._seed = plan, parent, seed
        self.builds: dict[str, Callable[[], Tensor]] = {}
        """Key in the checkpoint -> how its tensor is built."""
        self._kinds: dict[str, tuple[tuple[int, ...], str]] = {}
        shapes, types = plan.shapes(parent.shapes), stored_types(plan, parent.dtypes)
        moments = (plan.moments or {}) if carry else {}
        for name in plan.recipes:
            kind = shapes[name], types[name]
            self._add(f"model.{name}", kind, partial(self._weight, name))
            if parent.has_optimizer:
                self._add_moments(name, kind, self._carried(moments.get(name)))

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(entry.nbytes for entry in self._empty().values())

    def skeleton(self) -> dict[str, Any]:
        """Return the state as the loop's loader expects it, its tensors without memory."""
        groups = _groups(self._plan, self._parent)
        settings = {
            f"optimizer.param_groups.{number}.{key}": value
            for number, group in enumerate(groups)
            for key, value in group.items()
        }
        return {**self._empty(), **settings}

    def _empty(self) -> dict[str, Tensor]:
        import torch

        return {
            key: torch.empty(shape, dtype=getattr(torch, dtype), device="meta")
            for key, (shape, dtype) in self._kinds.items()
        }

    def _add(
        self, key: str, kind: tuple[tuple[int, ...], str], build: Callable[[], Tensor]
    ) -> None:
        self._kinds[key] = kind
        self.builds[key] = build

    def _carried(self, moments: MomentRecipe | None) -> MomentRecipe | None:
        """Return the recipe where the parent has what it reads: frozen parameters have no state."""
        sources = moments.first.sources() if moments else ()
        return moments if all(map(self._parent.has_moments, sources)) else None

    def _add_moments(
        self, name: str, kind: tuple[tuple[int, ...], str], moments: MomentRecipe | None
    ) -> None:
        shape, dtype = kind
        sources = moments.first.sources() if moments else ()
        if sources:
            dtype = self._parent.moment_dtype(sources[0])
        for which in MOMENTS:
            build = partial(self._moment, which, shape, dtype, moments)
            self._add(f"optimizer.state.{name}.{which}", (shape, dtype), build)
        step = partial(self._step, moments)
        self._add(f"optimizer.state.{name}.step", ((), "float32"), step)

    def _weight(self, name: str) -> Tensor:
        built = self._plan.recipes[name].build(self._parent.read, self._seed)
        return self._stored(built, self._kinds[f"model.{name}"][1])

    def _moment(
        self, which: str, shape: tuple[int, ...], dtype: str, moments: MomentRecipe | None
    ) -> Tensor:
        import torch

        if moments is None:
            return torch.zeros(shape, dtype=getattr(torch, dtype))
        recipe = moments.first if which == MOMENTS[0] else moments.second
        built = recipe.build(partial(self._parent.read_moment, which), self._seed)
        return self._stored(built, dtype)

    def _step(self, moments: MomentRecipe | None) -> Tensor:
        import torch

        if moments is None or not moments.keeps_step:
            return torch.tensor(0.0)
        sources = moments.first.sources()
        steps = [self._parent.read_moment("step", source) for source in sources]
        return torch.stack(steps).max().float() if steps else torch.tensor(0.0)

    @staticmethod
    def _stored(built: Tensor, dtype: str) -> Tensor:
        import torch

        return round_once(built, getattr(torch, dtype)).contiguous()


def _planner(builds: Mapping[str, Callable[[], Tensor]]) -> Any:
    from torch import Tensor
    from torch.distributed.checkpoint.default_planner import DefaultSavePlanner

    class BuildingPlanner(DefaultSavePlanner):
        """Builds a tensor at the moment at which it is written."""

        def transform_object(self, write_item: Any, object: Any) -> Any:
            if isinstance(object, Tensor) and object.is_meta:
                return builds[write_item.index.fqn]()
            return super().transform_object(write_item, object)

    return BuildingPlanner()


def _groups(plan: GrowthPlan, parent: TrainingCheckpoint) -> list[dict[str, Any]]:
    """Return the groups of the new parameters: those of what they are made of."""
    if not parent.has_optimizer:
        return []
    group_of = {
        name: number for number, group in enumerate(parent.groups) for name in group["params"]
    }
    by_rank: dict[int, Counter[int]] = {}
    for name, number in group_of.items():
        by_rank.setdefault(len(parent.shapes[name]), Counter())[number] += 1
    groups: list[dict[str, Any]] = [{**group, "params": []} for group in parent.groups]
    shapes = plan.shapes(parent.shapes)
    for name, recipe in plan.recipes.items():
        known = [group_of[source] for source in recipe.sources() if source in group_of]
        # A tensor made of nothing (zeros, a router) goes with those of as many dimensions.
        alike = by_rank.get(len(shapes[name])) or Counter([0])
        groups[known[0] if known else alike.most_common(1)[0][0]]["params"].append(name)
    return groups
