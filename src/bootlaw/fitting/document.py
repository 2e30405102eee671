"""Fits as JSON documents; floats are written so that they read back bit for bit."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bootlaw import laws
from bootlaw.atomic import write_text
from bootlaw.errors import InputError
from bootlaw.fitting.evidence import Diagnostic
from bootlaw.fitting.misfit import Misfit
from bootlaw.fitting.result import Estimate, Fit, Status

_PLAIN = (
    "delta",
    "loss",
    "scale",
    "fixed",
    "tied",
    "level",
    "n_rows",
    "n_dropped",
    "status",
    "method",
    "resample",
    "source",
    "seconds",
    "version",
    "eval_data",
)
_DEFAULTS: Mapping[str, Any] = {
    "loss": "huber",
    "scale": "log",
    "fixed": {},
    "tied": {},
    "eval_data": "",
}
"""What fits written before these fields existed were fitted with."""

_MAYBE_NAN = ("objective", "objective_standard", "rms_log", "residual_scale")


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
        "profiles": {n: [_number(low), _number(high)] for n, (low, high) in fit.profiles.items()},
        "misfits": [one.to_json() for one in fit.misfits],
        "n_bootstrap": len(fit.replicates),
        "ranges": {name: list(ends) for name, ends in fit.ranges.items()},
        "rows_used": list(fit.rows_used),
        "replicates": fit.replicates.tolist(),
    }


def from_document(document: Mapping[str, Any]) -> Fit:
    """Return the fit in `document`; InputError where it is not one."""
    if not isinstance(document, Mapping):
        raise InputError(
            f"not a fit but a {type(document).__name__}: give the dictionary that to_json "
            "returns (json.loads of a text), or read a file with Fit.load"
        )
    if document.get("kind") == "average":
        raise InputError(
            "several laws averaged, where a fit of one law is asked for; write one with bootlaw "
            "fit --out"
        )
    try:
        return _restore(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"not a fit ({type(error).__name__}: {error}); write one with bootlaw fit --out"
        ) from None


def _restore(document: Mapping[str, Any]) -> Fit:
    law = laws.get(document["law"])
    params = document["params"]
    estimates = {name: _estimate(params[name]) for name in law.names}
    numbers: dict[str, Any] = {name: _nan_if_none(document.get(name)) for name in _MAYBE_NAN}
    replicates = np.array(document["replicates"], dtype=np.float64)
    fit = Fit(
        law=law,
        values=np.array([estimates[name].value for name in law.names]),
        estimates=estimates,
        replicates=replicates.reshape(-1, len(law.names)),
        diagnostics=tuple(Diagnostic(**d) for d in document["diagnostics"]),
        ranges={name: (ends[0], ends[1]) for name, ends in document["ranges"].items()},
        rows_used=tuple(document["rows_used"]),
        misfits=tuple(Misfit.from_json(one) for one in document.get("misfits", ())),
        profiles={n: _interval(ends) for n, ends in document.get("profiles", {}).items()},
        **numbers,
        **{name: document.get(name, _DEFAULTS.get(name)) for name in _PLAIN},
    )
    _require_sense(fit)
    return fit


def _require_sense(fit: Fit) -> None:
    """Refuse what no fit can say: another status, lost numbers, ranges of other variables."""
    known = get_args(Status)
    if fit.status not in known:
        raise _damaged(f"status {fit.status!r} is none of {', '.join(known)}")
    lost = [n for n, v in zip(fit.law.names, fit.values, strict=True) if not math.isfinite(v)]
    if fit.status == "converged" and lost:
        raise _damaged(f"it says converged, but {', '.join(lost)} has no value")
    _check_signs(fit)
    if not np.isfinite(fit.replicates).all():
        raise _damaged("its replicates have values that are not finite")
    for name in fit.law.variables:
        low, high = fit.ranges.get(name, (math.nan, math.nan))
        # NaN fails every comparison.
        if not 0 <= low <= high < math.inf:
            raise _damaged(f"its ranges lack the least and greatest {name}")


def _check_signs(fit: Fit) -> None:
    """Refuse amounts below zero, of which no law has a loss, and a noise below zero."""
    amounts = np.flatnonzero(fit.law.logged)
    rows = np.vstack([fit.values, fit.replicates])[:, amounts]
    if (rows < 0).any():
        name = fit.law.names[amounts[int(np.argmax((rows < 0).any(axis=0)))]]
        raise _damaged(f"{name}, an amount, is below zero")
    if fit.residual_scale < 0:
        raise _damaged("its residual_scale is below zero")


def _damaged(found: str) -> InputError:
    return InputError(f"a damaged fit ({found}); write it again with bootlaw fit --out")


def require_writable(path: Path) -> None:
    """Raise InputError where `write` could not write `path`."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it, such as {path / 'fit.json'}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; create it first")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def write(fit: Fit, path: Path) -> None:
    """Write `fit` to `path` in one step."""
    write_document(to_document(fit), path)


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write plain data to `path` as JSON in one step; InputError where that is not possible."""
    require_writable(path)
    text = json.dumps(document, indent=1, allow_nan=False)
    try:
        write_text(path, text)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror}); choose another place")


def read(path: Path) -> Fit:
    """Return the fit in the file `path`."""
    document = read_document(path)
    try:
        return from_document(document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_document(path: Path) -> Any:
    """Return the JSON document in the file `path`; InputError where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(
            f"{path}: not a fit (not JSON); write one with bootlaw fit --out"
        ) from None


def _estimate(entry: Mapping[str, Any]) -> Estimate:
    return Estimate(_nan_if_none(entry["value"]), entry["lower"], entry["upper"], entry["unit"])


def _interval(ends: Sequence[float | None]) -> tuple[float, float]:
    """Return the ends of an interval; an open end was written as null."""
    low, high = ends
    return -math.inf if low is None else low, math.inf if high is None else high


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _nan_if_none(value: float | None) -> float:
    return math.nan if value is None else float(value)
