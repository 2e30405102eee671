"""What becomes of Adam's state when its model grows."""

from __future__ import annotations

from bootlaw.errors import InputError
from bootlaw.growth.plan import GrowthPlan, MomentRule

POLICIES = ("auto", "carry", "reset", "reset+warmup")
"""Carried by the operator's map; fresh; fresh, and the rate warms up again."""


def resolved_policy(plan: GrowthPlan, asked: str = "auto", *, saved: bool = True) -> str:
    """Return what is done: ``carry``, ``reset`` or ``reset+warmup``.

    ``auto`` carries where the operator's map of moments is exact, or exact up to deliberate
    noise, and otherwise starts afresh with a warm-up: sixty steps after stacking, carried
    moments were no better than fresh ones.

    Parameters
    ----------
    plan
        A growth operator's result.
    asked
        One of `POLICIES`.
    saved
        Whether the parent's checkpoint holds the optimiser's state.

    Raises
    ------
    InputError
        For another word, when the operator has no map to carry by, or nothing to carry is there.
    """
    if asked not in POLICIES:
        raise InputError(f"the optimiser policy is one of {', '.join(POLICIES)}; found {asked!r}")
    if not saved:
        if asked == "carry":
            raise InputError(
                "the checkpoint holds weights and no optimiser state to carry; use reset or "
                "reset+warmup"
            )
        return "reset" if asked == "reset" else "reset+warmup"
    if asked == "carry" and plan.moments is None:
        raise InputError(
            f"{plan.operator} has no map of Adam's moments to carry; use reset or reset+warmup"
        )
    if asked != "auto":
        return asked
    fits = plan.moments is not None and plan.moment_rule is not MomentRule.HEURISTIC
    return "carry" if fits else "reset+warmup"
