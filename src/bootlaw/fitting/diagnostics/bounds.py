"""Parameters on their bounds, and an irreducible loss that cannot be told from none."""

from __future__ import annotations

from collections.abc import Iterator

from bootlaw.fitting.evidence import Diagnostic, Evidence

TOUCHING = 1e-9
"""Relative distance from a bound within which a parameter lies on it."""

CLEAR_GAIN = 2.0
"""Gain in units of noise (a log likelihood ratio) from which E is told from 0; chi-square with
one degree of freedom exceeds twice this value with a probability of 4.6 %."""


def _constant_is_open(e: Evidence) -> bool:
    """Return whether E lies on a plateau, so that its value here is an arbitrary pick."""
    return e.plateau is not None and e.law.irreducible in e.plateau.moving


def _fits_constant(e: Evidence) -> bool:
    """Return whether there is an irreducible loss to say something about."""
    return (
        e.identifiable
        and e.law.irreducible is not None
        and e.law.irreducible not in e.fixed
        and not _constant_is_open(e)
    )


def _at_zero(e: Evidence) -> Iterator[Diagnostic]:
    if not (e.optimum.at_zero and _fits_constant(e)) or e.law.irreducible in e.bounds:
        return
    yield Diagnostic(
        "at_bound",
        f"{e.law.irreducible} lies on its bound 0: the losses show no floor, so predictions far "
        "beyond the data are too low; add runs with more tokens",
        "warning",
        0.0,
    )


def _at_users_bound(e: Evidence) -> Iterator[Diagnostic]:
    for name, ends in e.bounds.items():
        value = e.value(name)
        touched = [end for end in ends if abs(value - end) <= TOUCHING * max(abs(end), 1e-3)]
        if name in e.fixed or not touched or ends[0] == ends[1]:
            continue
        side = "lower" if touched[0] == ends[0] else "upper"
        yield Diagnostic(
            "at_bound",
            f"{name} lies on its {side} bound {touched[0]:.6g}: the data would take it further, "
            "and the other parameters make up for it; widen the bound, or fix it on purpose",
            "warning",
            touched[0],
        )


def _e_not_identified(e: Evidence) -> Iterator[Diagnostic]:
    name = e.law.irreducible
    if name is None or not _fits_constant(e) or e.optimum.at_zero:
        return
    freedom = max(len(e.rows.table) - e.values.size, 1)
    best = max(e.optimum.objective, 1e-300)
    gain = freedom * (e.optimum.face_objective - e.optimum.objective) / best
    touches = e.bootstrap is not None and e.interval(name)[0] <= 1e-6
    if gain >= CLEAR_GAIN and not touches:
        return
    low = f"; its interval reaches down to {e.interval(name)[0]:.3g}" if touches else ""
    yield Diagnostic(
        "e_not_identified",
        f"{name} = {e.value(name):.4g} cannot be told from 0 (leaving it out costs {gain:.2g} "
        f"units of noise{low}): extrapolations rest on it; add runs with more tokens",
        "warning",
        gain,
    )


CHECKS = (_at_zero, _at_users_bound, _e_not_identified)
