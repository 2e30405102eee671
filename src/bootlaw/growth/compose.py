"""Several operators in a row as one plan: each works on the model that the last one made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.operators import OPERATORS
from bootlaw.growth.plan import GrowthPlan, MomentRecipe, MomentRule, Preservation
from bootlaw.growth.recipe import Recipe
from bootlaw.growth.spec import ModelSpec, describe

_PRESERVATION = (Preservation.EXACT, Preservation.ROUNDING, Preservation.APPROXIMATE)
_RULES = (MomentRule.EXACT, MomentRule.APPROXIMATE, MomentRule.HEURISTIC)


@dataclass(frozen=True)
class Step:
    """One operator with its arguments."""

    operator: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def apply(spec: ModelSpec, step: Step) -> GrowthPlan:
    """Return the plan of one operator.

    Raises
    ------
    InputError
        When there is no such operator, it has no such argument, or it refuses the parent.
    """
    operator = OPERATORS.get(step.operator)
    if operator is None:
        raise InputError(f"growth has no operator {step.operator!r}; it has {', '.join(OPERATORS)}")
    unknown = [name for name in step.arguments if name not in operator.arguments]
    if unknown:
        raise InputError(
            f"{operator.name} takes {', '.join(operator.arguments)}, not {', '.join(unknown)}"
        )
    return operator.function(spec, **step.arguments)


def grown_spec(spec: ModelSpec, plan: GrowthPlan) -> ModelSpec:
    """Return the specification of the model that a plan makes of a parent."""
    return describe(plan.config, plan.shapes(spec.shapes))


def compose(spec: ModelSpec, steps: Sequence[Step]) -> GrowthPlan:
    """Return one plan for several operators in a row.

    Recipes are substituted into each other, so that nothing is rounded or stored in between.
    The plan preserves what its weakest step preserves.

    Raises
    ------
    InputError
        When there is no step, or a step refuses the model that the steps before it made.
    """
    if not steps:
        raise InputError("growth needs at least one operator")
    plan, made = apply(spec, steps[0]), spec
    records = [_record(plan)]
    for number, step in enumerate(steps[1:], start=2):
        made = grown_spec(spec, plan)
        following = apply(made, step)
        records.append(_record(following))
        plan = _followed(plan, following, made, f"step {number}: ")
    return plan if len(records) == 1 else replace(plan, arguments={"steps": records})


def _record(plan: GrowthPlan) -> dict[str, Any]:
    return {"operator": plan.operator, "arguments": dict(plan.arguments)}


def _followed(first: GrowthPlan, then: GrowthPlan, between: ModelSpec, key: str) -> GrowthPlan:
    """Return the plan "`first`, then `then`"; `between` is what `first` makes."""
    worse = max(first.preservation, then.preservation, key=_PRESERVATION.index)
    return GrowthPlan(
        operator=f"{first.operator}+{then.operator}",
        arguments={},
        config=then.config,
        recipes={
            name: recipe.keyed(key).substituted(first.recipes)
            for name, recipe in then.recipes.items()
        },
        preservation=worse,
        source=f"{first.source}; then {then.source}",
        moments=_followed_moments(first, then, key),
        moment_rule=max(first.moment_rule, then.moment_rule, key=_RULES.index),
        dtypes=_followed_types(first, then),
        notes=(*first.notes, *then.notes),
        new_layers=_followed_layers(first, then, between),
    )


def _followed_moments(
    first: GrowthPlan, then: GrowthPlan, key: str
) -> dict[str, MomentRecipe] | None:
    if first.moments is None or then.moments is None:
        return None
    means = {name: moment.first for name, moment in first.moments.items()}
    squares = {name: moment.second for name, moment in first.moments.items()}
    keeps = {name: moment.keeps_step for name, moment in first.moments.items()}
    moments = {}
    for name, moment in then.moments.items():
        sources = moment.first.sources()
        moments[name] = MomentRecipe(
            moment.first.keyed(key).substituted(means),
            moment.second.keyed(key).substituted(squares),
            moment.keeps_step and all(keeps[source] for source in sources),
        )
    return moments


def _followed_types(first: GrowthPlan, then: GrowthPlan) -> dict[str, str]:
    """A tensor made of one with a type of its own has that type too."""
    types = {}
    for name, recipe in then.recipes.items():
        kept = [first.dtypes[source] for source in recipe.sources() if source in first.dtypes]
        if name in then.dtypes or kept:
            types[name] = then.dtypes.get(name) or kept[0]
    return types


def _followed_layers(first: GrowthPlan, then: GrowthPlan, between: ModelSpec) -> tuple[int, ...]:
    """Return the layers that do nothing yet: those that `then` adds, and copies of earlier ones."""
    idle = {
        name
        for name, place in between.places.items()
        if place.layer in first.new_layers and place.layer is not None
    }
    after = describe(then.config, then.shapes(between.shapes))
    copies = {
        place.layer
        for name, place in after.places.items()
        if place.layer is not None and _is_made_of(then.recipes[name], idle)
    }
    return tuple(sorted({*then.new_layers, *(layer for layer in copies if layer is not None)}))


def _is_made_of(recipe: Recipe, names: set[str]) -> bool:
    return any(source in names for source in recipe.sources())
