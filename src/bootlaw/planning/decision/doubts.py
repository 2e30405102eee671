"""Why nobody should act on options that were compared."""

from __future__ import annotations

from bootlaw.planning.decision.outcome import Outcome
from bootlaw.planning.verdict import out_of_sight


def doubts(outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    """Return why options, best first, give no verdict; empty where they do.

    One option alone is no comparison, and a verdict between the first two rests on the law's form
    where either lies more than three decades beyond the runs, as in ``plan allocate``.
    """
    if len(outcomes) == 1:
        return (
            f"only one option can be compared ({outcomes[0].name}), so there is nothing to decide "
            "between",
        )
    return tuple(
        f"{outcome.name}: its {reason}"
        for outcome in outcomes[:2]
        for reason in out_of_sight(outcome.extrapolation)
    )
