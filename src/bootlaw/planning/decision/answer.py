"""The answer to "reuse or restart?": every option side by side, and what would flip it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bootlaw.planning import notes, words
from bootlaw.planning.decision.flips import Flip
from bootlaw.planning.decision.outcome import Outcome, heading

Status = Literal["ok", "tie", "undetermined"]


@dataclass(frozen=True)
class Decision:
    """Every option at equal budget, best first.

    Attributes
    ----------
    status : ``ok`` where one option is best, ``tie`` where nothing separates the first few,
        ``undetermined`` where no law can be asked, one option is left, or the first two lie
        too far beyond the runs.
    budget : FLOPs that may be spent; tokens of the final model where no size is known.
    outcomes : the options, lowest expected loss first.
    missing : option -> why it could not be compared.
    flips : what would make another option the best.
    n_replicates : resamples behind `Outcome.times_best`; 0 where the laws come without.
    reasons : why it is undetermined.
    assumptions, warnings : what the answer rests on, and what a reader must know.
    """

    status: Status
    tokens_stage1: float
    stage1: str
    budget: float
    budget_unit: Literal["flops", "tokens"]
    level: float
    outcomes: tuple[Outcome, ...] = ()
    missing: Mapping[str, str] | None = None
    flips: tuple[Flip, ...] = ()
    n_replicates: int = 0
    reasons: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> Outcome | None:
        """The option of the lowest expected loss; None where undetermined."""
        return self.outcomes[0] if self.outcomes and not self.reasons else None

    @property
    def ties(self) -> tuple[str, ...]:
        """The options that the data cannot tell from the best, itself included."""
        return tuple(outcome.name for outcome in self.outcomes if outcome.tie)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan decide``."""
        best = self.best
        return {
            "status": self.status,
            "reasons": list(self.reasons),
            "best": None if best is None else best.name,
            "ties": list(self.ties) if self.status == "tie" else [],
            "tokens_stage1": self.tokens_stage1,
            "stage1": self.stage1,
            "budget": self.budget,
            "budget_unit": self.budget_unit,
            "level": self.level,
            "n_replicates": self.n_replicates,
            "options": [outcome.to_json() for outcome in self.outcomes],
            "missing": [{"option": k, "reason": v} for k, v in (self.missing or {}).items()],
            "flips": [flip.to_json() for flip in self.flips],
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the answer as a page of text."""
        lines = [self._headline(), *(f"  undetermined: {reason}" for reason in self.reasons)]
        if self.outcomes:
            rows = [o.cells(self.n_replicates) for o in self.outcomes]
            lines += ["", *_table([heading(self.level), *rows])]
        lines += self._section(
            "what would flip it", [flip.sentence(self.budget_unit) for flip in self.flips]
        )
        left_out = [f"{name}: {why}" for name, why in (self.missing or {}).items()]
        lines += self._section("not compared", left_out)
        lines += self._section("assumed", list(self.assumptions))
        lines += ["", *notes.lines(self.warnings)] if self.warnings else []
        return "\n".join(lines)

    def _headline(self) -> str:
        spent = (
            f"{self.budget:.3g} FLOPs"
            if self.budget_unit == "flops"
            else f"{words.tokens(self.budget)} tokens"
        )
        asked = f"budget {spent}, base of D1 = {words.tokens(self.tokens_stage1)} {self.stage1}"
        if self.best is None:
            return f"no answer ({asked})"
        if self.status == "tie":
            return f"tie: {' / '.join(self.ties)} ({asked})"
        best = self.best
        share = (
            ""
            if best.times_best is None
            else f", the lowest in {best.times_best} of {self.n_replicates} resamples"
        )
        return f"{best.name}: loss {best.loss:.4f}{share} ({asked})"

    @staticmethod
    def _section(title: str, lines: list[str]) -> list[str]:
        return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _table(rows: list[list[str]]) -> list[str]:
    """Return rows of cells as lines; columns that are empty in every row are left out."""
    used = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    widths = {i: max(len(row[i]) for row in rows) for i in used}
    return [
        "  ".join(
            row[i].ljust(widths[i]) if i == used[0] else row[i].rjust(widths[i]) for i in used
        ).rstrip()
        for row in rows
    ]
