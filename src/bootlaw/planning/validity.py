"""Whether a question makes sense, whether a fit may be asked at all, and where its law ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.laws.names import D1, N
from bootlaw.planning import words
from bootlaw.planning.source import Bools, Floats, Indices, Source

LONGEST = 40
"""Characters of a wrong argument that a complaint shows."""


def number(name: str, value: Any) -> float:
    """Return `value` as a float; InputError that names the argument where it is no number.

    NumPy's scalars are numbers; texts, truth values and lists are not.
    """
    if not isinstance(value, bool) and isinstance(value, Real):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    raise InputError(f"{name} is {_shown(value)}; it must be a number")


def check_kind(name: str, value: Any, kind: type | tuple[type, ...], wanted: str) -> None:
    """Raise InputError unless `value` is None or of a kind; `wanted` says of which, and how."""
    if value is not None and not isinstance(value, kind):
        raise InputError(f"{name} is {_shown(value)}; it must be {wanted}")


def _shown(value: Any) -> str:
    said = repr(value)
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
    return f"{said} ({type(value).__name__})"


def check_tokens(name: str, value: Any, *, zero_allowed: bool = False) -> float:
    """Return a finite number above zero (or zero), such as tokens; InputError for any other."""
    found = number(name, value)
    if not math.isfinite(found) or found < 0 or (found == 0 and not zero_allowed):
        bound = "zero or a number above it" if zero_allowed else "a finite number above zero"
        raise InputError(f"{name} is {found:g}; it must be {bound}")
    return found


def check_optional(name: str, value: Any) -> float | None:
    """Return None for None, else what `check_tokens` does."""
    return None if value is None else check_tokens(name, value)


def set_numbers(frozen: object, *names: str, zero_allowed: bool = False) -> None:
    """Set fields of a frozen dataclass that is being made to what `check_tokens` returns.

    None stays; InputError names the field.
    """
    for name in names:
        value = getattr(frozen, name)
        if value is not None:
            checked = check_tokens(name, value, zero_allowed=zero_allowed)
            object.__setattr__(frozen, name, checked)


def check_level(level: Any) -> float:
    """Return a level between 0 and 1; InputError for any other."""
    found = number("the level", level)
    if not 0 < found < 1:
        raise InputError(f"the level is {found:g}; it must lie between 0 and 1, e.g. 0.95")
    return found


def check_range(search: Any, what: str) -> tuple[float, float]:
    """Return the ends of a range of `what` as two numbers; InputError unless there are two."""
    try:
        low, high = search
    except (TypeError, ValueError):
        raise InputError(
            f"the range of {what} is {search!r}; give two numbers, the lower one first"
        ) from None
    return number(f"the lower end of the range of {what}", low), number(
        f"the upper end of the range of {what}", high
    )


def check_tokens_range(search: Any) -> tuple[float, float]:
    """Return a range of D2, the lower end first and above zero; InputError for any other."""
    low, high = check_range(search, "stage-2 tokens")
    if not 0 < low < high < math.inf:
        raise InputError(
            f"the range {words.tokens(low)} to {words.tokens(high)} is empty; give the lower "
            "number of stage-2 tokens first, both above zero"
        )
    return low, high


def check_stage1(stage1: Any) -> None:
    """Raise InputError unless stage 1 is ``free`` or ``paid``."""
    if stage1 not in ("free", "paid"):
        raise InputError(f"stage1 is {stage1!r}; it must be 'free' or 'paid'")


def invalid_at(
    source: Source, tokens_stage1: float, at: Mapping[str, float] | None = None
) -> str | None:
    """Return why the fitted law has no answer at this D1, None where it has one.

    The main law's second stage learns with the exponent a2 - a3 ln D1 (arXiv 2510.06548,
    Fig. 1). Where that is not positive, which for a3 > 0 begins at D1 = exp(a2 / a3), the law
    has the loss rise with training: it has left the region that it can describe.

    Parameters
    ----------
    at : values of the law's other variables.
    """
    if source.members:
        reasons = [invalid_at(member, tokens_stage1, at) for member in source.members]
        return reasons[0] if all(reasons) else None
    other = _another_base(source, tokens_stage1)
    if other is not None:
        return other
    exponents = stage2_exponent_terms(source)
    if exponents is None or tokens_stage1 <= 0:
        return None
    a2, a3 = exponents
    per_param = _reads_tokens_per_param(source)
    exponent = a2 - a3 * math.log(
        tokens_stage1 / (at or {}).get(N, 1.0) if per_param else tokens_stage1
    )
    if exponent > 0:
        return None
    stage1 = f"at {words.tokens(tokens_stage1)} stage-1 tokens"
    reason = f"{stage1} the fitted stage-2 exponent is {exponent:.3g}: the loss would not fall"
    reason = f"{reason} with more stage-2 tokens. {_limit(a2, a3, 'D1/N' if per_param else 'D1')}"
    if D1 not in source.ranges:
        return reason
    return f"{reason}; your runs end at D1 = {words.tokens(source.ranges[D1][1])}"


def _another_base(source: Source, tokens_stage1: float) -> str | None:
    """Return why a law of one base cannot be asked about this D1, None where it can."""
    if D1 not in source.law.single_level or tokens_stage1 <= 0 or D1 not in source.ranges:
        return None
    if speaks_of_base(source, np.array(tokens_stage1)):
        return None
    high = source.ranges[D1][1]
    return (
        f"the law {source.law.key} is fitted to one base, at D1 = {words.tokens(high)}, and says "
        f"nothing about one at {words.tokens(tokens_stage1)}; fit --law bootstrapped to runs from "
        "several bases"
    )


def speaks_of_base(source: Source, tokens_stage1: Floats) -> Bools:
    """Return, for each D1, whether it is the base of a law of one base; True for other laws."""
    if D1 not in source.law.single_level or D1 not in source.ranges:
        return np.ones(tokens_stage1.shape, dtype=bool)
    low, high = source.ranges[D1]
    least, most = low * (1 - SAME_LEVEL), high * (1 + SAME_LEVEL)
    return np.asarray((least <= tokens_stage1) & (tokens_stage1 <= most))


def invalid_scratch(source: Source) -> str | None:
    """Return why the source's scratch part cannot be asked, None where it can or has none."""
    if source.members:
        reasons = [invalid_scratch(member) for member in source.members]
        return reasons[0] if all(reasons) else None
    name = "b" if source.law.key == "chinchilla" else "a_s" if source.law.has_scratch_part else "a"
    if name not in source.law.names or source.value(name) > 0:
        return None
    return (
        f"the fitted exponent from scratch, {name} = {source.value(name):.3g}, is not positive: "
        "the loss would not fall with more tokens"
    )


