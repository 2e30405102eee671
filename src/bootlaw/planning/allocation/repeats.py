"""What repeated tokens are worth.

Repetitions of U unique tokens fade: D tokens in all are worth

    D' = U + U R* (1 - exp(-(D/U - 1) / R*)),  R* = 15.39

fresh ones (Muennighoff et al., arXiv 2305.16264, section 3 and appendix A). Fitted to runs from
scratch; that it holds for each stage of two is taken over, not shown. Up to four epochs cost
almost nothing there, at forty a further one brings nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

R_STAR = 15.387756
FREE_EPOCHS = 4.0
MOST_EPOCHS = 40.0


def effective_tokens(tokens: Floats, unique: float | None) -> Floats:
    """Return what tokens (any shape) drawn from `unique` ones are worth in fresh tokens."""
    if unique is None:
        return tokens
    repetitions = np.maximum(tokens / unique - 1.0, 0.0)
    repeated = unique * (1.0 + R_STAR * -np.expm1(-repetitions / R_STAR))
    return np.where(tokens > unique, repeated, tokens)


def too_often(tokens: Floats, unique: float | None) -> NDArray[np.bool_]:
    """Return where tokens would pass over `unique` ones more often than `MOST_EPOCHS` times."""
    limit = np.inf if unique is None else MOST_EPOCHS * unique * (1 + 1e-9)
    return np.asarray(tokens > limit)
