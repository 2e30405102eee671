"""Upcycling: a dense model becomes a mixture of experts that are copies of its FFN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bootlaw.errors import InputError
from bootlaw.growth.draws import Chosen, Normal, Redrawn, RelativeNoise
from bootlaw.growth.family import Family
from bootlaw.growth.layout import Each, Span, Take
from bootlaw.growth.operators.mixture import Mixture, mixture_config, mixture_of
from bootlaw.growth.plan import GrowthPlan, MomentRecipe, Preservation
from bootlaw.growth.recipe import Copy, Recipe, Shape, Zeros, scaled
from bootlaw.growth.roles import FFN_AXES, Axis, Part, Role
from bootlaw.growth.spec import ModelSpec, Place, expected_places, sizes_of

SOURCE = (
    "arXiv 2212.05055 (sparse upcycling); granular: arXiv 2410.07524; "
    "drop fraction: arXiv 2502.19261"
)


@dataclass(frozen=True)
class _Upcycling:
    """The parent, the mixture asked for, and the target's tensors."""

    spec: ModelSpec
    mixture: Mixture
    places: Mapping[str, Place]
    sizes: Mapping[Axis, int]

    def dims(self, place: Place) -> Shape:
        return tuple(self.sizes[axis] for axis in place.slot.axes)


def upcycle(
    spec: ModelSpec,
    *,
    experts: int = 8,
    top_k: int = 2,
    granularity: int = 1,
    renormalise: bool = True,
    noise: float = 0.0,
    drop_fraction: float = 0.0,
    router_std: float | None = None,
    shared_share: float | None = None,
    to: str | None = None,
) -> GrowthPlan:
    """Return the plan that turns every FFN into `experts` experts, `top_k` of them per token.

    Experts are copies of the FFN and the router is random, so that the chosen experts' weights,
    renormalised to sum to one, give the FFN's output whatever the router says.

    Parameters
    ----------
    spec
        The parent, a dense model with a gated FFN of f units.
    experts, top_k
        All experts of a layer, and those that a token takes.
    granularity
        G: a copy of the FFN is cut into G experts of f/G units, which share a router row and a
        factor of G on their outgoing weights. `experts` and `top_k` count the pieces.
    renormalise
        Without it the chosen weights sum to less than one; outgoing weights are multiplied by
        experts / top_k, which is right on average only.
    noise
        Spread of normal noise on every expert's weights, relative to the root mean square of
        the row.
    drop_fraction
        Share of each expert's units that is drawn anew from the mean and spread of its row.
    router_std
        Standard deviation of the router's weights; by default ``initializer_range``.
    shared_share
        Of families with a shared expert (Qwen2-MoE): the part of the output that the shared
        expert, a copy of the FFN too, keeps; by default a half.
    to
        `model_type` of the mixture; by default the parent's nearest relative.

    Raises
    ------
    InputError
        When the parent has no relative among the mixtures, or the numbers do not fit.
    """
    family = _target_family(spec, to)
    mixture = mixture_of(
        spec, family, experts, top_k, granularity, renormalise, noise, drop_fraction, shared_share
    )
    config = mixture_config(spec, family, mixture)
    sizes = sizes_of(family, config)
    places = dict(expected_places(family, config, sizes, spec.layers, spec.tied))
    upcycling = _Upcycling(spec, mixture, places, sizes)
    std = _router_std(spec, router_std)
    return GrowthPlan(
        operator="upcycle",
        arguments={**mixture.arguments(), "router_std": std, "to": family.model_type},
        config=config,
        recipes=_recipes(upcycling, std),
        preservation=Preservation.ROUNDING if mixture.preserves else Preservation.APPROXIMATE,
        source=SOURCE,
        moments={name: _moment(upcycling, name) for name in places},
        dtypes={
            name: "float32" for name, place in places.items() if place.slot.role is Role.ROUTER
        },
        notes=tuple(_notes(mixture)),
    )


def _router_std(spec: ModelSpec, asked: float | None) -> float:
    if asked is None:
        return float(spec.value("initializer_range") or 0.02)
    if asked <= 0:
        raise InputError(
            f"upcycle needs a router_std above 0, found {asked}: a router without spread sends "
            "every token to the same experts"
        )
    return float(asked)


