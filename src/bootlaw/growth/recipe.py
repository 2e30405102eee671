"""Recipes: how one new tensor follows from old ones, without holding any of them.

A recipe is a small tree of frozen nodes. It names tensors, so that the same plan grows a model in
memory and a checkpoint streamed tensor by tensor, and it can be built a range of rows at a time,
so that memory stays bounded however large the tensor. Values are computed in float64 and rounded
once, by whoever stores them. Random nodes draw from (seed, key, block of rows), so that neither
the order nor the cutting of the work changes a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Shape: TypeAlias = "tuple[int, ...]"
Rows: TypeAlias = "slice | Tensor | None"
"""Rows of dimension 0: a slice with start and stop, an int64 index, or None for all."""


class Reader(Protocol):
    """Reads the parent's tensor of a name in its stored type, or only some of its rows."""

    def __call__(self, name: str, rows: Rows = None, /) -> Tensor:
        """Return the tensor, or its `rows` of dimension 0."""
        ...


class Recipe:
    """How one new tensor is made; frozen, comparable, and free of tensors."""

    def children(self) -> tuple[Recipe, ...]:
        """Return the recipes that this one is made of."""
        return ()

    def with_children(self, children: tuple[Recipe, ...]) -> Recipe:
        """Return this recipe over other children, in the order of `children()`."""
        return self if not children else replace(self, of=children[0])  # type: ignore[type-var]

    def sources(self) -> tuple[str, ...]:
        """Return the names of the old tensors that are read, each once, in order."""
        return tuple(dict.fromkeys(name for part in self.children() for name in part.sources()))

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        """Return the new tensor's shape, given those of the old ones."""
        raise NotImplementedError

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        """Return the new tensor, or its `rows`, in float64."""
        raise NotImplementedError

    def keyed(self, prefix: str) -> Recipe:
        """Return the recipe with every random key under `prefix` (plans that follow others)."""
        return self.with_children(tuple(part.keyed(prefix) for part in self.children()))

    def substituted(self, recipes: Mapping[str, Recipe]) -> Recipe:
        """Return the recipe with every old tensor replaced by the recipe that makes it."""
        parts = self.children()
        return self.with_children(tuple(part.substituted(recipes) for part in parts))


@dataclass(frozen=True)
class Copy(Recipe):
    """The old tensor `source`, unchanged: the one recipe that may be taken as raw bytes."""

    source: str

    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return tuple(shapes[self.source])

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        import torch

        return read(self.source, rows).to(torch.float64)

    def substituted(self, recipes: Mapping[str, Recipe]) -> Recipe:
        return recipes[self.source]


@dataclass(frozen=True)
class Constant(Recipe):
    """A tensor of one value."""

    dims: Shape
    value: float

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return self.dims

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        import torch

        dims = (row_count(rows, self.dims[0]), *self.dims[1:])
        return torch.full(dims, self.value, dtype=torch.float64)


@dataclass(frozen=True)
class Zeros(Constant):
    """A tensor of zeros, which a writer need not build."""

    value: float = 0.0


@dataclass(frozen=True)
class Affine(Recipe):
    """``scale * of + shift``."""

    of: Recipe
    scale: float
    shift: float = 0.0

    def children(self) -> tuple[Recipe, ...]:
        return (self.of,)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return self.of.shape(shapes)

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        values = self.of.build(read, seed, rows) * self.scale
        return values + self.shift if self.shift else values


def scaled(recipe: Recipe, factor: float) -> Recipe:
    """Return `recipe` times `factor`; times one it stays what it is, a raw copy included."""
    return recipe if factor == 1.0 else Affine(recipe, factor)


def row_count(rows: Rows, total: int) -> int:
    """Return how many rows `rows` names of `total`."""
    if rows is None:
        return total
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)