def stage2_exponent_terms(source: Source) -> tuple[float, float] | None:
    """Return (a2, a3) of a product law, a3 = 0 where it has none; None for other laws."""
    key = source.law.stem
    if key in ("bootstrapped", "bootstrapped-joint", "tokens-per-param"):
        return source.value("a2"), source.value("a3")
    if key == "multiplicative":
        return source.value("a2"), 0.0
    return None


def stage2_exponents(
    source: Source, which: Indices, tokens_stage1: Floats, params: Floats | None
) -> Floats | None:
    """Return a2 - a3 ln D1 (k, n) of some parameter vectors of a product law, None of other laws.

    Parameters
    ----------
    which : (k,) the parameter vectors.
    tokens_stage1, params : (k, n) or (1, n); `params` is read by ``tokens-per-param`` alone.
    """
    if stage2_exponent_terms(source) is None:
        return None
    names = source.law.names
    a2, a3 = (
        source.params[which, names.index(name)][:, np.newaxis] if name in names else np.zeros(1)
        for name in ("a2", "a3")
    )
    per = params if params is not None and _reads_tokens_per_param(source) else 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(a2 - a3 * np.log(tokens_stage1 / per))


def _reads_tokens_per_param(source: Source) -> bool:
    return source.law.stem == "tokens-per-param"


def _limit(a2: float, a3: float, variable: str) -> str:
    if a3 == 0 or not -700 < a2 / a3 < 700:
        return f"That holds at every {variable}: the law does not describe these data"
    limit = words.tokens(math.exp(a2 / a3))
    side = "below" if a3 > 0 else "above"
    return f"The law holds for {variable} {side} exp(a2/a3) = {limit}"
