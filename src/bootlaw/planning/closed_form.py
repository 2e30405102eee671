"""The break-even in closed form, where its assumptions hold."""

from __future__ import annotations

import math

from bootlaw.fitting import Fit
from bootlaw.planning.validity import stage2_exponent_terms


def closed_form_breakeven(
    fit: Fit, tokens_stage1: float, stage1: str
) -> tuple[float | None, str | None]:
    """Return (D*, None), or (None, the reason why there is no closed form).

    With one E for reuse and scratch, the two laws are equal where
    A D1^-a1 D^-(a2 - a3 ln D1) = A_s D^-a_s, that is at

        ln D* = (ln(A / A_s) - a1 ln D1) / (a2 - a3 ln D1 - a_s)

    (after the threshold budget of arXiv 2510.06548, Fig. 4 right). It is the only crossing at
    any D2, in either direction, inside the searched range or not.
    """
    exponents = stage2_exponent_terms(fit)
    if exponents is None:
        return None, f"the law {fit.law.key} is no product of powers of D1 and D2"
    if not fit.law.key.endswith("+scratch"):
        return None, "reuse and scratch were fitted apart, so their E terms do not cancel"
    if stage1 == "paid":
        return None, "with stage 1 paid, scratch trains on more tokens than reuse"
    a2, a3 = exponents
    ln_stage1 = math.log(tokens_stage1)
    slope = a2 - a3 * ln_stage1 - fit.value("a_s")
    head = math.log(fit.value("A") / fit.value("A_s")) - fit.value("a1") * ln_stage1
    if slope == 0 or abs(head / slope) > 700:
        return None, "the two laws fall in parallel: they meet at no finite D2"
    return math.exp(head / slope), None
