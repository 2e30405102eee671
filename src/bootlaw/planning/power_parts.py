"""Laws that are one power of D2 and a constant, once D1 and N are known: the form of most.

    L = exp(ln_factor) D2^-exponent + constant

Two such laws cross where two exponentials in ln D2 and a constant add up to nothing, which
`bootlaw.planning.roots` solves for many parameter vectors at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, N
from bootlaw.planning.paired import Part
from bootlaw.planning.source import EXTREME, Source

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PowerPart:
    """The three numbers, (m, k) for m questions and k parameter vectors, or shapes like it."""

    ln_factor: Floats
    exponent: Floats
    constant: Floats

    def loss(self, ln_tokens: Floats) -> Floats:
        """Return the loss, nats per token, at ln D2."""
        return np.asarray(np.exp(self.ln_factor - self.exponent * ln_tokens) + self.constant)

    def log_loss(self, ln_tokens: Floats) -> Floats:
        """Return ln of the loss at ln D2, of a law whose loss no float can hold as well."""
        with np.errstate(divide="ignore"):
            constant = np.log(self.constant)
        return np.logaddexp(self.ln_factor - self.exponent * ln_tokens, constant)

    def times(self, ln_multiple: Floats) -> PowerPart:
        """Return the law whose losses are exp(`ln_multiple`) times as large."""
        multiple = np.exp(ln_multiple)
        return PowerPart(self.ln_factor + ln_multiple, self.exponent, self.constant * multiple)


Values = Mapping[str, Floats]
Split = Callable[[Values, Floats, Floats], tuple[Floats, Floats, Floats]]
"""Parameters by name (1, k), ln D1 and ln N (m, 1) -> ln factor, exponent, constant."""


def _product(v: Values, ln_d1: Floats, _: Floats) -> tuple[Floats, Floats, Floats]:
    a3 = v.get("a3", np.zeros(1))
    return np.log(v["A"]) - v["a1"] * ln_d1, v["a2"] - a3 * ln_d1, v["E"]


def _joint_product(v: Values, ln_d1: Floats, ln_n: Floats) -> tuple[Floats, Floats, Floats]:
    ln_factor, exponent, floor = _product(v, ln_d1, ln_n)
    return ln_factor, exponent, floor + v["B"] * np.exp(-v["b"] * ln_n)


def _additive(v: Values, ln_d1: Floats, _: Floats) -> tuple[Floats, Floats, Floats]:
    return np.log(v["B"]), v["a2"], v["E"] + v["A"] * np.exp(-v["a1"] * ln_d1)


def _hybrid(v: Values, ln_d1: Floats, _: Floats) -> tuple[Floats, Floats, Floats]:
    return np.log(v["A"] * np.exp(-v["a1"] * ln_d1) + v["G"]), v["a2"], v["E"]


def _power(v: Values, _d1: Floats, _n: Floats) -> tuple[Floats, Floats, Floats]:
    return np.log(v["A"]), v["a"], v["E"]


def _chinchilla(v: Values, _: Floats, ln_n: Floats) -> tuple[Floats, Floats, Floats]:
    return np.log(v["B"]), v["b"], v["E"] + v["A"] * np.exp(-v["a"] * ln_n)


def _scratch(v: Values, _: Floats, ln_n: Floats) -> tuple[Floats, Floats, Floats]:
    size = v["B_s"] * np.exp(-v["b_s"] * ln_n) if "B_s" in v else 0.0
    return np.log(v["A_s"]), v["a_s"], v["E"] + size


_REUSE: Mapping[str, Split] = {
    "bootstrapped": _product,
    "multiplicative": _product,
    "bootstrapped-joint": _joint_product,
    "additive": _additive,
    "hybrid": _hybrid,
    "fixed-base": _power,
}
_ONE_STAGE: Mapping[str, Split] = {"power": _power, "chinchilla": _chinchilla}


def _split(source: Source, part: Part) -> Split | None:
    key = source.law.key
    if part == "reuse":
        return _sized(_REUSE.get(source.law.stem), source)
    if key.endswith("+scratch") and {"A_s", "a_s"} <= set(source.law.names):
        return _scratch
    return _ONE_STAGE.get(key)


def _sized(split: Split | None, source: Source) -> Split | None:
    """Return the split with the term of a ``+size`` law in its constant."""
    if split is None or "B_n" not in source.law.names:
        return split

    def with_term(v: Values, ln_d1: Floats, ln_n: Floats) -> tuple[Floats, Floats, Floats]:
        ln_factor, exponent, constant = split(v, ln_d1, ln_n)
        return ln_factor, exponent, constant + v["B_n"] * np.exp(-v["b_n"] * ln_n)

    return with_term


def has_power_part(source: Source, part: Part) -> bool:
    """Return whether the law is one power of D2 and a constant."""
    return _split(source, part) is not None


def power_part(source: Source, part: Part, n_vectors: int, at: Mapping[str, Floats]) -> PowerPart:
    """Return the law of each of the first `n_vectors` parameter vectors at each of m questions.

    What the law missed in hold-outs along D1 and N is included; along D2 it is not, as it is no
    power of D2 (see `bootlaw.planning.source.Source.paired_loss`).

    Parameters
    ----------
    at : (m,) values of D1 and of the other variables that the law reads, D2 left out.
    """
    split = _split(source, part)
    assert split is not None
    params = source.params[:n_vectors]
    values = {name: params[np.newaxis, :, i] for i, name in enumerate(source.law.names)}
    columns = {name: column[:, np.newaxis] for name, column in at.items()}
    one = np.ones((1, 1))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ln_d1, ln_n = (np.log(columns.get(name, one)) for name in (D1, N))
        found = PowerPart(*split(values, ln_d1, ln_n))
        for misfit in source.misfits:
            if misfit.covers(part) and misfit.variable in (D1, N) and misfit.variable in columns:
                draws = np.concatenate([[0.0], misfit.draws(source.n_replicates, part)])
                beyond = draws[np.newaxis, :n_vectors] * misfit.log_sd(columns[misfit.variable])
                found = found.times(np.clip(beyond, -EXTREME, EXTREME))
    return found
