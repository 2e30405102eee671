"""Whether a growth is checked, and in which arithmetic: asked for, or as memory allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.proof.batch import batch_shape
from bootlaw.growth.proof.memory import BYTES, available_memory, check_memory
from bootlaw.growth.size import bytes_text


@dataclass(frozen=True)
class CheckDecision:
    """How the check will be done, or why not."""

    dtype: str | None
    """Arithmetic; none where there is no check."""
    status: str
    """``planned``, ``off`` or ``skipped``."""
    reason: str
    needed: int | None
    """Bytes that the check takes."""


def decide_check(
    mode: str,
    dtype: str,
    stored: str,
    params: int,
    config: Mapping[str, Any],
    mixture: bool = False,
    available: int | None = None,
) -> CheckDecision:
    """Return how a growth to `params` parameters is checked.

    Parameters
    ----------
    mode
        ``auto``, ``on`` or ``off``.
    dtype
        ``auto`` or the arithmetic that is asked for.
    stored
        Coarsest dtype of the stored weights.
    params
        Parameters of the grown model in total.
    config
        Its ``config.json``.
    mixture
        Whether it is a mixture of experts.
    available
        Bytes of memory to be had; asked of the system where it is not given.

    Raises
    ------
    InputError
        When the check was asked for and cannot fit.
    """
    if mode == "off":
        return CheckDecision(None, "off", "switched off with --check off", None)
    free = available_memory() if available is None else available
    sequences, length = batch_shape(config)
    logits = sequences * length * int(config["vocab_size"])
    choices = _dtypes(dtype, stored)
    for choice in choices:
        needed = check_memory(params, choice, logits, mixture)
        if free is None or needed <= free:
            return CheckDecision(choice, "planned", f"takes about {bytes_text(needed)}", needed)
    needed = check_memory(params, choices[-1], logits, mixture)
    reason = (
        f"it takes {bytes_text(needed)} in {choices[-1]}, {bytes_text(free or 0)} are available"
    )
    if mode == "on":
        raise InputError(
            f"--check on: {reason}; use a machine with more memory, a smaller --check-dtype, or "
            "--check off"
        )
    return CheckDecision(None, "skipped", reason, needed)


def _dtypes(asked: str, stored: str) -> tuple[str, ...]:
    """Return the arithmetics to try, the finest first."""
    if asked != "auto":
        return (asked,)
    best = "float64" if stored == "float64" else "float32"
    return (best,) if BYTES[stored] >= BYTES[best] else (best, stored)
