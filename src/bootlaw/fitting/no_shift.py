"""The no-shift control: is the law of two stages needed where the text does not change?

Where stage 2 continues on the text of stage 1, one would expect that a token counts the same in
either stage, so that total tokens describe the runs (the null of arXiv 2510.06548). If the main law
predicts such runs better all the same, its interaction is not a matter of the shift of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.compare import contest_all, contest_splits, pooled_clusters
from bootlaw.fitting.contestants import Field, named_field
from bootlaw.fitting.holdouts import HOLDOUTS, require_holdout
from bootlaw.fitting.ratios import ErrorRatio, HeldOutPair, error_ratio
from bootlaw.fitting.scores import Fits, Options
from bootlaw.fitting.several import Comparisons
from bootlaw.runs import RunTable, read_runs

Verdict = Literal["main_law", "total_tokens", "tie", "undetermined"]

MAIN, BRIDGE, TOTAL = "bootstrapped", "multiplicative", "total-tokens"
"""The law with interaction, the one without, and the null."""


@dataclass(frozen=True)
class NoShift:
    """The outcome of the control.

    Attributes
    ----------
    verdict : ``main_law`` where it predicts better than total tokens beyond chance,
        ``total_tokens`` where it is the other way round, ``tie``, or ``undetermined`` where one
        of the two could not be fitted for any hold-out, or one cluster is all that was held out.
    rows : ``same-text`` where the runs are those with data1 = data2, ``all`` otherwise.
    note : what to know about the rows, empty where there is nothing.
    ratio, bridge : held-out error of total tokens, and of the multiplicative law, over that of
        the main law; None where undetermined. The bridge tells a gain from counting the stages
        apart from one by their interaction.
    comparisons : the contests behind it.
    """

    verdict: Verdict
    rows: Literal["same-text", "all"]
    note: str
    n_rows: int
    ratio: ErrorRatio | None
    bridge: ErrorRatio | None
    comparisons: Comparisons

    def words(self) -> str:
        """Return the verdict in words with its numbers."""
        if self.ratio is None:
            return self._no_verdict()
        if self.verdict == "undetermined":
            return (
                "No verdict, because the rows held out are one, or of one trunk: there total "
                f"tokens errs {self.ratio.words()} as much as the main law, by chance or not. Add "
                "runs, or choose another hold-out."
            )
        n, all_held = self.ratio.n_holdouts, len(self.comparisons.contests)
        over = f"{n} hold-out{'s' * (n > 1)}" if n == all_held else f"{n} of {all_held} hold-outs"
        verdict = (
            f"{_OPENINGS[self.verdict]} over {over} total tokens errs {self.ratio.words()} as much "
            "as the main law."
        )
        if self.bridge is None:
            return verdict
        return (
            f"{verdict} The law without interaction ({BRIDGE}) errs {self.bridge.words()} as much."
        )

    def _no_verdict(self) -> str:
        """Return which of the two laws these rows could not give in the first contest, and why."""
        lost = [row for row in self.comparisons.contests[0].rows if row.rms_log_out is None]
        why = "; ".join(f"{row.law}: {row.reason or row.status}" for row in lost)
        return f"No verdict, because no hold-out leaves rows that determine both laws ({why})."

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``compare --no-shift``."""
        return {
            "control": "no-shift",
            "verdict": self.verdict,
            "words": self.words(),
            "rows_used": self.rows,
            "note": self.note or None,
            "n_rows": self.n_rows,
            "error_ratio": None if self.ratio is None else asdict(self.ratio),
            "error_ratio_multiplicative": None if self.bridge is None else asdict(self.bridge),
            **self.comparisons.to_json(),
        }

    def summary(self) -> str:
        """Return the verdict, the note and the contests as text."""
        which = "with data1 = data2" if self.rows == "same-text" else "of the method"
        head = f"no-shift control on {self.n_rows} rows {which}"
        note = [f"note: {self.note}"] if self.note else []
        return "\n".join([head, *note, self.words(), "", self.comparisons.summary()])


_OPENINGS = {
    "main_law": "The main law beats total tokens:",
    "total_tokens": "Total tokens suffices and beats the main law:",
    "tie": "A tie, so total tokens, the law with fewer parameters, suffices for these runs:",
}