def _target_family(spec: ModelSpec, to: str | None) -> Family:
    from bootlaw.growth.families import family_of

    known = spec.family.experts_as
    if spec.experts:
        raise InputError(
            f"upcycle makes experts of a dense FFN, and a {spec.family.model_type} has "
            f"{spec.experts} already"
        )
    if not known:
        raise InputError(
            f"upcycle knows no mixture of experts whose blocks are those of "
            f"{spec.family.model_type}: its norms, biases or FFN have no place in Mixtral or "
            "Qwen MoE. Name one in experts_as of its family file if there is"
        )
    if to is not None and to not in known:
        raise InputError(
            f"upcycle turns a {spec.family.model_type} into {' or '.join(known)}, not {to}"
        )
    return family_of(to or known[0])


def _recipes(upcycling: _Upcycling, router_std: float) -> dict[str, Recipe]:
    spec = upcycling.spec
    for name, place in spec.places.items():
        replaced = _is_ffn(place) and place.slot.part is Part.MATRIX
        if name not in upcycling.places and not replaced:
            raise InputError(
                f"upcycle cannot keep {name}: a {upcycling.mixture.family.model_type} has no "
                "such tensor"
            )
    return {
        name: _recipe(upcycling, name, place, router_std)
        for name, place in upcycling.places.items()
    }


def _is_ffn(place: Place) -> bool:
    return place.slot.role in (Role.GATE, Role.UP, Role.DOWN)


def _recipe(upcycling: _Upcycling, name: str, place: Place, router_std: float) -> Recipe:
    role = place.slot.role
    if role is Role.ROUTER:
        return _router(upcycling, name, place, router_std)
    if role is Role.SWITCH:
        return Zeros(upcycling.dims(place))
    if not _is_ffn(place):
        return Copy(name)
    if place.expert is None:
        return _shared(upcycling, place)
    return _expert(upcycling, name, place)


def _router(upcycling: _Upcycling, name: str, place: Place, std: float) -> Recipe:
    """Return random rows, one for each copy of the FFN, repeated for the pieces of the copy."""
    pieces = upcycling.mixture.granularity
    experts, hidden = upcycling.dims(place)
    rows = Normal((experts // pieces, hidden), std, name)
    return rows if pieces == 1 else Take(rows, 0, Each(experts // pieces, pieces))


def _dense(upcycling: _Upcycling, place: Place) -> str:
    """Return the name of the parent's matrix of the same role in the same layer."""
    spec = upcycling.spec
    return spec.family.slot(place.slot.role).pattern.format(layer=place.layer)


def _shared(upcycling: _Upcycling, place: Place) -> Recipe:
    """Return the shared expert: its switch stands at a half, so its output counts double."""
    share = upcycling.mixture.shared_share
    copy = Copy(_dense(upcycling, place))
    if place.slot.role is not Role.DOWN:
        return copy
    return scaled(copy, 2 * share) if share else Zeros(upcycling.dims(place))


def _expert(upcycling: _Upcycling, name: str, place: Place) -> Recipe:
    mixture, dims = upcycling.mixture, upcycling.dims(place)
    dim = next(dim for dim, axis in enumerate(place.slot.axes) if axis in FFN_AXES)
    recipe: Recipe = Copy(_dense(upcycling, place))
    units = dims[dim]
    if mixture.granularity > 1:
        start = (place.expert or 0) % mixture.granularity * units
        recipe = Take(recipe, dim, Span(start, start + units))
    if mixture.drop_fraction:
        key = f"dropped {place.layer} {place.expert}"
        chosen = Chosen(round(mixture.drop_fraction * units), units, key)
        recipe = Redrawn(recipe, dims, f"{name} redrawn", dim, chosen)
    if mixture.noise:
        recipe = RelativeNoise(recipe, dims, f"{name} noise", mixture.noise)
    return scaled(recipe, mixture.output_scale) if place.slot.role is Role.DOWN else recipe


def _moment(upcycling: _Upcycling, name: str) -> MomentRecipe:
    place = upcycling.places[name]
    if _is_ffn(place) or place.slot.role in (Role.ROUTER, Role.SWITCH):
        zeros = Zeros(upcycling.dims(place))
        return MomentRecipe(zeros, zeros, keeps_step=False)
    return MomentRecipe(Copy(name), Copy(name))


def _notes(mixture: Mixture) -> list[str]:
    notes = [
        "experts start equal and part by what the router sends them; set output_router_logits to "
        "train with the load-balancing loss"
        if mixture.preserves
        else "the experts differ from the FFN, or their weights do not sum to one: the loss jumps"
    ]
    if mixture.granularity > 1:
        notes.append(
            "pieces of one copy have equal router rows and must be chosen together; the router is "
            "stored in float32, and computing it in bfloat16 may tie copies and mix their pieces"
        )
    return notes
