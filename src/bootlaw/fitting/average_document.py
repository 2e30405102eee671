"""Averages of laws as JSON documents, and files that hold a fit or an average."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.fitting import document as fits
from bootlaw.fitting.average import LawAverage
from bootlaw.fitting.result import Fit

KIND = "average"


def to_document(average: LawAverage) -> dict[str, Any]:
    """Return `average` as plain data."""
    return {
        "kind": KIND,
        "holdouts": list(average.holdouts),
        "laws": [
            {"law": fit.law.key, "error": error, "weight": float(weight), "fit": fit.to_json()}
            for fit, error, weight in zip(
                average.fits, average.errors, average.weights, strict=True
            )
        ],
        "left_out": [{"law": law, "reason": why} for law, why in average.left_out.items()],
    }


def from_document(document: Mapping[str, Any]) -> LawAverage:
    """Return the average in `document`; InputError where it is not one."""
    try:
        return LawAverage(
            fits=tuple(fits.from_document(one["fit"]) for one in document["laws"]),
            errors=tuple(float(one["error"]) for one in document["laws"]),
            holdouts=tuple(str(name) for name in document["holdouts"]),
            left_out={one["law"]: one["reason"] for one in document["left_out"]},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"not an average of laws ({type(error).__name__}: {error}); write one with bootlaw "
            "compare --out"
        ) from None


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
