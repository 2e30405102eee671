"""The outcome of a contest of laws, best first, as data and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FEW_ROWS = 20
"""Held-out rows below which weights and small differences of error mean little."""


@dataclass(frozen=True)
class ComparisonRow:
    """One law's score.

    Attributes
    ----------
    law, n_params : its key and the number of its parameters.
    rms_log_in, rms_log_out : root mean square log error over the fitted and over the held-out
        rows; None where the law could not be fitted.
    rms_log_all : the same in a fit to all rows.
    coverage90_out : share of held-out rows inside their 90 % prediction interval; None without
        bootstrap or where a fit did not converge.
    weight : stacking weight; the weights of all fitted laws sum to 1. They say how to mix the
        laws for these held-out rows, not how probable a law is, and on a handful of rows they
        say next to nothing.
    tie : whether the held-out rows cannot tell the law from the best one, which ties with
        itself; False where only one law could be fitted.
    status, reason : the worst status of the law's fits, and why it is not ``converged``.
    """

    law: str
    n_params: int
    rms_log_in: float | None
    rms_log_out: float | None
    coverage90_out: float | None
    weight: float | None
    tie: bool
    status: str
    rms_log_all: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Comparison:
    """A contest of laws on the same rows.

    Attributes
    ----------
    rows : the laws, smallest held-out error first, those that could not be fitted last.
    n_in : rows in a fit, the fewest where there are several.
    n_out : held-out rows, of all folds together.
    method : the method of the rows.
    n_folds : fits per law, each with other rows held out.
    """

    holdout: str
    rows: tuple[ComparisonRow, ...]
    n_in: int
    n_out: int
    method: str
    n_folds: int = 1

    @property
    def fitted(self) -> tuple[ComparisonRow, ...]:
        """The laws that could be fitted, best first."""
        return tuple(row for row in self.rows if row.rms_log_out is not None)

    @property
    def any_fitted(self) -> bool:
        """Whether any law could be fitted."""
        return bool(self.fitted)

    @property
    def is_contest(self) -> bool:
        """Whether there are at least two laws to compare."""
        return len(self.fitted) > 1

    @property
    def only_law_fitted(self) -> bool:
        """Whether one law alone was entered, and could be fitted."""
        return len(self.rows) == len(self.fitted) == 1

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``compare``."""
        return {
            "holdout": self.holdout,
            "method": self.method,
            "n_in": self.n_in,
            "n_out": self.n_out,
            "n_folds": self.n_folds,
            "rows": [asdict(row) for row in self.rows],
        }

    def summary(self) -> str:
        """Return a table for people and the outcome in words."""
        why = [f"{row.law}: {row.reason}" for row in self.rows if row.reason is not None]
        table = [*_table(self.rows), "", *_LEGEND]
        return "\n".join([self._head(), "", *table, "", *self._words(), *why])

    def _head(self) -> str:
        if self.n_folds > 1:
            return (
                f"{self.method}: {self.n_out} rows in {self.n_folds} folds, each row held out "
                f"once ({self.holdout})"
            )
        return f"{self.method}: fitted {self.n_in} rows, held out {self.n_out} ({self.holdout})"

    def _words(self) -> list[str]:
        if not self.any_fitted:
            return ["no law could be fitted to these rows"]
        if not self.is_contest:
            entered = "was entered" if len(self.rows) == 1 else "could be fitted"
            return [f"only {self.fitted[0].law} {entered}: no contest"]
        tied = [row.law for row in self.rows if row.tie]
        words = (
            f"{_listed(tied)} tie on the held-out rows"
            if len(tied) > 1
            else f"{tied[0]} predicts the held-out rows best; no other law ties with it"
        )
        few = f"{self.n_out} held-out rows are few: weights and small differences mean little"
        return [words, few] if self.n_out < FEW_ROWS else [words]


_HEADINGS = ("law", "params", "in", "out", "all", "in 90 %", "weight", "tie", "status")


_LEGEND = (
    "in, out, all: RMS of log loss in per cent over fitted and held-out rows, and in a fit to all",
    "weight: share in the best mix of laws (stacking), not a ranking; tie: within noise of best",
)


def _table(rows: tuple[ComparisonRow, ...]) -> list[str]:
    """Return the lines of the table; errors are per cent of the loss, RMS."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    return ["  ".join(_padded(line, widths)).rstrip() for line in cells]


def _padded(line: tuple[str, ...], widths: list[int]) -> list[str]:
    texts = {0, len(widths) - 2, len(widths) - 1}
    return [
        cell.ljust(width) if column in texts else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _cells(row: ComparisonRow) -> tuple[str, ...]:
    def share(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{100 * value:.{digits}f} %"

    return (
        row.law,
        str(row.n_params),
        share(row.rms_log_in, 2),
        share(row.rms_log_out, 2),
        share(row.rms_log_all, 2),
        share(row.coverage90_out, 0),
        "-" if row.weight is None else f"{row.weight:.2f}",
        "tie" if row.tie else "",
        row.status.replace("_", " "),
    )


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
