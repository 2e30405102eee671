"""What came out for a table, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """One question put to one table.

    Attributes
    ----------
    rows : how many rows were fitted and how many held out, in words.
    measure : what `ours` and `beat` are.
    beat : the published number or range of numbers.
    reached : whether ours is at or below it.
    covered, bare : whether the 90 % interval held each held-out row, with and without misfit.
    notes : where it fails, and what else a reader must know.
    """

    table: str
    split: str
    rows: str
    law: str
    measure: str
    ours: str
    beat: str
    reached: bool
    ratio: float | None = None
    covered: NDArray[np.bool_] | None = None
    bare: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"{self.table}: {self.split}",
            f"  rows      {self.rows}",
            f"  law       {self.law}",
            f"  {self.measure}: ours {self.ours}, to beat {self.beat}"
            + (f", ratio {self.ratio:.2f}" if self.ratio is not None else "")
            + f" -> {'reached' if self.reached else 'NOT reached'}",
        ]
        if self.covered is not None and self.bare is not None:
            lines.append(
                f"  coverage  90 % intervals hold {self.covered.mean():.1%} of "
                f"{self.covered.size} held-out rows ({self.bare.mean():.1%} without the misfit)"
            )
        return "\n".join([*lines, *(f"  note      {note}" for note in self.notes)])


def pooled(outcomes: list[Outcome]) -> str:
    """Return the coverage over all held-out rows, and over tables."""
    sets = [(o.covered, o.bare) for o in outcomes if o.covered is not None and o.bare is not None]
    covered = np.concatenate([covered for covered, _ in sets])
    bare = np.concatenate([bare for _, bare in sets])
    means = [covered.mean() for covered, _ in sets]
    inside = 0.80 <= covered.mean() <= 0.97
    return (
        f"pooled: 90 % intervals hold {covered.mean():.1%} of {covered.size} held-out rows, "
        f"{np.mean(means):.1%} as a mean over {len(sets)} splits ({bare.mean():.1%} of rows "
        f"without the misfit); wanted 80 to 97 %: {'reached' if inside else 'NOT reached'}"
    )
