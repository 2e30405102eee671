"""Tokens from scratch that reach the same loss: what a base is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1, D2
from bootlaw.planning.source import Source

Floats = NDArray[np.float64]

FEWEST, MOST = 1.0, 1e24
STEPS = 60
"""Bisections of ln tokens over 24 decades: to 5e-17 of the range, 1e-15 in ln tokens."""


def equivalent_tokens(scratch: Source, at: Mapping[str, float], losses: Floats) -> Floats:
    """Return tokens (r,) from scratch at which each parameter vector reaches each loss.

    Infinite where the law never gets there, as below its irreducible loss.

    Parameters
    ----------
    at : values of the law's variables other than tokens.
    losses : (r,) nats, one for each of the first r parameter vectors of `scratch`; where it has
        fewer, its point estimate serves all.
    """
    r = losses.size
    which = np.arange(r) if len(scratch.params) >= r else np.zeros(r, dtype=np.intp)

    def loss(ln_tokens: Floats) -> Floats:
        constant = {name: np.full((r, 1), value) for name, value in at.items()}
        tokens = np.exp(ln_tokens)[:, np.newaxis]
        columns = {**constant, D1: np.zeros((r, 1)), D2: tokens}
        return scratch.paired_loss(which, columns, "scratch")[:, 0]

    low, high = np.full(r, np.log(FEWEST)), np.full(r, np.log(MOST))
    never, always = loss(high) > losses, loss(low) <= losses
    for _ in range(STEPS):
        middle = (low + high) / 2
        above = loss(middle) > losses
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = np.exp((low + high) / 2)
    return np.where(never, np.inf, np.where(always, 0.0, found))
