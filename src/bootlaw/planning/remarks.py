"""What a reader of a plan must know beyond its numbers, in words."""

from __future__ import annotations

from bootlaw.fitting import Fit
from bootlaw.planning import words
from bootlaw.planning.duel import Duel
from bootlaw.planning.extrapolation import decades_beyond, extrapolation_warnings


def fit_warnings(*fits: Fit) -> tuple[str, ...]:
    """Return the warnings that the fits carry, each once: a plan is no surer than its fit."""
    return tuple(
        dict.fromkeys(
            f"the {fit.law.key} fit warns ({remark.code}): {remark.message}"
            for fit in fits
            for remark in fit.diagnostics
            if remark.severity == "warning"
        )
    )


def scratch_tokens(duel: Duel, at: float | None, search: tuple[float, float]) -> float:
    """Return the tokens at which the verdict reads the scratch law, head start included.

    At the crossing `at`; without one, those of the searched range that are nearest to the runs.
    """
    low, high = (end + duel.head_start for end in ((at, at) if at is not None else search))
    return min(max(low, duel.rival.ranges["tokens_stage2"][0]), high)


def scratch_decades(duel: Duel, at: float | None, search: tuple[float, float]) -> float:
    """Return the decades between `scratch_tokens` and the range the scratch law was fitted to."""
    return decades_beyond(_scratch_range(duel), _scratch_asked(duel, at, search))["tokens_scratch"]


def scratch_warnings(duel: Duel, at: float | None, search: tuple[float, float]) -> tuple[str, ...]:
    """Return a warning where the scratch law is read beyond its runs, and reuse is not."""
    if duel.head_start == 0 and duel.rival is duel.fit:
        return ()
    found = extrapolation_warnings(_scratch_range(duel), _scratch_asked(duel, at, search))
    if duel.head_start == 0:
        return found
    where = ":" if at is not None else ", so that even at the nearest D2 searched"
    start = f"starting over has D2 + {words.tokens(duel.head_start)} tokens{where}"
    return tuple(f"{start} {warning}" for warning in found)


def search_warning(fit: Fit, search: tuple[float, float]) -> tuple[str, ...]:
    """Return a warning where a search without a crossing went beyond the fitted D2."""
    beyond = decades_beyond(fit.ranges, {"tokens_stage2": search[1]})["tokens_stage2"]
    if beyond == 0:
        return ()
    return (
        f"the search reached {beyond:.1f} decades beyond the fitted D2, where the verdict rests "
        "on the form of the laws",
    )


def _scratch_range(duel: Duel) -> dict[str, tuple[float, float]]:
    return {"tokens_scratch": duel.rival.ranges["tokens_stage2"]}


def _scratch_asked(duel: Duel, at: float | None, search: tuple[float, float]) -> dict[str, float]:
    return {"tokens_scratch": scratch_tokens(duel, at, search)}
