"""The break-even in closed form, where its assumptions hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bootlaw.laws.names import N
from bootlaw.planning.duel import Duel
from bootlaw.planning.source import Source

LEVEL = 1e-9
"""Nats to which the terms beside the power of D2 must cancel."""

_REUSE = ("bootstrapped", "bootstrapped-joint", "multiplicative", "fixed-base")
_SCRATCH = {"power": ("A", "a"), "chinchilla": ("B", "b")}


@dataclass(frozen=True)
class PowerLaw:
    """exp(`ln_amplitude`) D2^-`exponent` + `constant`: a law along D2 alone."""

    ln_amplitude: float
    exponent: float
    constant: float


def closed_form_breakeven(duel: Duel, stage1: str) -> tuple[float | None, str | None]:
    """Return (D*, None), or (None, the reason why there is no closed form).

    Where the terms in N and E of reuse and scratch cancel, the two laws are equal where
    A D1^-a1 D^-(a2 - a3 ln D1) = A_s D^-a_s, that is at

        ln D* = (ln(A / A_s) - a1 ln D1) / (a2 - a3 ln D1 - a_s)

    (after the threshold budget of arXiv 2510.06548, Fig. 4 right). It is the only crossing at
    any D2, in either direction, inside the searched range or not.
    """
    reuse = reuse_power_law(duel.reuse, duel.tokens_stage1, duel.reuse_at)
    scratch = scratch_power_law(duel.rival, duel.scratch_at)
    if reuse is None or scratch is None:
        odd = duel.reuse if reuse is None else duel.rival
        return None, f"the law {odd.law.key} is no product of powers of D1 and D2"
    if stage1 == "paid":
        return None, "with stage 1 paid, scratch trains on more tokens than reuse"
    apart = reuse.constant - scratch.constant
    if abs(apart) > LEVEL:
        return None, f"the terms in N and E differ by {abs(apart):.3g} nats and do not cancel"
    slope = reuse.exponent - scratch.exponent
    head = reuse.ln_amplitude - scratch.ln_amplitude
    if slope == 0 or abs(head / slope) > 700:
        return None, "the two laws fall in parallel: they meet at no finite D2"
    return math.exp(head / slope), None


def reuse_power_law(
    source: Source, tokens_stage1: float, at: Mapping[str, float]
) -> PowerLaw | None:
    """Return a law of reuse along D2 for one base, None where it is no power of D2."""
    key = source.law.stem
    if key not in _REUSE:
        return None
    ln_stage1 = math.log(tokens_stage1)
    ln_amplitude = math.log(source.value("A"))
    if key == "fixed-base":
        return PowerLaw(ln_amplitude, source.value("a"), source.value("E"))
    a3 = 0.0 if key == "multiplicative" else source.value("a3")
    return PowerLaw(
        ln_amplitude - source.value("a1") * ln_stage1,
        source.value("a2") - a3 * ln_stage1,
        source.value("E") + _size_term(source, "B", "b", at) + _size_term(source, "B_n", "b_n", at),
    )


def scratch_power_law(source: Source, at: Mapping[str, float]) -> PowerLaw | None:
    """Return a law of runs from scratch along their tokens, None where it is no power of them."""
    if source.law.has_scratch_part:
        if "A_s" not in source.law.names:
            return None
        constant = source.value("E") + _size_term(source, "B_s", "b_s", at)
        return PowerLaw(math.log(source.value("A_s")), source.value("a_s"), constant)
    if source.law.key not in _SCRATCH:
        return None
    amplitude, exponent = _SCRATCH[source.law.key]
    size = _size_term(source, "A", "a", at) if source.law.key == "chinchilla" else 0.0
    return PowerLaw(
        math.log(source.value(amplitude)), source.value(exponent), source.value("E") + size
    )


def _size_term(source: Source, factor: str, exponent: str, at: Mapping[str, float]) -> float:
    """Return B N^-b, 0 for a law without one."""
    if factor not in source.law.names or N not in at:
        return 0.0
    return source.value(factor) * math.exp(-source.value(exponent) * math.log(at[N]))
