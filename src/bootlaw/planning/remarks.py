"""What a reader of a plan must know beyond its numbers, in words."""

from __future__ import annotations

from collections.abc import Mapping

from bootlaw.laws.names import D2
from bootlaw.planning import words
from bootlaw.planning.duel import Duel
from bootlaw.planning.extrapolation import (
    decades_beyond,
    extrapolation_warnings,
    unearned_warnings,
)
from bootlaw.planning.source import Source


def source_warnings(*sources: Source) -> tuple[str, ...]:
    """Return the warnings that the sources carry, each once: a plan is no surer than its fit."""
    own = (warning for source in sources for warning in source.warnings)
    return tuple(dict.fromkeys((*other_papers(*sources), *own)))


def other_papers(*sources: Source) -> tuple[str, ...]:
    """Return a warning where laws are set against each other that may be of different texts."""
    origins = list(dict.fromkeys(source.origin or "your runs" for source in sources))
    if len(origins) < 2:
        return ()
    return (
        f"the laws are from {' and '.join(origins)}: their losses can be compared only if held-out "
        "text and tokenizer are the same, which nothing here can check",
    )


def no_interval(*sources: Source) -> str:
    """Return why an answer has no interval."""
    if any(source.published for source in sources):
        return "no interval: published coefficients come without a covariance"
    if any(source.n_replicates == 0 for source in sources):
        what = "laws have" if any(source.members for source in sources) else "fit has"
        return f"no interval: the {what} no bootstrap replicates (fit with --bootstrap 200)"
    return "no interval: the fit has no row to spare, so the noise of a run is unknown"


def scratch_tokens(duel: Duel, at: float | None, search: tuple[float, float]) -> float:
    """Return the tokens at which the verdict reads the scratch law, head start included.

    At the crossing `at`; without one, those of the searched range that are nearest to the runs.
    """
    low, high = (end + duel.head_start for end in ((at, at) if at is not None else search))
    return min(max(low, _least_scratch(duel)), high)


def scratch_decades(duel: Duel, at: float | None, search: tuple[float, float]) -> float:
    """Return the decades between `scratch_tokens` and the range the scratch law was fitted to."""
    beyond = decades_beyond(_scratch_range(duel), _scratch_asked(duel, at, search))
    return beyond.get("tokens_scratch", 0.0)


def scratch_warnings(duel: Duel, at: float | None, search: tuple[float, float]) -> tuple[str, ...]:
    """Return a warning where the scratch law is read beyond its runs, and reuse is not."""
    if duel.head_start == 0 and duel.rival is duel.reuse:
        return ()
    found = extrapolation_warnings(_scratch_range(duel), _scratch_asked(duel, at, search))
    if duel.head_start == 0:
        return found
    where = ":" if at is not None else ", so that even at the nearest D2 searched"
    start = f"starting over has D2 + {words.tokens(duel.head_start)} tokens{where}"
    return tuple(f"{start} {warning}" for warning in found)


def width_warnings(duel: Duel, asked: Mapping[str, float], at: float) -> tuple[str, ...]:
    """Return where the interval of a crossing at `at` has not earned its width."""
    if duel.n_replicates == 0:
        return ()
    scratch = {**duel.scratch_at, D2: at + duel.head_start}
    return (
        *unearned_warnings(duel.reuse, asked, "reuse"),
        *unearned_warnings(duel.rival, scratch, "scratch"),
    )


def search_warning(reuse: Source, search: tuple[float, float]) -> tuple[str, ...]:
    """Return a warning where a search without a crossing went beyond the fitted D2."""
    beyond = decades_beyond(reuse.ranges, {D2: search[1]}).get(D2, 0.0)
    if beyond == 0:
        return ()
    return (
        f"the search reached {beyond:.1f} decades beyond the fitted D2, where the verdict rests "
        "on the form of the laws",
    )


def _scratch_range(duel: Duel) -> dict[str, tuple[float, float]]:
    ranges = duel.rival.ranges
    return {"tokens_scratch": ranges[D2]} if D2 in ranges else {}


def _least_scratch(duel: Duel) -> float:
    return duel.rival.ranges[D2][0] if D2 in duel.rival.ranges else 0.0


def _scratch_asked(duel: Duel, at: float | None, search: tuple[float, float]) -> dict[str, float]:
    return {"tokens_scratch": scratch_tokens(duel, at, search)}