def no_shift(
    table: Any,
    *,
    method: str | None = None,
    where: str | None = None,
    holdouts: Sequence[str] = HOLDOUTS,
    delta: float | Literal["auto"] = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> NoShift:
    """Return whether the main law beats total tokens where stage 2 continues on the same text.

    The rows are those with data1 = data2 where the table has any, else all rows of the method,
    with a note. The verdict is about the ratio of the two laws' held-out errors, averaged over the
    hold-outs that the rows allow, with a 95 % interval from leaving out one trunk at a time.

    Parameters
    ----------
    table : whatever `bootlaw.runs.read_runs` takes, or a RunTable.
    method, where : which rows to use.
    holdouts : those to hold, where the rows allow them; see `bootlaw.fitting.compare`.
    delta, bootstrap, seed : as in `compare`.

    Raises
    ------
    InputError
        When the rows or an option make no sense here.
    UndeterminedError
        When the rows allow no hold-out.
    """
    for name in holdouts:
        require_holdout(name)
    runs = table if isinstance(table, RunTable) else read_runs(table)
    chosen, note = _rows_without_shift(runs, method, where)
    field = named_field(chosen, [MAIN, BRIDGE, TOTAL], method, where)
    fits = Fits(field.rows, Options(delta, bootstrap, seed))
    comparisons = contest_all(field, fits, tuple(dict.fromkeys(holdouts)))
    pooled = [_held_out(field, fits, contest.holdout) for contest in comparisons]
    ratio = error_ratio(_pairs(pooled, TOTAL))
    return NoShift(
        verdict=_verdict(ratio),
        rows="all" if note else "same-text",
        note=note,
        n_rows=len(field.rows),
        ratio=ratio,
        bridge=None if ratio is None else error_ratio(_pairs(pooled, BRIDGE)),
        comparisons=comparisons,
    )


def _rows_without_shift(
    table: RunTable, method: str | None, where: str | None
) -> tuple[RunTable, str]:
    """Return the rows whose two stages have one text, else all rows and why."""
    if "data1" not in table or "data2" not in table:
        return table, "the table has no data1 and data2, so it is taken on trust that they agree"
    first, second = table.text("data1"), table.text("data2")
    same = (first == second) & (first != "") & (table.numbers("tokens_stage1") > 0)
    of_method = same if method is None else same & (table.text("method") == method)
    kept = np.ones(len(table), dtype=bool)
    if where is not None:
        kept = np.isin(table.row_numbers, table.where(where).row_numbers)
    if (of_method & kept).any():
        return table.select(same), ""
    return table, (
        "no run continues on the text of its base (data1 = data2): the text shifts, so a win of "
        "the main law here says nothing about runs without a shift"
        if ((first != "") & (second != "")).any()
        else "data1 and data2 are empty, so it is taken on trust that they agree"
    )


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """Held-out log residuals (n,) of the laws that could be fitted, and clusters (n,)."""

    residuals: dict[str, NDArray[np.float64]]
    cluster: NDArray[np.intp]


def _held_out(field: Field, fits: Fits, holdout: str) -> _HeldOut:
    parts = contest_splits(field, holdout, fits.options.seed)
    scores = {law.key: fits.score(law, parts).residuals for law in field.laws}
    known = {key: residuals.held_out for key, residuals in scores.items() if residuals is not None}
    return _HeldOut(known, pooled_clusters(field.rows, parts))


def _pairs(pooled: Sequence[_HeldOut], law: str) -> list[HeldOutPair]:
    """Return `law` against the main law on the hold-outs where both could be fitted."""
    return [
        HeldOutPair(found.residuals[law], found.residuals[MAIN], found.cluster)
        for found in pooled
        if law in found.residuals and MAIN in found.residuals
    ]


def _verdict(ratio: ErrorRatio | None) -> Verdict:
    if ratio is None or ratio.lower is None:
        return "undetermined"
    verdicts: dict[int, Verdict] = {1: "main_law", 0: "tie", -1: "total_tokens"}
    return verdicts[ratio.side]
