"""A program evaluated with NumPy: values, slopes and curvatures of many parameter vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.program import Op, Program

Floats = NDArray[np.float64]
K = TypeVar("K")


@dataclass(frozen=True)
class Jet:
    """A quantity of every row with its derivatives; those that are absent are zero.

    Attributes
    ----------
    value : (..., n).
    slopes : parameter -> (..., n).
    curves : (parameter, parameter), the smaller first -> (..., n).
    """

    value: Floats
    slopes: Mapping[int, Floats]
    curves: Mapping[tuple[int, int], Floats]


def run(program: Program, u: Floats, order: int = 2) -> Jet:
    """Return the program's value at u (..., p), with derivatives up to `order` (0, 1 or 2)."""
    jets: list[Jet] = []
    with np.errstate(all="ignore"):
        for op, a, b in program.nodes:
            jets.append(_node(program, jets, u, Op(op), a, b, order))
    top = jets[-1]
    shape = (*u.shape[:-1], program.columns.shape[1])
    return Jet(np.broadcast_to(top.value, shape), top.slopes, top.curves)


def _node(program: Program, jets: list[Jet], u: Floats, op: Op, a: int, b: int, order: int) -> Jet:
    if op == Op.COLUMN:
        return Jet(program.columns[a], {}, {})
    if op == Op.LINEAR:
        return _linear(program, u, a, b, order)
    if op == Op.ADD:
        return _add(jets[a], jets[b])
    if op == Op.MULTIPLY:
        return _multiply(jets[a], jets[b], order)
    if op == Op.LARGEST:
        return _largest(jets[a], jets[b])
    return _unary(op, jets[a], order)


def _linear(program: Program, u: Floats, start: int, count: int, order: int) -> Jet:
    entries = program.linear[start : start + count]
    at = [(p, program.columns[column]) for p, column in entries]
    value = sum((u[..., p, None] * x for p, x in at if p >= 0), start=np.zeros(1))
    value = sum((x for p, x in at if p < 0), start=value)
    slopes = {p: x for p, x in at if p >= 0} if order else {}
    return Jet(np.asarray(value), slopes, {})


def _add(one: Jet, other: Jet) -> Jet:
    return Jet(
        one.value + other.value,
        _sum_of(one.slopes, other.slopes),
        _sum_of(one.curves, other.curves),
    )


def _sum_of(one: Mapping[K, Floats], other: Mapping[K, Floats]) -> dict[K, Floats]:
    total = dict(one)
    for key, values in other.items():
        total[key] = total[key] + values if key in total else values
    return total


def _multiply(one: Jet, other: Jet, order: int) -> Jet:
    slopes = _sum_of(_times(one.slopes, other.value), _times(other.slopes, one.value))
    if order < 2:
        return Jet(one.value * other.value, slopes, {})
    curves = _sum_of(_times(one.curves, other.value), _times(other.curves, one.value))
    for j, x in one.slopes.items():
        for k, y in other.slopes.items():
            pair = (min(j, k), max(j, k))
            # d2(ab)/dj2 holds a_j b_j twice.
            both = 2.0 * x * y if j == k else x * y
            curves[pair] = curves[pair] + both if pair in curves else both
    return Jet(one.value * other.value, slopes, curves)


def _times(derivatives: Mapping[K, Floats], factor: Floats) -> dict[K, Floats]:
    return {key: values * factor for key, values in derivatives.items()}


def _largest(one: Jet, other: Jet) -> Jet:
    first = one.value >= other.value
    return Jet(
        np.where(first, one.value, other.value),
        _chosen(first, one.slopes, other.slopes),
        _chosen(first, one.curves, other.curves),
    )


def _chosen(
    first: NDArray[np.bool_], one: Mapping[K, Floats], other: Mapping[K, Floats]
) -> dict[K, Floats]:
    return {
        key: np.where(first, one.get(key, 0.0), other.get(key, 0.0)) for key in {**one, **other}
    }


def _unary(op: Op, inner: Jet, order: int) -> Jet:
    x = inner.value
    value, first, second = _functions(op, x)
    if order == 0:
        return Jet(value, {}, {})
    slopes = _times(inner.slopes, first)
    if order < 2:
        return Jet(value, slopes, {})
    curves = _times(inner.curves, first)
    names = sorted(inner.slopes)
    for number, j in enumerate(names):
        for k in names[number:]:
            bend = second * inner.slopes[j] * inner.slopes[k]
            curves[j, k] = curves[j, k] + bend if (j, k) in curves else bend
    return Jet(value, slopes, curves)


def _functions(op: Op, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the function's value and its first and second derivatives at x."""
    if op == Op.EXP:
        # Beyond these ends the kernel's exponential stays constant, too.
        value = np.exp(np.clip(x, -708.0, 709.0))
        return value, value, value
    if op == Op.LOG:
        return np.log(np.where(x > 0, x, np.nan)), 1.0 / x, -1.0 / x**2
    if op == Op.INVERSE:
        return 1.0 / x, -1.0 / x**2, 2.0 / x**3
    if op == Op.SINE:
        return np.sin(x), np.cos(x), -np.sin(x)
    if op == Op.COSINE:
        return np.cos(x), -np.sin(x), -np.cos(x)
    first = 1.0 / (1.0 + x**2)
    return np.arctan(x), first, -2.0 * x * first**2
