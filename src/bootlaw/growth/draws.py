"""Recipes with random numbers: fresh weights, cancelling noise, duplicated and redrawn units.

A number depends on the seed, the recipe's key and its place in the tensor, and on nothing else:
rows are drawn in fixed blocks, each from its own stream (Philox, keyed by a hash). Spreads are
relative to single rows, so that no statistic of a whole tensor is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from bootlaw.growth.layout import Pick, Weights, row_mean
from bootlaw.growth.recipe import Reader, Recipe, Rows, Shape

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK_ROWS = 64


def stream(seed: int, key: str, block: int = 0) -> np.random.Generator:
    """Return the random stream of one block of rows of one recipe."""
    digest = hashlib.sha256(f"{seed}|{key}|{block}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def normals(seed: int, key: str, rows: Rows, dims: Shape) -> Tensor:
    """Return the rows of a tensor of shape `dims` of standard normal numbers, float64."""
    import torch

    if rows is None:
        rows = slice(0, dims[0])
    if isinstance(rows, slice):
        return _consecutive(seed, key, rows, dims)
    blocks = torch.unique(rows // _BLOCK_ROWS)
    spans = (slice(block * _BLOCK_ROWS, (block + 1) * _BLOCK_ROWS) for block in blocks.tolist())
    drawn = torch.cat([_consecutive(seed, key, span, dims) for span in spans])
    places = torch.searchsorted(blocks, rows // _BLOCK_ROWS)
    return drawn[places * _BLOCK_ROWS + rows % _BLOCK_ROWS]


def _consecutive(seed: int, key: str, rows: slice, dims: Shape) -> Tensor:
    import torch

    drawn = torch.empty((rows.stop - rows.start, *dims[1:]), dtype=torch.float64)
    for block in range(rows.start // _BLOCK_ROWS, -(-rows.stop // _BLOCK_ROWS)):
        first = block * _BLOCK_ROWS
        low, high = max(rows.start, first), min(rows.stop, first + _BLOCK_ROWS)
        # Single precision draws twice as fast, and only the spread of the numbers matters.
        numbers = stream(seed, key, block).standard_normal((high - first, *dims[1:]), np.float32)
        drawn[low - rows.start : high - rows.start] = torch.from_numpy(numbers[low - first :])
    return drawn


@dataclass(frozen=True)
class Normal(Recipe):
    """Fresh weights: normal with mean 0 and standard deviation `std`."""

    dims: Shape
    std: float
    key: str

    def keyed(self, prefix: str) -> Recipe:
        return replace(self, key=prefix + self.key)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return self.dims

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        return normals(seed, self.key, rows, self.dims) * self.std


@dataclass(frozen=True)
class _Altered(Recipe):
    """`of`, of shape `dims`, with something drawn into it under a `key` of its own."""

    of: Recipe
    dims: Shape
    key: str

    def children(self) -> tuple[Recipe, ...]:
        return (self.of,)

    def keyed(self, prefix: str) -> Self:
        return replace(self, of=self.of.keyed(prefix), key=prefix + self.key)

    def shape(self, shapes: Mapping[str, Shape]) -> Shape:
        return self.dims


@dataclass(frozen=True)
class CancellingNoise(_Altered):
    """`of`, whose columns are `copies` equal blocks, plus noise that cancels on equal inputs.

    Blocks go in pairs: what is added to the first is taken from the second; an odd last block
    stays. The noise of a row has `decibels` less power than the row.
    """

    copies: int
    decibels: float

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        built = self.of.build(read, seed, rows)
        pairs, width = self.copies // 2, self.dims[1] // self.copies
        spread = _rms(built[:, :width]) * 10 ** (-self.decibels / 20)
        noise = normals(seed, self.key, rows, (self.dims[0], pairs, width))
        noise *= spread[:, None]
        blocks = built.reshape(-1, self.copies, width)
        blocks[:, 0 : 2 * pairs : 2] += noise
        blocks[:, 1 : 2 * pairs : 2] -= noise
        return blocks.reshape(built.shape)


@dataclass(frozen=True)
class RelativeNoise(_Altered):
    """`of` plus normal noise, `scale` times the root mean square of each row."""

    scale: float

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        built = self.of.build(read, seed, rows)
        return built + normals(seed, self.key, rows, self.dims) * _rms(built) * self.scale


@dataclass(frozen=True)
class Redrawn(_Altered):
    """`of` with the entries `chosen` of `dim` drawn anew from the mean and spread of their row."""

    dim: int
    chosen: Pick

    def keyed(self, prefix: str) -> Self:
        return replace(super().keyed(prefix), chosen=self.chosen.keyed(prefix))

    def build(self, read: Reader, seed: int, rows: Rows = None) -> Tensor:
        import torch

        built = self.of.build(read, seed, rows)
        mean = row_mean(built)
        spread = _rms(built - mean)
        fresh = mean + spread * normals(seed, self.key, rows, self.dims)
        mask = torch.zeros(self.dims[self.dim], dtype=torch.bool)
        mask[self.chosen.indices(seed)] = True
        if self.dim == 0:
            mask = (mask if rows is None else mask[rows])[:, None]
        return torch.where(mask, fresh, built)


@dataclass(frozen=True)
class Chosen:
    """`size` of `total` entries, drawn without replacement."""

    size: int
    total: int
    key: str

    def indices(self, seed: int) -> Tensor:
        import torch

        return torch.from_numpy(stream(seed, self.key).permutation(self.total)[: self.size])

    def keyed(self, prefix: str) -> Chosen:
        return replace(self, key=prefix + self.key)


@dataclass(frozen=True)
class Duplicates:
    """All of `total` entries, then copies of random ones up to `size`, none twice before all."""

    size: int
    total: int
    key: str

    def indices(self, seed: int) -> Tensor:
        import torch

        draws, rounds = stream(seed, self.key), -(-(self.size - self.total) // self.total)
        order = [draws.permutation(self.total) for _ in range(rounds)]
        extra = np.concatenate(order)[: self.size - self.total]
        return torch.from_numpy(np.concatenate([np.arange(self.total), extra]))

    def keyed(self, prefix: str) -> Duplicates:
        return replace(self, key=prefix + self.key)


@dataclass(frozen=True)
class Shares:
    """What each duplicated entry keeps of its original; the shares of one original sum to 1."""

    duplicates: Duplicates
    uneven: bool
    """Whether shares differ (uniform in a range of 1 to 3, then normalised) or are all equal."""
    power: int = 1

    def values(self, seed: int) -> Tensor:
        import torch

        indices = self.duplicates.indices(seed)
        raw = torch.ones(len(indices), dtype=torch.float64)
        if self.uneven:
            draws = stream(seed, f"{self.duplicates.key}|shares").uniform(0.5, 1.5, len(indices))
            raw = torch.from_numpy(draws)
        totals = torch.zeros(self.duplicates.total, dtype=torch.float64)
        totals.index_add_(0, indices, raw)
        shares: Tensor = (raw / totals[indices]) ** self.power
        return shares

    def keyed(self, prefix: str) -> Weights:
        return replace(self, duplicates=self.duplicates.keyed(prefix))


def _rms(rows: Tensor) -> Tensor:
    return row_mean(rows.pow(2)).sqrt()
