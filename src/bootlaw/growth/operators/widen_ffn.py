"""Widening the FFN: more units, the function kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from bootlaw.errors import InputError
from bootlaw.growth.draws import Duplicates, Normal, Shares
from bootlaw.growth.layout import Concat, Take, Weighted
from bootlaw.growth.plan import GrowthPlan, MomentRecipe, MomentRule, Preservation
from bootlaw.growth.recipe import Copy, Recipe, Zeros
from bootlaw.growth.roles import Axis, Part
from bootlaw.growth.spec import ModelSpec, Place

Result = TypeVar("Result")

SOURCE_DUPLICATE = "arXiv 1511.05641 (Net2Net), Net2WiderNet; uneven: arXiv 2310.07999 (LEMON)"
SOURCE_ZERO = "arXiv 2308.06103 (composable function-preserving expansions), MLP expansion"

_EVEN = (
    "with an even split the copies of a unit have the same gradients and stay identical for "
    "ever: their units add parameters but nothing else"
)


@dataclass(frozen=True)
class _Widening:
    """What the recipes need: the parent, the axis that grows, and how."""

    spec: ModelSpec
    axis: Axis
    new: int
    uneven: bool

    @property
    def old(self) -> int:
        return self.spec.sizes[self.axis]

    @property
    def std(self) -> float:
        return float(self.spec.value("initializer_range") or 0.02)

    def duplicates(self, place: Place) -> Duplicates:
        """Return the units' origins: the same for all matrices of one FFN."""
        return Duplicates(self.new, self.old, f"ffn {place.layer} {place.expert}")

    def extra(self, shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
        return (*shape[:dim], self.new - self.old, *shape[dim + 1 :])


def widen_ffn(
    spec: ModelSpec,
    *,
    factor: float | None = None,
    intermediate_size: int | None = None,
    mode: Literal["duplicate", "zero"] = "duplicate",
    split: Literal["uneven", "even"] = "uneven",
) -> GrowthPlan:
    """Return the plan that gives every FFN (of a mixture: every routed expert) more units.

    Parameters
    ----------
    spec
        The parent, f units.
    factor, intermediate_size
        Units of the grown FFN, as a multiple of f or outright; by default 1.5 f.
    mode
        ``duplicate``: a new unit copies a random old one, and the outgoing weights are shared
        out between the copies. ``zero``: a new unit has random incoming weights (the
        configuration's ``initializer_range``) and outgoing weights of zero.
    split
        How copies share the outgoing weights. ``even`` leaves copies identical for ever, as
        they have the same gradients; ``uneven`` lets them part.

    Raises
    ------
    InputError
        When the FFN would not become wider, or an option is unknown.
    """
    if mode not in ("duplicate", "zero") or split not in ("uneven", "even"):
        raise InputError(
            "widen_ffn knows mode = duplicate and zero, and split = uneven and even; "
            f"found {mode!r} and {split!r}"
        )
    axis = Axis.FFN if Axis.FFN in spec.sizes else Axis.EXPERT_FFN
    new = _target(spec.sizes[axis], factor, intermediate_size)
    widening = _Widening(spec, axis, new, uneven=split == "uneven")
    duplicates = mode == "duplicate"
    arguments: dict[str, Any] = {"intermediate_size": new, "mode": mode}
    return GrowthPlan(
        operator="widen_ffn",
        arguments=arguments | ({"split": split} if duplicates else {}),
        config={**spec.config, _key(spec, axis): new},
        recipes=_map(widening, Copy, _duplicated if duplicates else _zeroed),
        preservation=Preservation.ROUNDING,
        source=SOURCE_DUPLICATE if duplicates else SOURCE_ZERO,
        moments=_map(widening, _kept, _duplicated_moment if duplicates else _zeroed_moment),
        moment_rule=MomentRule.EXACT,
        notes=(_EVEN,) if duplicates and split == "even" else (),
    )


def _target(old: int, factor: float | None, intermediate_size: int | None) -> int:
    if factor is not None and intermediate_size is not None:
        raise InputError("widen_ffn takes a factor or an intermediate_size, not both")
    times = 1.5 if factor is None else factor
    new = round(old * times) if intermediate_size is None else intermediate_size
    if new <= old:
        raise InputError(f"widen_ffn needs more than the parent's {old} units, found {new}")
    return new


def _key(spec: ModelSpec, axis: Axis) -> str:
    keys = spec.family.keys
    key = keys.ffn if axis is Axis.FFN else keys.expert_ffn
    assert key is not None  # the axis is there because the field is
    return key


def _map(
    widening: _Widening,
    keep: Callable[[str], Result],
    grow: Callable[[_Widening, str, Place, int], Result],
) -> dict[str, Result]:
    """Return name -> `grow` where the tensor has the axis, `keep` elsewhere."""
    made = {}
    for name, place in widening.spec.places.items():
        axes = place.slot.axes
        grows = widening.axis in axes
        made[name] = grow(widening, name, place, axes.index(widening.axis)) if grows else keep(name)
    return made


def _kept(name: str) -> MomentRecipe:
    return MomentRecipe(Copy(name), Copy(name))


def _duplicated(widening: _Widening, name: str, place: Place, dim: int) -> Recipe:
    duplicates = widening.duplicates(place)
    taken = Take(Copy(name), dim, duplicates)
    return Weighted(taken, dim, Shares(duplicates, widening.uneven)) if dim else taken


def _duplicated_moment(widening: _Widening, name: str, place: Place, dim: int) -> MomentRecipe:
    """A copy's incoming weights have its share of the gradient, its outgoing ones all of it."""
    duplicates = widening.duplicates(place)
    taken = Take(Copy(name), dim, duplicates)
    if dim:
        return MomentRecipe(taken, taken)
    first, second = (Shares(duplicates, widening.uneven, power) for power in (1, 2))
    return MomentRecipe(Weighted(taken, dim, first), Weighted(taken, dim, second))


def _zeroed(widening: _Widening, name: str, place: Place, dim: int) -> Recipe:
    dims = widening.extra(widening.spec.shapes[name], dim)
    incoming = dim == 0 and place.slot.part is Part.MATRIX
    new = Normal(dims, widening.std, f"{name} new") if incoming else Zeros(dims)
    return _joined(widening, name, new, dim)


def _zeroed_moment(widening: _Widening, name: str, place: Place, dim: int) -> MomentRecipe:
    del place
    new = Zeros(widening.extra(widening.spec.shapes[name], dim))
    joined = _joined(widening, name, new, dim)
    return MomentRecipe(joined, joined)


def _joined(widening: _Widening, name: str, new: Recipe, dim: int) -> Recipe:
    return Concat((Copy(name), new), dim, (widening.old, widening.new - widening.old))
