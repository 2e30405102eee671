"""Peak learning rates to try, and why: from the parent's, or from what was published."""

from __future__ import annotations

import math

from bootlaw.growth.onward.facts import Grown, Known

_STEP_LAW_RATES = (1e-4, 7.9e-3)
"""Rates that Step Law is believed for: up to the largest that its authors tried, 2^-7."""


def peak_rates(grown: Grown, known: Known) -> tuple[tuple[float, ...], str]:
    """Return the rates to try, the most likely first, and the reason for them."""
    if known.peak_lr is not None:
        return _from_parent(grown, known, known.peak_lr)
    return _from_literature(grown, known)


def _from_literature(grown: Grown, known: Known) -> tuple[tuple[float, ...], str]:
    low, high = _STEP_LAW_RATES
    top = None if known.tokens is None else step_law_rate(grown.params, known.tokens)
    if top is not None and low <= top <= high:
        return (
            tuple(_two_digits(top / divisor) for divisor in (1, 3, 10)),
            "the parent's rate is not known. The first is Step Law's for this size and length "
            "from scratch (arXiv 2503.04715), an upper end for a model that has already learnt; "
            "the others are a third and a tenth of it",
        )
    reason = (
        "the parent's rate is not known; these span what published decoders used (Pythia: 1e-3 at "
        "70M to 1.2e-4 at 12B, arXiv 2304.01373)"
    )
    if top is not None:
        reason += f". Step Law's {top:.2g} for this size and length is too far from what it saw"
    return (1e-3, 3e-4, 1e-4), reason


def _from_parent(grown: Grown, known: Known, rate: float) -> tuple[tuple[float, ...], str]:
    if known.schedule_state == "cooled":
        return (
            tuple(_two_digits(rate / divisor) for divisor in (1, 3, 10)),
            "the parent is cooled down, so its rate must be raised again, and how far is a trade "
            "between learning and forgetting: its peak, a third and a tenth of it",
        )
    if grown.width > 1:
        return (rate, _two_digits(rate / grown.width)), _of_width(grown)
    if grown.experts is not None:
        return (
            (rate, _two_digits(rate / 3)),
            "the parent's rate, and a third of it: each expert now learns from a part of the "
            "tokens, which favours the larger, and the router is new, which favours the smaller",
        )
    if grown.preserving:
        return (rate,), "the function is preserved and the parent's rate was right for it"
    return (
        (rate, _two_digits(rate * 0.3)),
        "the parent's rate, and 0.3 of it: after stacking, the authors of arXiv 2405.15319 went "
        "from 1e-3 to 3e-4",
    )


def _of_width(grown: Grown) -> str:
    inputs = f"hidden matrices have {grown.width:g} times as many inputs"
    rule = "the 1/width rule of arXiv 2203.03466"
    if grown.tiled > 1:
        return (
            f"{inputs} and weights {grown.tiled:g} times smaller, so the parent's rate moves them "
            f"relatively faster; dividing by the width undoes that ({rule})"
        )
    return (
        f"the parent's weights kept their size, which its rate was right for; {inputs}, and a "
        f"recipe that scales the rate with them would divide it ({rule})"
    )


def step_law_rate(params: float, tokens: float) -> float:
    """Return the best peak rate from scratch, 1.79 N^-0.713 D^0.307 (arXiv 2503.04715).

    N are non-embedding parameters, D the tokens of the run.
    """
    return 1.79 * math.pow(params, -0.713) * math.pow(tokens, 0.307)


def step_law_batch(tokens: float) -> float:
    """Return the best batch from scratch in tokens, 0.58 D^0.571 (arXiv 2503.04715)."""
    return 0.58 * math.pow(tokens, 0.571)


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")
