"""How far a grown model may differ from its parent before the growth has failed.

The numbers were measured on a trained four-layer Llama with logits of order 10, for operators
that preserve the function up to rounding, with a margin of about five over the largest
difference seen; they scale with the logits. The coarser of two roundings counts: that of the
stored weights and that of the arithmetic. Arithmetic in float64 is held to float32, because
transformers computes norms and softmaxes in float32 whatever the model's dtype.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bootlaw.growth.plan import Preservation
from bootlaw.growth.proof.differences import Differences

_REFERENCE_LOGIT = 10.0
_LOGITS = {"float64": 2e-5, "float32": 2e-5, "float16": 0.025, "bfloat16": 0.2}
"""Largest difference of a logit."""
_LOSS = {"float64": 1e-6, "float32": 1e-6, "float16": 1.25e-3, "bfloat16": 1e-2}
"""Largest change of the loss, nats per token."""
_LEAST_DIVERGENCE = 1e-9
"""Nats per token; differences of a logit of 2e-5 make less."""
_COARSENESS = tuple(_LOGITS)
FLOOR_FACTOR = 4.0
"""A preserved model may differ by this many times what rounding the parent's weights does."""


@dataclass(frozen=True)
class Tolerance:
    """The largest differences that a check accepts."""

    logits: float
    loss: float
    """Nats per token."""
    reason: str
    divergence: float = math.inf
    """Kullback-Leibler divergence, nats per token."""

    def accepts(self, found: Differences) -> bool:
        """Return whether all differences are within their bounds (NaN never is)."""
        return (
            found.logit <= self.logits
            and abs(found.loss) <= self.loss
            and found.divergence <= self.divergence
        )


def tolerance_for(
    preservation: Preservation, stored: str, computed: str, largest_logit: float
) -> Tolerance | None:
    """Return what an operator of this class is held to, or none where it promises nothing.

    Parameters
    ----------
    preservation
        The operator's declared class.
    stored, computed
        Names of the coarsest stored and of the arithmetic's dtype, as in ``float32``.
    largest_logit
        Largest absolute logit of the parent on the batch.
    """
    if preservation is Preservation.APPROXIMATE:
        return None
    if preservation is Preservation.EXACT:
        return Tolerance(0.0, 0.0, "an exact operator gives the same logits bit for bit")
    dtype = coarser(stored, computed)
    scale = max(largest_logit / _REFERENCE_LOGIT, 1.0)
    return Tolerance(
        _LOGITS[dtype] * scale,
        _LOSS[dtype] * scale,
        f"rounding in {dtype}, logits up to {largest_logit:.3g}",
    )


def from_floor(floor: Differences, at_least: Tolerance) -> Tolerance:
    """Return the tolerance that follows from this parent's own sensitivity to rounding.

    Deep and wide models amplify rounding more than the small one behind the table; the floor is
    what one rounding error in every weight does to the parent itself. The largest difference of a
    logit is that of a single token, which in a mixture of experts may have gone to another expert;
    the divergence, a mean over all, is bounded too. It grows with the square of an error: of
    operators that preserve the function it was at most half the floor on seven small models.
    """
    return Tolerance(
        max(at_least.logits, FLOOR_FACTOR * floor.logit),
        max(at_least.loss, FLOOR_FACTOR * abs(floor.loss)),
        f"{FLOOR_FACTOR:g} times what rounding every weight of the parent once more does to it",
        max(_LEAST_DIVERGENCE, FLOOR_FACTOR * floor.divergence),
    )


def coarser(first: str, second: str) -> str:
    """Return the dtype with the larger rounding error of the two."""
    return max(first, second, key=_COARSENESS.index)
