"""Streamed growth against `cp` of the same output: time ratio, and peak memory.

    python benchmarks/grow_io.py --dir SCRATCH [--gb 4] [--ops stack,identity,tile] [--rounds 3]

SCRATCH needs room for the parent, a grown model and its copy: about five times GB. A parent of GB
gigabytes of random bfloat16 weights is written there (and kept for the next call), then in every
round each operator grows it in a new process and `cp -r` copies what it wrote, one after the
other, after a `sync`, so that no one pays for the writes of another. Nothing is dropped from the
page cache: `cp` reads what has just been written, growth reads the parent.

* `time` is that of `open_checkpoint` to the published folder, brought to the disk (fsync);
  `command` is that of the whole process with the start of Python.
* `ratio` is cp / time of the same round: above 1, growth is faster than `cp`. The bar is 0.7 for
  stack, interleave and identity. `durable` is the same with a `sync` after `cp`, which growth has
  done for itself.
* `peak` is the process's largest resident memory; the bar is two of the largest tensors + 500 MB.
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
from pathlib import Path

OPERATORS = {
    "stack": {"factor": 2},
    "interleave": {"factor": 2},
    "identity": {"factor": 2},
    "overlap": {},
    "tile": {"factor": 2},
    "widen_ffn": {"factor": 1.5},
    "pad_hidden": {"grow": 1.25},
    "upcycle": {"experts": 4, "top_k": 2},
}
BAR = 0.7
BARRED = ("stack", "interleave", "identity")


def main() -> None:
    arguments = parse()
    if arguments.one:
        print(json.dumps(grow_one(arguments.dir / "parent", arguments.dir / "out", arguments.one)))
        return
    arguments.dir.mkdir(parents=True, exist_ok=True)
    make_parent(arguments.dir / "parent", arguments.gb, arguments.vocabulary)
    names = arguments.ops.split(",")
    rounds = {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name in names:
            rounds[name].append(measure(arguments.dir, name))
            print(name, json.dumps(rounds[name][-1]), file=sys.stderr, flush=True)
    report(rounds)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--gb", type=float, default=4.0)
    parser.add_argument("--vocabulary", type=int, default=64_000)
    parser.add_argument("--ops", default=",".join(OPERATORS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def make_parent(folder: Path, gigabytes: float, vocabulary: int) -> None:
    """Write a Llama of about that size, in shards, of random weights (not all the same ones)."""
    if (folder / "config.json").is_file():
        return
    import torch
    from safetensors.torch import save_file

    hidden, ffn = 2048, 5632
    layer = 2 * (2 * hidden * hidden + 2 * hidden * hidden // 4 + 3 * hidden * ffn + 2 * hidden)
    layers = max(2, round((gigabytes * 1e9 - 4 * vocabulary * hidden) / layer))
    layers += layers % 2
    folder.mkdir(parents=True)
    pool = torch.randn(1 << 24, generator=torch.Generator().manual_seed(0)).bfloat16()

    def weight(*shape: int) -> torch.Tensor:
        count = 1
        for size in shape:
            count *= size
        repeats = -(-count // pool.numel())
        return pool.repeat(repeats)[:count].reshape(shape).clone()

    weight_map: dict[str, str] = {}
    files = layers + 1

    def save(number: int, tensors: dict[str, torch.Tensor]) -> None:
        name = f"model-{number:05d}-of-{files:05d}.safetensors"
        save_file(tensors, folder / name, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(tensors, name))

    for index in range(layers):
        at = f"model.layers.{index}."
        save(
            index + 1,
            {
                f"{at}self_attn.q_proj.weight": weight(hidden, hidden),
                f"{at}self_attn.k_proj.weight": weight(hidden // 4, hidden),
                f"{at}self_attn.v_proj.weight": weight(hidden // 4, hidden),
                f"{at}self_attn.o_proj.weight": weight(hidden, hidden),
                f"{at}mlp.gate_proj.weight": weight(ffn, hidden),
                f"{at}mlp.up_proj.weight": weight(ffn, hidden),
                f"{at}mlp.down_proj.weight": weight(hidden, ffn),
                f"{at}input_layernorm.weight": weight(hidden),
                f"{at}post_attention_layernorm.weight": weight(hidden),
            },
        )
    ends = {
        "model.embed_tokens.weight": weight(vocabulary, hidden),
        "model.norm.weight": weight(hidden),
        "lm_head.weight": weight(vocabulary, hidden),
    }
    save(files, ends)
    index_file = folder / "model.safetensors.index.json"
    index_file.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_hidden_layers": layers,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "head_dim": 128,
        "vocab_size": vocabulary,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config))


def grow_one(parent: Path, out: Path, name: str) -> dict[str, float]:
    """Grow in this process; called in a new one for each measurement."""
    from bootlaw.growth import describe
    from bootlaw.growth.checkpoint import open_checkpoint, write_grown
    from bootlaw.growth.operators import OPERATORS as KNOWN

    started = time.perf_counter()
    checkpoint = open_checkpoint(parent)
    spec = describe(checkpoint.config, checkpoint.shapes)
    chosen = dict(OPERATORS[name])
    if name == "pad_hidden":
        chosen = {"hidden_size": int(spec.hidden * chosen["grow"])}
    if name == "widen_ffn":
        chosen = {"intermediate_size": int(spec.ffn * chosen["factor"])}
    plan = KNOWN[name].function(spec, **chosen)
    written = write_grown(plan, checkpoint, out)
    seconds = time.perf_counter() - started
    itemsize = 2
    largest = sorted(
        [checkpoint.nbytes(each) for each in checkpoint.names]
        + [itemsize * count(shape) for shape in plan.shapes(checkpoint.shapes).values()]
    )[-2:]
    return {
        "seconds": seconds,
        "gb": written.total_bytes / 1e9,
        "copied": written.copied_bytes / written.total_bytes,
        "peak_mb": peak_memory() / 1e6,
        "bar_mb": sum(largest) / 1e6 + 500,
    }


def peak_memory() -> int:
    """Largest resident memory of this process in bytes.

    Not `ru_maxrss`: that of a new process begins at what its parent had before the exec.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def count(shape: tuple[int, ...]) -> int:
    """Elements of a shape."""
    total = 1
    for size in shape:
        total *= size
    return total


