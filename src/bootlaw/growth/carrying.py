"""What becomes of Adam's state when its model grows."""

from __future__ import annotations

from bootlaw.errors import InputError
from bootlaw.growth.plan import GrowthPlan, MomentRule

POLICIES = ("auto", "carry", "reset", "reset+warmup")
"""Carried by the operator's map; fresh; fresh, and the rate warms up again."""


def resolved_policy(plan: GrowthPlan, asked: str = "auto") -> str:
    """Return what is done: ``carry``, ``reset`` or ``reset+warmup``.

    ``auto`` carries where the operator's map of moments is exact, or exact up to deliberate
    noise, and otherwise starts afresh with a warm-up: sixty steps after stacking, carried
    moments were no better than fresh ones.

    Raises
    ------
    InputError
        For another word, or when the operator has no map to carry by.
    """
    if asked not in POLICIES:
        raise InputError(f"the optimiser policy is one of {', '.join(POLICIES)}; found {asked!r}")
    if asked == "carry" and plan.moments is None:
        raise InputError(
            f"{plan.operator} has no map of Adam's moments to carry; use reset or reset+warmup"
        )
    if asked != "auto":
        return asked
    fits = plan.moments is not None and plan.moment_rule is not MomentRule.HEURISTIC
    return "carry" if fits else "reset+warmup"
