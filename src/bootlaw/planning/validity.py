"""Whether a fit may be asked at all, and where its law stops making sense."""

from __future__ import annotations

import math

from bootlaw.errors import InputError
from bootlaw.fitting import Fit
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.laws.names import D1
from bootlaw.planning import words


def check_tokens(name: str, value: float, *, zero_allowed: bool = False) -> None:
    """Raise InputError unless `value` is a finite number of tokens above zero (or zero)."""
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero_allowed):
        bound = "zero or a number above it" if zero_allowed else "a finite number above zero"
        raise InputError(f"{name} is {value:g}; it must be {bound}")


def check_level(level: float) -> None:
    """Raise InputError unless `level` lies between 0 and 1."""
    if not 0 < level < 1:
        raise InputError(f"the level is {level:g}; it must lie between 0 and 1, e.g. 0.95")


def unusable(fit: Fit) -> str | None:
    """Return why no answer may rest on this fit, None where it may."""
    if fit.status == "converged":
        return None
    why = "; ".join(d.message for d in fit.diagnostics if d.severity == "error")
    state = {
        "not_identifiable": "its data do not determine the parameters",
        "not_converged": "the fit did not converge",
    }[fit.status]
    return f"the {fit.law.key} fit cannot be asked: {state}" + (f" ({why})" if why else "")


def invalid_at(fit: Fit, tokens_stage1: float) -> str | None:
    """Return why the fitted law has no answer at this D1, None where it has one.

    The main law's second stage learns with the exponent a2 - a3 ln D1 (arXiv 2510.06548,
    Fig. 1). Where that is not positive, which for a3 > 0 begins at D1 = exp(a2 / a3), the law
    has the loss rise with training: it has left the region that it can describe.
    """
    other = _another_base(fit, tokens_stage1)
    if other is not None:
        return other
    exponents = stage2_exponent_terms(fit)
    if exponents is None or tokens_stage1 <= 0:
        return None
    a2, a3 = exponents
    exponent = a2 - a3 * math.log(tokens_stage1)
    if exponent > 0:
        return None
    stage1 = f"at {words.tokens(tokens_stage1)} stage-1 tokens"
    reason = f"{stage1} the fitted stage-2 exponent is {exponent:.3g}: the loss would not fall"
    end = words.tokens(fit.ranges["tokens_stage1"][1])
    return f"{reason} with more stage-2 tokens. {_limit(a2, a3)}; your runs end at D1 = {end}"


def _another_base(fit: Fit, tokens_stage1: float) -> str | None:
    """Return why a law of one base cannot be asked about this D1, None where it can."""
    if D1 not in fit.law.single_level or tokens_stage1 <= 0:
        return None
    low, high = fit.ranges[D1]
    if low * (1 - SAME_LEVEL) <= tokens_stage1 <= high * (1 + SAME_LEVEL):
        return None
    return (
        f"the law {fit.law.key} is fitted to one base, at D1 = {words.tokens(high)}, and says "
        f"nothing about one at {words.tokens(tokens_stage1)}; fit --law bootstrapped to runs from "
        "several bases"
    )


def invalid_scratch(fit: Fit) -> str | None:
    """Return why the fit's scratch part cannot be asked, None where it can or has none."""
    name = "a_s" if fit.law.has_scratch_part else "a"
    if name not in fit.law.names or fit.value(name) > 0:
        return None
    return (
        f"the fitted exponent from scratch, {name} = {fit.value(name):.3g}, is not positive: "
        "the loss would not fall with more tokens"
    )


def stage2_exponent_terms(fit: Fit) -> tuple[float, float] | None:
    """Return (a2, a3) of a product law, a3 = 0 where it has none; None for other laws."""
    key = fit.law.key.removesuffix("+scratch")
    if key == "bootstrapped":
        return fit.value("a2"), fit.value("a3")
    if key == "multiplicative":
        return fit.value("a2"), 0.0
    return None


def _limit(a2: float, a3: float) -> str:
    if a3 == 0 or not -700 < a2 / a3 < 700:
        return "That holds at every D1: the law does not describe these data"
    limit = words.tokens(math.exp(a2 / a3))
    side = "below" if a3 > 0 else "above"
    return f"The law holds for D1 {side} exp(a2/a3) = {limit}"
