"""Contests of the same laws on the same rows, one per hold-out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from numpy.typing import ArrayLike

from bootlaw.errors import UndeterminedError
from bootlaw.fitting.scoreboard import Comparison
from bootlaw.fitting.scoreboard_text import LEGEND, forecast_lines, not_applicable, summarise


@dataclass(frozen=True)
class Skipped:
    """A hold-out that the rows do not allow, and why."""

    holdout: str
    reason: str


@dataclass(frozen=True)
class Comparisons:
    """The contests of several hold-outs, in the order asked for.

    Attributes
    ----------
    contests : one per hold-out that the rows allow, at least one.
    skipped : the other hold-outs, with the reason.
    """

    contests: tuple[Comparison, ...]
    skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.contests)

    def __getitem__(self, holdout: str) -> Comparison:
        """Return the contest on one hold-out; KeyError where it was not held."""
        return {contest.holdout: contest for contest in self.contests}[holdout]

    @property
    def is_contest(self) -> bool:
        """Whether at least one hold-out has two laws to compare."""
        return any(contest.is_contest for contest in self.contests)

    @property
    def only_law_fitted(self) -> bool:
        """Whether one law alone was entered, and could be fitted."""
        return any(contest.only_law_fitted for contest in self.contests)

    def with_forecast(
        self, columns: Mapping[str, ArrayLike], *, level: float = 0.95
    ) -> Comparisons:
        """Return the contests with the ensemble forecast of each, by its own weights.

        One without a law to forecast with stays without; UndeterminedError where all do.
        """
        found: list[Comparison] = []
        for contest in self.contests:
            try:
                found.append(contest.with_forecast(columns, level=level))
            except UndeterminedError:
                found.append(contest)
        if all(contest.forecast is None for contest in found):
            raise UndeterminedError("no law could be fitted with a weight: no forecast")
        return replace(self, contests=tuple(found))

    def to_json(self) -> dict[str, Any]:
        """Return one document with those of the contests under `holdouts`."""
        return {
            "method": self.contests[0].method,
            "holdouts": [contest.to_json() for contest in self.contests],
            "skipped": [asdict(skipped) for skipped in self.skipped],
        }

    def summary(self) -> str:
        """Return one table per hold-out, and what they share once."""
        tables = [
            summarise(replace(contest, forecast=None, remarks=()), legend=False, absent=False)
            for contest in self.contests
        ]
        forecasts = [
            "\n".join([f"{c.holdout}: {lines[0]}", *lines[1:]])
            for c in self.contests
            if c.forecast is not None
            for lines in [forecast_lines(c.forecast)]
        ]
        skipped = [f"{skip.holdout}: not held, {skip.reason}" for skip in self.skipped]
        ends = [
            LEGEND,
            list(self.contests[0].remarks),
            skipped,
            not_applicable(self.contests[0].not_applicable),
        ]
        closing = ["\n".join(lines) for lines in ends if lines]
        return "\n\n".join([*tables, *forecasts, *closing])
