"""Whether intervals beyond the data hold what they promise, on published tables of real runs.

    python benchmarks/earned_width.py --runs FOLDER

Every series (one model line, one evaluation text) is fitted without its largest values of one
variable, as `bootlaw fit --bootstrap 200` does it, and asked about them. Printed for each table
and variable: the share of held-out runs inside their interval with what the law missed in its own
hold-outs (`Fit.misfits`), without it, and the width of the interval in log loss (median), near
(the largest level held out) and far (nearly the upper half of the levels).

The degrees of freedom of the draws and the growth of the misfit with the distance were chosen
on these tables, so that the pooled shares are no independent test of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bootlaw import fit
from bootlaw.errors import InputError
from bootlaw.laws.names import D1
from bootlaw.planning.source import as_source
from real.held_out import HeldOut, all_series, held_out
from real.rows import Folder, MissingTables

REPLICATES = 200
LEVELS = (0.5, 0.9, 0.95)
BAR_LEVEL, BAR = 0.9, (0.85, 0.95)
"""Pooled over tables, between these of the runs must lie in their 90 % intervals."""

Key = tuple[str, str]


class Tally:
    """Shares of held-out runs inside their intervals, series by series."""

    def __init__(self) -> None:
        self.inside: dict[tuple[Key, bool, float], list[float]] = defaultdict(list)
        self.widths: dict[tuple[Key, bool], list[float]] = defaultdict(list)
        self.left_out: dict[Key, int] = defaultdict(int)

    def add(self, held: HeldOut) -> None:
        """Fit a series without the rows that are held out, and count."""
        key = (held.series.table, held.variable)
        try:
            found = fit(held.fitted, held.series.law, bootstrap=REPLICATES)
        except InputError:
            found = None
        if found is None or found.status != "converged" or not np.isfinite(found.residual_scale):
            self.left_out[key] += 1
            return
        columns = {name: held.asked.numbers(name) for name in found.law.variables}
        losses = held.asked.numbers("loss")
        part = "reuse" if D1 in columns else "scratch"
        earned = as_source(found)
        for source, is_earned in ((earned, True), (replace(earned, misfits=()), False)):
            for level in LEVELS:
                interval = source.interval(columns, part, level)
                assert interval is not None
                lower, upper = interval
                share = float(np.mean((lower <= losses) & (losses <= upper)))
                self.inside[key, is_earned, level].append(share)
                if level == BAR_LEVEL:
                    self.widths[key, is_earned].append(float(np.median(np.log(upper / lower))))

    def lines(self) -> Iterator[str]:
        """Yield one line per table and variable, and the means over tables and over series."""
        keys = list(dict.fromkeys(key for key, _ in self.widths))
        for key in keys:
            shares = ", ".join(
                f"{level:.0%}: {np.mean(self.inside[key, True, level]):6.1%} "
                f"({np.mean(self.inside[key, False, level]):6.1%})"
                for level in LEVELS
            )
            wide, bare = (np.median(self.widths[key, earned]) for earned in (True, False))
            n, lost = len(self.widths[key, True]), self.left_out[key]
            gone = f", {lost} not identifiable" if lost else ""
            yield (
                f"  {key[0]:20s} {key[1].removeprefix('tokens_'):8s} {shares}; width {wide:.3f} "
                f"({bare:.3f}); {n} series{gone}"
            )
        for name, values in (("mean over tables", self.means()), ("over series", self.all())):
            yield f"  {name:29s} " + ", ".join(
                f"{level:.0%}: {values[True, level]:6.1%} ({values[False, level]:6.1%})"
                for level in LEVELS
            )

    def means(self) -> dict[tuple[bool, float], float]:
        """Return the share inside, earned or not and by level, each table and variable alike."""
        found: dict[tuple[bool, float], list[float]] = defaultdict(list)
        for (_, earned, level), shares in self.inside.items():
            found[earned, level].append(float(np.mean(shares)))
        return {key: float(np.mean(values)) for key, values in found.items()}

    def all(self) -> dict[tuple[bool, float], float]:
        """Return the share inside, each series alike."""
        found: dict[tuple[bool, float], list[float]] = defaultdict(list)
        for (_, earned, level), shares in self.inside.items():
            found[earned, level] += shares
        return {key: float(np.mean(values)) for key, values in found.items()}


def main() -> int:
    """Print the shares, with what was missed in hold-outs and, in brackets, without."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder with the tables as CSV")
    args = parser.parse_args()
    reached = True
    try:
        for far in (False, True):
            started = time.process_time()
            tally = Tally()
            for series in all_series(Folder(args.runs)):
                for held in held_out(series, far=far):
                    tally.add(held)
            print("far: nearly the upper half of the levels" if far else "near: the largest level")
            print("\n".join(tally.lines()))
            share = tally.means()[True, BAR_LEVEL]
            reached &= BAR[0] <= share <= BAR[1]
            print(f"  seconds {time.process_time() - started:.0f} of CPU\n", flush=True)
    except MissingTables as error:
        print(error, file=sys.stderr)
        return 2
    print(f"90 % intervals hold 85 to 95 % of runs: {'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
