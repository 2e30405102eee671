"""How numbers read in the sentences of an answer."""

from __future__ import annotations


def tokens(value: float) -> str:
    """Return a number of tokens with three significant digits: ``250k``, ``1.3B``, ``2.1e+16``."""
    for factor, suffix in ((1e15, None), (1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= factor * 0.9995:
            return f"{value / factor:.3g}{suffix}" if suffix else f"{value:.3g}"
    return f"{value:.3g}"


def count(value: float) -> str:
    """Return an amount of money, hours or energy with three significant digits: ``12,300``."""
    if not 0.01 <= abs(value) < 1e9:
        return tokens(value) if value >= 1e9 else f"{value:.3g}"
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def per_cent(share: float) -> str:
    """Return a share as per cent: ``95 %``, ``0.42 %``; nothing below one reads as 100 %."""
    text = f"{100 * share:.3g}"
    return f"{100 * share:.8g} %" if text == "100" and share < 1 else f"{text} %"


VARIABLES = {
    "tokens_stage1": "stage-1 tokens",
    "tokens_stage2": "stage-2 tokens",
    "tokens_scratch": "tokens from scratch",
    "params": "parameters",
}
"""Plain names of the variables a plan can leave the data in."""