def measure(folder: Path, name: str) -> dict[str, float]:
    """Grow in a new process, copy what it wrote, and remove both."""
    out, copy = folder / "out", folder / "copy"
    for leftover in (out, copy):
        shutil.rmtree(leftover, ignore_errors=True)
    os.sync()
    command = [sys.executable, __file__, "--dir", str(folder), "--one", name]
    started = time.perf_counter()
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(answer)
    found["command"] = time.perf_counter() - started
    os.sync()
    started = time.perf_counter()
    subprocess.run(["cp", "-r", str(out), str(copy)], check=True)
    found["cp"] = time.perf_counter() - started
    os.sync()
    found["cp_sync"] = time.perf_counter() - started
    for leftover in (out, copy):
        shutil.rmtree(leftover)
    return found


def report(rounds: dict[str, list[dict[str, float]]]) -> None:
    """Print medians over the rounds, and the range of the ratio."""
    print(
        "| operator | GB | copied | time s | command s | cp s | ratio cp/time | durable "
        "| peak MB | bar MB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    for name, found in rounds.items():

        def middle(key: str, rows: list[dict[str, float]] = found) -> float:
            return statistics.median(row[key] for row in rows)

        ratios = sorted(row["cp"] / row["seconds"] for row in found)
        durable = statistics.median(row["cp_sync"] / row["seconds"] for row in found)
        bar = f" (bar {BAR})" if name in BARRED else ""
        print(
            f"| {name} | {middle('gb'):.2f} | {middle('copied'):.0%} | {middle('seconds'):.1f} "
            f"| {middle('command'):.1f} | {middle('cp'):.1f} "
            f"| {statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]{bar} "
            f"| {durable:.2f} | {max(row['peak_mb'] for row in found):.0f} "
            f"| {middle('bar_mb'):.0f} |"
        )


if __name__ == "__main__":
    main()
