"""From a request to a plan: the parent is opened and described, the operators are applied."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from bootlaw.errors import InputError
from bootlaw.growth.arguments import checked_step
from bootlaw.growth.compose import Step, compose, grown_spec
from bootlaw.growth.counts import parameter_counts
from bootlaw.growth.in_step import shape_in_step
from bootlaw.growth.parent import Parent, grown_types, open_parent, stored_bytes
from bootlaw.growth.plan import GrowthPlan
from bootlaw.growth.proof.memory import BYTES
from bootlaw.growth.recommend import Recommendation, recommend
from bootlaw.growth.request import GrowRequest, step_text
from bootlaw.growth.spec import ModelSpec, describe
from bootlaw.growth.target import Target, reach, without_size


@dataclass(frozen=True)
class Prepared:
    """A growth, decided and not yet done."""

    request: GrowRequest
    parent: Parent
    before: ModelSpec
    after: ModelSpec
    steps: tuple[Step, ...]
    plan: GrowthPlan
    target: Target | None
    recommendation: Recommendation | None

    @property
    def params(self) -> int:
        """Parameters of the grown model, a tied head once."""
        return sum(math.prod(shape) for shape in self.after.shapes.values())

    @property
    def freeze(self) -> bool:
        """Whether ``train.toml`` freezes all but new layers: asked for, or part of the goal."""
        goal = self.recommendation
        return self.request.freeze or (goal is not None and goal.freeze)

    @property
    def frozen_params(self) -> int:
        """Parameters that training leaves alone: with ``--freeze`` all outside new layers."""
        if not self.freeze:
            return 0
        places = self.after.places.items()
        old = (name for name, place in places if place.layer not in self.plan.new_layers)
        return sum(math.prod(self.after.shapes[name]) for name in old)

    @property
    def bytes_after(self) -> int:
        """Bytes of the grown model's tensors."""
        shapes = self.plan.shapes(self.parent.shapes)
        return stored_bytes(shapes, grown_types(self.plan, self.parent))

    @property
    def stored(self) -> str:
        """Coarsest dtype among the floating-point weights of both models."""
        types = {*grown_types(self.plan, self.parent).values(), *self.parent.dtypes.values()}
        return max((each for each in types if each in BYTES), key=list(BYTES).index)


def prepare(request: GrowRequest) -> Prepared:
    """Return the growth that `request` asks for; no tensor is read.

    Raises
    ------
    InputError
        When the checkpoint cannot be opened or grown, or an operator refuses.
    """
    steps = tuple(map(checked_step, request.steps))
    parent = open_parent(request.parent, request.revision, heads_only=request.dry_run)
    before = describe(parent.config, parent.shapes)
    recommendation = None if request.goal is None else recommend(request.goal)
    if recommendation is not None:
        step = recommendation.step(before.layers)
        steps = (step if request.target_params is None else without_size(step),)
    target = None
    if request.target_params is not None:
        aim = _in_step if request.in_step else _aimed
        steps, target = aim(before, steps, request.target_params)
    plan = compose(before, steps)
    after = grown_spec(before, plan)
    _refuse_unloadable(parent, before, after)
    if request.freeze and not plan.new_layers:
        raise InputError(
            "--freeze trains new layers only, and there are none: identity is the operator that "
            "adds layers which start empty"
        )
    return Prepared(request, parent, before, after, steps, plan, target, recommendation)


def _refuse_unloadable(parent: Parent, before: ModelSpec, after: ModelSpec) -> None:
    if parent.trains and after.family is not before.family:
        raise InputError(
            f"{parent.origin} is a checkpoint of bootlaw's training loop, which trains no "
            f"{after.family.model_type}; upcycle a Hugging Face checkpoint"
        )


def _refuse_smaller(spec: ModelSpec, wanted: int) -> None:
    have = parameter_counts(spec).non_embedding
    if wanted <= have:
        raise InputError(
            f"--target-params {wanted} is not above the parent's {have} non-embedding "
            "parameters; growth makes models larger"
        )


def _in_step(
    spec: ModelSpec, steps: tuple[Step, ...], wanted: int
) -> tuple[tuple[Step, ...], Target]:
    """Return tiling and deepening to a shape near `wanted`, depth and width kept in step."""
    _refuse_smaller(spec, wanted)
    (step,) = steps[:1]
    if len(steps) > 1 or step.operator not in ("stack", "interleave", "identity"):
        raise InputError(
            "--in-step widens with tile and deepens with the one operator named: stack, "
            f"interleave or identity; found {' then '.join(each.operator for each in steps)}"
        )
    without = without_size(step)
    if without != step:
        raise InputError(f"--in-step chooses the size of {step.operator}; leave it out")
    shape = shape_in_step(spec, wanted, deepen=step.operator)  # type: ignore[arg-type]
    words = " then ".join(map(step_text, shape.steps))
    reached = shape.non_embedding
    return shape.steps, Target(wanted, reached, words, reached / wanted, shape.words)


def _aimed(
    spec: ModelSpec, steps: tuple[Step, ...], wanted: int
) -> tuple[tuple[Step, ...], Target]:
    """Return the steps with the size of the first chosen so that the last comes near `wanted`."""
    _refuse_smaller(spec, wanted)

    def reached(candidate: Step) -> int | None:
        try:
            plan = compose(spec, (candidate, *steps[1:]))
        except InputError:
            return None
        return parameter_counts(grown_spec(spec, plan)).non_embedding

    first, target = reach(spec, steps[0], wanted, reached)
    return (first, *steps[1:]), target


def freezable(plan: GrowthPlan) -> tuple[str, ...]:
    """Return the pattern of all parameters but those of new blocks, empty where none are new."""
    if not plan.new_layers:
        return ()
    numbers = "|".join(str(layer) for layer in plan.new_layers)
    stems = dict.fromkeys(
        match[1] for name in plan.recipes if (match := re.match(r"(.*?\blayers\.)\d+\.", name))
    )
    skip = "".join(rf"(?!{re.escape(stem)}(?:{numbers})\.)" for stem in stems)
    return (f"{skip}.*",)


def read_card(folder: Path) -> str | None:
    """Return the model card in a folder, or none where it has none that can be read."""
    try:
        return (folder / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
