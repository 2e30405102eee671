"""Typical parameters of every law in the catalogue, and rows on which all of them have a value."""

from __future__ import annotations

import numpy as np

from bootlaw import laws

_COMMON = {
    "A": 20.0, "B": 9.0, "G": 0.7, "a1": 0.12, "a2": 0.3, "a3": 0.012, "a": 0.17, "b": 0.21,
    "k": 3.0, "c": 0.7, "g": 1.4, "E": 1.1, "A_s": 30.0, "a_s": 0.25, "B_s": 40.0, "b_s": 0.3,
    "F": 3e-6, "R_D": 15.4, "R_N": 5.3, "Dl": 4.0, "eta": 0.12, "al": 0.25, "be": 0.2, "ga": 0.08,
    "C_r": 0.3, "b0": 0.1, "b1": 0.2, "s": 0.3, "B_n": 50.0, "b_n": 0.28,
}  # fmt: skip
_OF_LAW = {
    "cpt-dynamics": {"B": 0.8, "b": 0.6},
    "over-training": {"A": 60.0, "B": 90.0},
    "effective-data-joint": {"k": 2.0, "al": 0.5, "be": 0.3, "A": 60.0, "a": 0.3},
    "d-cpt": {"k": 0.1, "A": 60.0},
    "chinchilla": {"A": 60.0, "a": 0.3, "B": 30.0, "b": 0.24},
    "repeated-data": {"A": 60.0, "a": 0.3, "B": 30.0, "b": 0.24},
    "bootstrapped-joint": {"B": 40.0, "b": 0.3},
}


def typical(law: laws.Law) -> dict[str, float]:
    """Return name -> value in natural units."""
    own = _OF_LAW.get(law.stem, {})
    return {name: (_COMMON | own)[name] for name in law.names}


def typical_vector(law: laws.Law) -> np.ndarray:
    """Return the values (p,) in the order of the law's parameters."""
    return np.array(list(typical(law).values()))


def grid(law: laws.Law) -> dict[str, np.ndarray]:
    """Return a grid of rows (n,) over the columns that the law reads, with scratch rows if any."""
    levels = {
        "tokens_stage1": np.geomspace(2e5, 2e7, 5),
        "tokens_stage2": np.geomspace(1e5, 1e7, 5),
        "params": np.geomspace(5e4, 5e6, 4),
        "replay": np.array([0.0, 0.2, 0.5, 0.8]),
        "loss_base": np.array([1.9, 2.4, 3.1, 4.0]),
        "unique_tokens": np.geomspace(3e4, 3e5, 3),
    }
    for name in law.single_level:
        levels[name] = levels[name][2:3]
    names = list(law.variables)
    axes = np.meshgrid(*(levels[name] for name in names))
    columns = {name: axis.ravel() for name, axis in zip(names, axes, strict=True)}
    if not law.has_scratch_part:
        return columns
    scratch = _scratch_rows(names, levels)
    return {name: np.concatenate([columns[name], scratch[name]]) for name in names}


def _scratch_rows(names: list[str], levels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    given = {**levels, "tokens_stage1": np.zeros(1)}
    axes = np.meshgrid(*(given[name] for name in names))
    return {name: axis.ravel() for name, axis in zip(names, axes, strict=True)}


def table(law: laws.Law, noise: float = 0.0, seed: int = 0, **changed: float) -> dict[str, object]:
    """Return a run table of the law's own rows: its columns, both tokens, and the loss."""
    columns = grid(law)
    values = [(typical(law) | changed)[name] for name in law.names]
    losses = law.loss(values, columns)
    rng = np.random.default_rng(seed)
    losses = losses * np.exp(rng.normal(0.0, noise, losses.size))
    rest = {"tokens_stage1": 1e6 if law.is_two_stage else 0.0, "tokens_stage2": 1e6}
    missing = {n: np.full(losses.size, v) for n, v in rest.items() if n not in columns}
    return {**columns, **missing, law.output: losses}
