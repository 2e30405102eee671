"""What a model takes: bytes on disk and bytes while it is trained, from counts alone."""

from __future__ import annotations

from dataclasses import dataclass

from bootlaw.errors import InputError


@dataclass(frozen=True)
class Precision:
    """Bytes a trained parameter takes, by what for."""

    weights: int
    gradients: int
    master: int
    """A float32 copy of the weights, which the optimiser updates."""
    moments: int
    """AdamW's two."""
    meaning: str

    @property
    def total(self) -> int:
        """Bytes a trained parameter."""
        return self.weights + self.gradients + self.master + self.moments


PRECISIONS = {
    "mixed": Precision(2, 2, 4, 8, "bfloat16 weights and gradients, float32 master and moments"),
    "float32": Precision(4, 4, 0, 8, "float32 throughout"),
    "bfloat16": Precision(2, 2, 0, 4, "bfloat16 throughout, moments included"),
}
"""Kinds of training. Mixed is the 16 bytes a parameter of ZeRO (arXiv 1910.02054, section 3.1)."""


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes of weights, gradients and AdamW's state over all devices, without activations."""

    precision: str
    weights: int
    gradients: int
    master: int
    moments: int
    total: int
    how: str
    """The sum in words."""


def training_memory(params: int, precision: str, frozen: int = 0) -> TrainingMemory:
    """Return what training takes, activations and buffers excluded.

    Parameters
    ----------
    params
        Trained and frozen parameters.
    precision
        One of `PRECISIONS`.
    frozen
        How many of them are frozen: these take their weights only.

    Raises
    ------
    InputError
        For an unknown precision.
    """
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise InputError(f"precision must be one of {known}, found {precision!r}")
    kind = PRECISIONS[precision]
    trained = params - frozen
    parts = (
        kind.weights * params,
        kind.gradients * trained,
        kind.master * trained,
        kind.moments * trained,
    )
    each = f"{kind.weights} weights + {kind.gradients} gradients"
    each += f" + {kind.master} master copy" if kind.master else ""
    how = f"{each} + {kind.moments} AdamW moments = {kind.total} bytes a parameter"
    if frozen:
        how += f", {kind.weights} for the {frozen} frozen ones"
    return TrainingMemory(
        precision, *parts, sum(parts), f"{how} ({kind.meaning}); activations come on top"
    )


def bytes_text(value: float) -> str:
    """Return bytes in words: ``13.5 GB`` (decimal units)."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def count_text(value: float) -> str:
    """Return a count in words: ``1.24B``."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"
