"""Fits as JSON documents; floats are written so that they read back bit for bit."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.fitting.evidence import Diagnostic
from bootlaw.fitting.result import Estimate, Fit

_PLAIN = (
    "delta",
    "level",
    "n_rows",
    "n_dropped",
    "status",
    "method",
    "resample",
    "source",
    "seconds",
    "version",
)
_MAYBE_NAN = ("objective", "rms_log", "residual_scale")


def to_document(fit: Fit) -> dict[str, Any]:
    """Return `fit` as plain data; numbers that are not finite become None."""
    return {
        "law": fit.law.key,
        "formula": fit.law.formula,
        "params": {
            name: {
                "value": _number(e.value),
                "lower": _number(e.lower),
                "upper": _number(e.upper),
                "unit": e.unit,
            }
            for name, e in fit.estimates.items()
        },
        **{name: _number(getattr(fit, name)) for name in _MAYBE_NAN},
        **{name: getattr(fit, name) for name in _PLAIN},
        "diagnostics": [d.to_json() for d in fit.diagnostics],
        "n_bootstrap": len(fit.replicates),
        "ranges": {name: list(ends) for name, ends in fit.ranges.items()},
        "rows_used": list(fit.rows_used),
        "replicates": fit.replicates.tolist(),
    }


def from_document(document: Mapping[str, Any]) -> Fit:
    """Return the fit in `document`; InputError where it is not one."""
    try:
        return _restore(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"not a fit ({type(error).__name__}: {error}); write one with bootlaw fit --out"
        ) from None


def _restore(document: Mapping[str, Any]) -> Fit:
    law = laws.get(document["law"])
    params = document["params"]
    estimates = {name: _estimate(params[name]) for name in law.names}
    numbers: dict[str, Any] = {name: _nan_if_none(document[name]) for name in _MAYBE_NAN}
    replicates = np.array(document["replicates"], dtype=np.float64)
    return Fit(
        law=law,
        values=np.array([estimates[name].value for name in law.names]),
        estimates=estimates,
        replicates=replicates.reshape(-1, len(law.names)),
        diagnostics=tuple(Diagnostic(**d) for d in document["diagnostics"]),
        ranges={name: (ends[0], ends[1]) for name, ends in document["ranges"].items()},
        rows_used=tuple(document["rows_used"]),
        **numbers,
        **{name: document[name] for name in _PLAIN},
    )


def write(fit: Fit, path: Path) -> None:
    """Write `fit` to `path` in one step."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; create it first")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(to_document(fit), indent=1, allow_nan=False), encoding="utf-8")
    os.replace(partial, path)


def read(path: Path) -> Fit:
    """Return the fit in the file `path`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(
            f"{path}: not a fit (not JSON); write one with bootlaw fit --out"
        ) from None
    try:
        return from_document(document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _estimate(entry: Mapping[str, Any]) -> Estimate:
    return Estimate(_nan_if_none(entry["value"]), entry["lower"], entry["upper"], entry["unit"])


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _nan_if_none(value: float | None) -> float:
    return math.nan if value is None else float(value)
