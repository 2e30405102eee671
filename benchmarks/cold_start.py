"""Wall time of a cold process: `bootlaw fit` with intervals, and the command's own import.

    python benchmarks/cold_start.py [--rounds 7]

Bars: 300 rows with 1000 replicates in at most 2.5 s, the import of the command in at most 0.4 s.
The best of a few rounds: other processes only ever add to it. The heaviest imports are named.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bootlaw import laws

N_ROWS = 300
N_REPLICATES = 1000
TRUTH = {"A": 20.0, "a1": 0.12, "a2": 0.3, "a3": 0.012, "E": 1.1}


def write_table(path: Path) -> None:
    """Write 300 two-stage runs on a 15 x 20 grid that follow the main law with 0.5 % noise."""
    law = laws.get("bootstrapped")
    d1, d2 = np.meshgrid(np.geomspace(1e8, 1e11, 15), np.geomspace(1e7, 1e10, 20), indexing="ij")
    columns = {"tokens_stage1": d1.ravel(), "tokens_stage2": d2.ravel()}
    losses = law.loss([TRUTH[name] for name in law.names], columns)
    losses = losses * np.exp(np.random.default_rng(0).normal(0.0, 0.005, N_ROWS))
    lines = ["method,params,tokens_stage1,tokens_stage2,loss"]
    rows = zip(columns["tokens_stage1"], columns["tokens_stage2"], losses, strict=True)
    lines += [f"cpt,1e8,{one:.0f},{two:.0f},{loss:.6f}" for one, two, loss in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def wall(command: list[str]) -> tuple[float, float, str]:
    """Return seconds of wall time, seconds of CPU time, and what the command printed."""
    before = os.times()
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    after = os.times()
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return seconds, cpu, done.stderr


def best_of(command: list[str], rounds: int) -> tuple[float, float]:
    """Return the least wall time and the least CPU time of a few rounds."""
    pairs = [wall(command)[:2] for _ in range(rounds)]
    return min(w for w, _ in pairs), min(c for _, c in pairs)


def heavy_imports(code: str, n: int = 8) -> list[tuple[float, str]]:
    """Return milliseconds and names of the modules that take longest by themselves."""
    _, _, log = wall([sys.executable, "-X", "importtime", "-c", code])
    found = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", log)
    return sorted(((int(own) / 1000, name) for own, name in found), reverse=True)[:n]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    nothing, nothing_cpu = best_of([sys.executable, "-c", "pass"], args.rounds)
    code = "import bootlaw.cli.main"
    seconds, cpu = best_of([sys.executable, "-c", code], args.rounds)
    print(f"python -c '{code}': {seconds:.2f} s of wall time, {cpu:.2f} s of CPU, of which Python "
          f"itself {nothing:.2f} s and {nothing_cpu:.2f} s (bar 0.4 s)")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "runs.csv"
        write_table(table)
        arguments = ["fit", str(table), "--bootstrap", str(N_REPLICATES)]
        command = [sys.executable, "-m", "bootlaw.cli.main", *arguments]
        seconds, cpu = best_of(command, args.rounds)
        task = f"bootlaw fit, {N_ROWS} rows, {N_REPLICATES} replicates"
        print(f"{task}: {seconds:.2f} s of wall time, {cpu:.2f} s of CPU (bar 2.5 s)")
        run = f"import bootlaw.cli.main as m; m.main({arguments!r})"
        print("heaviest imports of a fit (ms of their own): "
              + ", ".join(f"{name} {ms:.0f}" for ms, name in heavy_imports(run)))  # fmt: skip
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
