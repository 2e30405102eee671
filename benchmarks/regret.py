"""What recommended actions cost against the best in hindsight, beside usual rules.

    python benchmarks/regret.py [--worlds 13] [--runs FOLDER]

In simulation: worlds of eight laws (of the last no law of the catalogue), pilots of 20 runs with
20 to 200 tokens per parameter, decisions 2 to 75 times beyond them. On real tables, where
`--runs` names a folder with them: the largest runs held out. Printed as Markdown: mean regret in
nats with its standard error over worlds, the share of the budget that the best action would not
have needed for the loss reached, and how often the best action was found. Nothing is drawn twice
differently: the same seed gives the same tables.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from hindsight.real import study_tables
from hindsight.score import Scores
from hindsight.simulated import ALLOCATION, REUSE_OR_RESTART, study
from hindsight.truths import FAMILIES


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=13, help="of each of the eight families")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, help="folder with the public tables as CSV files")
    args = parser.parse_args()
    started = time.process_time()
    scores = Scores()
    for family in args.families:
        for number in range(args.worlds):
            study(scores, family, number, args.seed)
    if args.worlds:
        _print_simulated(scores, args.worlds * len(args.families), args.families)
    if args.runs is not None:
        real = Scores()
        study_tables(real, args.runs)
        print("\n".join(real.lines("Real tables")))
    print(f"\n{time.process_time() - started:.0f} s of CPU")


def _print_simulated(scores: Scores, n: int, families: Sequence[str]) -> None:
    print(f"{n} simulated worlds of {', '.join(families)}")
    print("\n".join(scores.lines("Simulation")))
    for question in (REUSE_OR_RESTART, ALLOCATION):
        print(f"\nMean regret in nats by the law of the world: {question}\n")
        print("\n".join(scores.by_family(question, _SHOWN[question])))


_SHOWN = {
    REUSE_OR_RESTART: (
        "bootlaw decide (laws averaged)", "bootlaw decide (main law)",
        "bootlaw, law chosen by compare", "always reuse (counts total tokens)",
        "always start over (ignores the base)",
    ),
    ALLOCATION: (
        "bootlaw, main law, no interval", "bootlaw, law chosen by compare",
        "bootlaw, laws averaged, no interval", "Chinchilla-only (one stage, no base)",
        "habit: always reuse, half and half",
    ),
}  # fmt: skip

if __name__ == "__main__":
    main()
