"""How well the laws predict published tables of real training runs.

    python benchmarks/real_tables.py --runs FOLDER

For each table: the split, the rows, the law and how it was chosen (on fitted rows only), the
error beside the number to beat, the coverage of 90 % intervals on held-out rows, and where
they fail. The folder holds the tables as CSV files; without one, their sources are printed.
Only the choice among candidates is blind to the held-out rows: which candidates there are, the
prior of the fine-tuning law, and the growth of the misfit with the root of the distance were
written by people who had seen these tables.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from real import data_constrained, fine_tuning, ladder, over_training
from real.outcome import Outcome, pooled
from real.rows import SOURCES, Folder, MissingTables

TABLES = {
    "fine-tuning": fine_tuning,
    "data-constrained": data_constrained,
    "over-training": over_training,
    "ladder": ladder,
}


def main() -> int:
    """Print the outcome of every table; 2 without tables, 1 where a number is not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, help="folder with the tables as CSV files")
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    args = parser.parse_args()
    if args.runs is None:
        sources = "\n".join(f"  {name}: {source}" for name, source in SOURCES.items())
        print(f"give --runs FOLDER with these tables as CSV files:\n{sources}", file=sys.stderr)
        return 2
    try:
        return report(Folder(args.runs), args.tables)
    except MissingTables as error:
        print(error, file=sys.stderr)
        return 2


def report(folder: Folder, names: list[str]) -> int:
    """Print the named tables and the pooled coverage."""
    found: list[Outcome] = []
    for name in names:
        started = time.process_time()
        some = TABLES[name].outcomes(folder)
        found += some
        print("\n".join(str(one) for one in some))
        print(f"  seconds   {time.process_time() - started:.0f} of CPU\n", flush=True)
    print(pooled(found))
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
