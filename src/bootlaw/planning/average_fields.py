"""What averaged laws have together: their ranges, noise and misfits, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bootlaw.fitting import LawAverage
from bootlaw.fitting.misfit import Misfit
from bootlaw.laws.average import average_law
from bootlaw.planning.source import Floats, Source

SAID = 0.05
"""Weight below which a law, and what its fit warns of, is not mentioned."""

MOST = 0.8
"""Weight of the laws from which on what holds for them is said of the average."""


def together(members: Sequence[Source], weights: Floats, r: int) -> dict[str, Any]:
    """Return the fields of a source that laws have together, with `r` replicates."""
    own = np.hstack([member.params[: 1 + r] for member in members])
    scales = np.array([member.residual_scale for member in members])
    known = np.isfinite(scales)
    mean_square = np.average(scales[known] ** 2, weights=weights[known]) if known.any() else np.nan
    return {
        "law": average_law([member.law for member in members]),
        "params": np.hstack([own, np.broadcast_to(weights, (1 + r, len(members)))]),
        "ranges": _ranges(members),
        "eval_data": members[0].eval_data,
        "residual_scale": float(np.sqrt(mean_square)),
        "misfits": _shared_misfits(members, weights),
    }


def _ranges(members: Sequence[Source]) -> dict[str, tuple[float, float]]:
    """Return the range of each variable that any law reads, over the rows of all."""
    names = dict.fromkeys(name for member in members for name in member.ranges)
    own = {name: [one.ranges[name] for one in members if name in one.ranges] for name in names}
    return {
        name: (min(low for low, _ in ends), max(high for _, high in ends))
        for name, ends in own.items()
    }


def _shared_misfits(members: Sequence[Source], weights: Floats) -> tuple[Misfit, ...]:
    """Return along what most of the laws were held out, of each the misfit that reached least far.

    They say how wide intervals have earned to be; losses hold each law's own.
    """
    found: dict[tuple[str, str], list[Misfit]] = {}
    held: dict[tuple[str, str], float] = {}
    for member, weight in zip(members, weights.tolist(), strict=True):
        for one in member.misfits:
            key = (one.variable, one.rows)
            held[key] = held.get(key, 0.0) + weight
            if weight >= SAID:
                found.setdefault(key, []).append(one)
    return tuple(
        min(own, key=lambda one: one.decades) for key, own in found.items() if held[key] >= MOST
    )


def remarks_on(average: LawAverage, *, resampled: bool) -> tuple[str, ...]:
    """Return which laws are averaged, and what their fits warn of."""
    return (_said(average, resampled=resampled), *_warnings(average))


def _said(average: LawAverage, *, resampled: bool) -> str:
    """Return which laws are averaged with which weights, in words."""
    shares = [
        f"{fit.law.key} {weight:.2f}"
        for fit, weight in zip(average.fits, average.weights, strict=True)
        if weight >= SAID
    ]
    rest = len(average.fits) - len(shares)
    others = f" and {rest} of less weight" if rest else ""
    follows = "; a resample follows one of them" if resampled and len(average.fits) > 1 else ""
    method = f" ({average.best.method})" if average.best.method else ""
    return (
        f"laws averaged by their error on {' and '.join(average.holdouts)}{method}: "
        f"{', '.join(shares)}{others}{follows}"
    )


def _warnings(average: LawAverage) -> list[str]:
    """Return what the fits warn of, those that say the same together."""
    saying: dict[tuple[str, str], list[str]] = {}
    for fit, weight in zip(average.fits, average.weights, strict=True):
        if weight >= SAID:
            for remark in fit.diagnostics:
                if remark.severity == "warning":
                    saying.setdefault((remark.code, remark.message), []).append(fit.law.key)
    return [f"the {_warn(laws)} ({code}): {message}" for (code, message), laws in saying.items()]


def _warn(laws: Sequence[str]) -> str:
    if len(laws) == 1:
        return f"{laws[0]} fit warns"
    return f"{', '.join(laws[:-1])} and {laws[-1]} fits warn"
