"""Recipes that arrange or weigh the rows and columns of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bootlaw.growth.recipe import Reader, Recipe, Rows, Shape

if TYPE_CHECKING:
    from torch import Tensor

_STATISTIC_ROWS = 1024


class Pick(Protocol):
    """Which entries of an axis are taken, in order."""

    @property
    def size(self) -> int:
        """How many entries are taken."""
        ...

    def indices(self, seed: int) -> Tensor:
        """Return the entries' numbers, int64, shape (size,)."""
        ...

    def keyed(self, prefix: str) -> Pick:
        """Return the pick with its random key, if any, under `prefix`."""
        ...


class Weights(Protocol):
    """One factor for each entry of an axis."""

    def values(self, seed: int) -> Tensor:
        """Return the factors, float64, shape (entries of the axis,)."""
        ...

    def keyed(self, prefix: str) -> Weights:
        """Return the weights with their random key, if any, under `prefix`."""
        ...


@dataclass(frozen=True)
class Span:
    """The entries from `start` up to `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def indices(self, seed: int) -> Tensor:
        import torch

        return torch.arange(self.start, self.stop)

    def keyed(self, prefix: str) -> Span:
        return self


@dataclass(frozen=True)
class Each:
    """Every one of `total` entries `times` times in a row."""

    total: int
    times: int

    @property
    def size(self) -> int:
        return self.total * self.times

    def indices(self, seed: int) -> Tensor:
        import torch

        return torch.arange(self.size) // self.times

    def keyed(self, prefix: str) -> Each:
        return self


@dataclass(frozen=True)
class Repeat(Recipe):
    """`of`, of `length` entries along `dim`, repeated whole: [a, b] becomes [a, b, a, b]."""

    of: Recipe
    dim: int
    length: int
    times: int

    def children(self) -> tuple[Recipe, ...]:
        return (self.of,)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return _resized(self.of.shape(shapes), self.dim, self.length * self.times)

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        import torch

        if self.dim or rows is None:
            return torch.cat([self.of.build(read, seed, rows)] * self.times, dim=self.dim)
        if isinstance(rows, slice):
            parts = [self.of.build(read, seed, part) for part in self._within(rows)]
            return torch.cat(parts) if len(parts) > 1 else parts[0]
        return self.of.build(read, seed, rows % self.length)

    def _within(self, rows: slice) -> Iterator[slice]:
        start = rows.start
        while start < rows.stop:
            low = start % self.length
            high = min(self.length, low + rows.stop - start)
            yield slice(low, high)
            start += high - low


@dataclass(frozen=True)
class Concat(Recipe):
    """Recipes joined along `dim`; `lengths` are their entries there."""

    parts: tuple[Recipe, ...]
    dim: int
    lengths: tuple[int, ...]

    def children(self) -> tuple[Recipe, ...]:
        return self.parts

    def with_children(self, children: tuple[Recipe, ...]) -> Recipe:
        return replace(self, parts=children)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return _resized(self.parts[0].shape(shapes), self.dim, sum(self.lengths))

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        import torch

        if self.dim or rows is None:
            return torch.cat([part.build(read, seed, rows) for part in self.parts], dim=self.dim)
        if isinstance(rows, slice):
            return torch.cat(list(self._pieces(read, seed, rows)))
        return self._gathered(read, seed, rows)

    def _pieces(self, read: Reader, seed: int, rows: slice) -> Iterator[Tensor]:
        before = 0
        for part, length in zip(self.parts, self.lengths, strict=True):
            low, high = max(rows.start, before), min(rows.stop, before + length)
            if low < high:
                yield part.build(read, seed, slice(low - before, high - before))
            before += length

    def _gathered(self, read: Reader, seed: int, rows: Tensor) -> Tensor:
        """Return rows in any order: each part gives its own, then they are put in order."""
        import torch

        built, places, before = [], [], 0
        for part, length in zip(self.parts, self.lengths, strict=True):
            inside = ((rows >= before) & (rows < before + length)).nonzero().flatten()
            if len(inside):
                built.append(part.build(read, seed, rows[inside] - before))
                places.append(inside)
            before += length
        return torch.cat(built)[torch.argsort(torch.cat(places))]


@dataclass(frozen=True)
class Take(Recipe):
    """The entries `pick` of `of` along `dim`."""

    of: Recipe
    dim: int
    pick: Pick

    def children(self) -> tuple[Recipe, ...]:
        return (self.of,)

    def keyed(self, prefix: str) -> Recipe:
        return replace(self, of=self.of.keyed(prefix), pick=self.pick.keyed(prefix))

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return _resized(self.of.shape(shapes), self.dim, self.pick.size)

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        if self.dim:
            built = self.of.build(read, seed, rows)
            if isinstance(self.pick, Span):
                return built.narrow(self.dim, self.pick.start, self.pick.size)
            return built.index_select(self.dim, self.pick.indices(seed))
        return self.of.build(read, seed, self._within(seed, rows))

    def _within(self, seed: int, rows: Rows) -> Rows:
        if isinstance(self.pick, Span) and (rows is None or isinstance(rows, slice)):
            start = self.pick.start
            low, high = (0, self.pick.size) if rows is None else (rows.start, rows.stop)
            return slice(start + low, start + high)
        indices = self.pick.indices(seed)
        return indices if rows is None else indices[rows]


@dataclass(frozen=True)
class Weighted(Recipe):
    """`of` with the entries along `dim` multiplied by `weights`."""

    of: Recipe
    dim: int
    weights: Weights

    def children(self) -> tuple[Recipe, ...]:
        return (self.of,)

    def keyed(self, prefix: str) -> Recipe:
        return replace(self, of=self.of.keyed(prefix), weights=self.weights.keyed(prefix))

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return self.of.shape(shapes)

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        built, weights = self.of.build(read, seed, rows), self.weights.values(seed)
        if self.dim == 0 and rows is not None:
            weights = weights[rows]
        return built * weights.reshape(-1, *[1] * (built.dim() - 1 - self.dim))


@dataclass(frozen=True)
class Centred(Recipe):
    """A matrix, or for `dim` 0 any tensor, of `length` entries along `dim`, less its mean there."""

    of: Recipe
    dim: int
    length: int

    def children(self) -> tuple[Recipe, ...]:
        return (self.of,)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return self.of.shape(shapes)

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        built = self.of.build(read, seed, rows)
        if self.dim:
            return built - row_mean(built)
        return built - self._mean_row(read, seed)

    def _mean_row(self, read: Reader, seed: int) -> Tensor:
        """Return the mean over all rows, read a block at a time whatever rows are asked for."""
        starts = range(0, self.length, _STATISTIC_ROWS)
        blocks = (slice(start, min(start + _STATISTIC_ROWS, self.length)) for start in starts)
        sums = [self.of.build(read, seed, block).sum(dim=0) for block in blocks]
        total = sums[0]
        for part in sums[1:]:
            total = total + part
        return total / self.length


def row_mean(values: Tensor) -> Tensor:
    """Return the mean of each row, shape (rows, 1), to the last bit whatever rows stand beside.

    Torch sums a lone row in another order than one of many; NumPy adds pairwise along rows.
    """
    import torch

    return torch.from_numpy(values.contiguous().numpy().mean(axis=1, keepdims=True))


def _resized(shape: Shape, dim: int, length: int) -> Shape:
    return (*shape[:dim], length, *shape[dim + 1 :])
