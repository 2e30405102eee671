"""Averages of laws as JSON documents, and files that hold a fit or an average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.fitting import document as fits
from bootlaw.fitting.average import LawAverage
from bootlaw.fitting.result import Fit

KIND = "average"

SAME_WEIGHT = 1e-6
"""Up to which a weight in a file is the one that its errors give."""


def to_document(average: LawAverage) -> dict[str, Any]:
    """Return `average` as plain data."""
    document = weights_document(average)
    for law, fit in zip(document["laws"], average.fits, strict=True):
        law["fit"] = fit.to_json()
    return document


def weights_document(average: LawAverage) -> dict[str, Any]:
    """Return `average` as plain data without its fits: laws, errors, weights."""
    return {
        "kind": KIND,
        "holdouts": list(average.holdouts),
        "laws": [
            {"law": fit.law.key, "error": error, "weight": float(weight)}
            for fit, error, weight in zip(
                average.fits, average.errors, average.weights, strict=True
            )
        ],
        "left_out": [{"law": law, "reason": why} for law, why in average.left_out.items()],
    }


def from_document(document: Mapping[str, Any]) -> LawAverage:
    """Return the average in `document`; InputError where it is not one."""
    try:
        laws = list(document["laws"])
        average = LawAverage(
            fits=tuple(fits.from_document(one["fit"]) for one in laws),
            errors=tuple(float(one["error"]) for one in laws),
            holdouts=_names(document["holdouts"]),
            left_out={one["law"]: one["reason"] for one in document["left_out"]},
        )
        _require_same(average, laws)
        return average
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"not an average of laws ({type(error).__name__}: {error}); write one with bootlaw "
            "compare --out"
        ) from None


def _names(written: Any) -> tuple[str, ...]:
    if not isinstance(written, list | tuple) or not all(isinstance(one, str) for one in written):
        raise TypeError(f"holdouts is {written!r}, not a list of names")
    return tuple(written)


def _require_same(average: LawAverage, laws: Sequence[Mapping[str, Any]]) -> None:
    """Refuse names and weights beside the fits that are not theirs: nothing would read them."""
    for fit, weight, one in zip(average.fits, average.weights.tolist(), laws, strict=True):
        if one["law"] != fit.law.key:
            raise InputError(f"a fit of {fit.law.key} is called {one['law']}")
        if not abs(float(one["weight"]) - weight) < SAME_WEIGHT:
            raise InputError(
                f"the weight of {fit.law.key} is {float(one['weight']):.3g}, and {weight:.3g} "
                "follows from the errors; average the laws again with bootlaw compare --out"
            )


def load(path: Path) -> Fit | LawAverage:
    """Return the fit or the average in a JSON file.

    Raises
    ------
    InputError
        When the file cannot be read, or holds neither.
    """
    document = fits.read_document(path)
    is_average = isinstance(document, Mapping) and document.get("kind") == KIND
    try:
        return from_document(document) if is_average else fits.from_document(document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
