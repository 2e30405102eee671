"""bootlaw and mergekit on the same checkpoint: same tensors? time? memory?

    python benchmarks/mergekit/compare.py --dir SCRATCH --mergekit VENV [--gb 1] [--rounds 3]

VENV is a virtual environment with mergekit (`pip install mergekit`); its packages do not mix with
ours. In every round each operation runs once with each tool, in new processes, after a `sync`.
Seconds are those of the whole command, Python's start included; memory is the largest resident
set of the process (`ru_maxrss`). Both tools run on the CPU, ours with `--check off`: mergekit has
no check.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensors import compare

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from grow_io import make_parent  # noqa: E402

DROPPED = 2
EXPERTS = 4


@dataclass(frozen=True)
class Operation:
    """One growth, for both tools."""

    name: str
    operator: str
    arguments: dict[str, Any]
    program: str
    """mergekit's command."""
    recipe: dict[str, Any]
    """mergekit's configuration."""


def operations(parent: Path, layers: int) -> list[Operation]:
    """Return what both tools can do."""
    model = str(parent)

    def passthrough(ranges: list[tuple[int, int]], silent: tuple[int, ...] = ()) -> dict[str, Any]:
        slices = []
        for number, (first, last) in enumerate(ranges):
            source: dict[str, Any] = {"model": model, "layer_range": [first, last]}
            if number in silent:
                zero = [{"filter": name, "value": 0.0} for name in ("o_proj", "down_proj")]
                source["parameters"] = {"scale": [*zero, {"value": 1.0}]}
            slices.append({"sources": [source]})
        return {"merge_method": "passthrough", "dtype": "bfloat16", "slices": slices}

    each = [(layer, layer + 1) for layer in range(layers)]
    twice = [pair for pair in each for _ in range(2)]
    keep = layers - DROPPED
    moe = {
        "base_model": model,
        "gate_mode": "random",
        "dtype": "bfloat16",
        "experts_per_token": 2,
        "experts": [{"source_model": model, "positive_prompts": [""]} for _ in range(EXPERTS)],
    }
    yaml, both = "mergekit-yaml", [(0, layers), (0, layers)]
    odd = tuple(range(1, 2 * layers, 2))
    return [
        Operation("stack x2", "stack", {"factor": 2}, yaml, passthrough(both)),
        Operation("interleave x2", "interleave", {"factor": 2}, yaml, passthrough(twice)),
        Operation(
            f"overlap, {DROPPED} dropped",
            "overlap",
            {"drop": DROPPED},
            yaml,
            passthrough([(0, keep), (DROPPED, layers)]),
        ),
        Operation("identity x2", "identity", {"factor": 2}, yaml, passthrough(twice, odd)),
        Operation(
            f"upcycle, {EXPERTS} experts",
            "upcycle",
            {"experts": EXPERTS, "top_k": 2},
            "mergekit-moe",
            moe,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--mergekit", type=Path, required=True)
    parser.add_argument("--gb", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="names of operations that begin so, with commas")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    parent = chosen.dir / "parent"
    if chosen.prepare:
        make_parent(parent, chosen.gb, 32_000)
        make_tokenizer(parent)
        return
    # In a process of its own: a child's largest resident set begins at what its parent has.
    subprocess.run([sys.executable, *sys.argv, "--prepare"], check=True)
    layers = json.loads((parent / "config.json").read_text())["num_hidden_layers"]
    print(
        "| operation | GB | tensors | bootlaw s | mergekit s | ratio | bootlaw MB | mergekit MB |"
    )
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for operation in operations(parent, layers):
        if chosen.only and not operation.name.startswith(tuple(chosen.only.split(","))):
            continue
        print(measured(operation, chosen.dir, chosen.mergekit, chosen.rounds), flush=True)


def make_tokenizer(folder: Path) -> None:
    """Give the parent a tokenizer: mergekit asks for one."""
    if (folder / "tokenizer.json").is_file():
        return
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    words = {f"w{number}": number for number in range(31_997)}
    words |= {"<s>": 31_997, "</s>": 31_998, "<unk>": 31_999}
    tokenizer = Tokenizer(WordLevel(words, unk_token="<unk>"))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="</s>",
    ).save_pretrained(folder)


def measured(operation: Operation, folder: Path, mergekit: Path, rounds: int) -> str:
    """Return a line of the table."""
    ours, theirs = folder / "ours", folder / "theirs"
    recipe = folder / "recipe.yml"
    recipe.write_text(json.dumps(operation.recipe))
    arguments = json.dumps(operation.arguments)
    parent = folder / "parent"
    mine = [sys.executable, str(HERE / "ours.py"), str(parent), str(ours), operation.operator]
    other = [str(mergekit / "bin" / operation.program), str(recipe), str(theirs)]
    if operation.program == "mergekit-moe":
        other.append("--i-understand-this-is-not-useful-without-training")
    runs: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for leftover in (ours, theirs):
            shutil.rmtree(leftover, ignore_errors=True)
        runs["ours"].append(run([*mine, arguments]))
        runs["theirs"].append(run(other))
    size = sum(file.stat().st_size for file in ours.glob("*.safetensors")) / 1e9
    words = compare(ours, theirs)
    for leftover in (ours, theirs):
        shutil.rmtree(leftover)
    ratios = sorted(b[0] / a[0] for a, b in zip(runs["ours"], runs["theirs"], strict=True))
    seconds = {who: statistics.median(run[0] for run in found) for who, found in runs.items()}
    memory = {who: max(run[1] for run in found) for who, found in runs.items()}
    return (
        f"| {operation.name} | {size:.2f} | {words} | {seconds['ours']:.1f} "
        f"| {seconds['theirs']:.1f} | {statistics.median(ratios):.1f} "
        f"[{ratios[0]:.1f}, {ratios[-1]:.1f}] | {memory['ours']:.0f} | {memory['theirs']:.0f} |"
    )


def run(command: list[str]) -> tuple[float, float]:
    """Return the seconds and the largest resident megabytes of a command."""
    os.sync()
    started = time.perf_counter()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if command[0] == sys.executable:
        environment = dict(os.environ)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        problems = process.stderr.read() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{problems[-2000:]}")
    return time.perf_counter() - started, usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
