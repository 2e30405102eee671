"""Are two checkpoints the same tensors, bit for bit? Read a tensor at a time, without torch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

Place = tuple[Path, int, int, str, tuple[int, ...]]


def places(folder: Path) -> dict[str, Place]:
    """Return name -> file, first byte, last byte, dtype, shape."""
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            head = json.loads(stream.read(length))
        head.pop("__metadata__", None)
        for name, entry in head.items():
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            found[name] = (file, begin, end, entry["dtype"], tuple(entry["shape"]))
    return found


def data(place: Place) -> bytes:
    """Return a tensor's bytes."""
    with place[0].open("rb") as stream:
        return os.pread(stream.fileno(), place[2] - place[1], place[1])


def verdict(one: Place, other: Place) -> str:
    """Return ``same``, ``signs`` (the zeros differ in sign only) or ``differ``."""
    if one[3:] != other[3:]:
        return "differ"
    left, right = data(one), data(other)
    if left == right:
        return "same"
    if one[3] != "BF16":
        return "differ"
    plain = [np.frombuffer(each, np.uint16) for each in (left, right)]
    unsigned = [np.where(each & 0x7FFF, each, 0) for each in plain]
    return "signs" if np.array_equal(*unsigned) else "differ"


def compare(ours: Path, theirs: Path) -> str:
    """Return in words how far the tensors of two folders agree."""
    mine, other = places(ours), places(theirs)
    fused = {name: name for name in mine if name in other}
    verdicts = [verdict(mine[name], other[name]) for name in fused]
    words = f"{verdicts.count('same')} of {len(fused)} common tensors the same bytes"
    if signs := verdicts.count("signs"):
        words += f", {signs} the same but for the sign of zeros"
    experts = [name for name in other if name.endswith((".experts.gate_up_proj", ".down_proj"))]
    experts = [name for name in experts if ".experts." in name]
    if experts:
        equal = sum(data(other[name]) == expert_bytes(mine, name) for name in experts)
        words += f"; {equal} of {len(experts)} fused expert tensors the same bytes as ours joined"
    lone = sorted((set(mine) ^ set(other)) - set(experts))
    routers = [name for name in lone if name.endswith(".gate.weight")]
    if routers:
        words += f"; {len(routers) // 2} routers, random in both"
    lone = [name for name in lone if ".experts." not in name and name not in routers]
    return words + (f"; on one side only: {', '.join(lone[:4])}" if lone else "")


def expert_bytes(mine: dict[str, Place], name: str) -> bytes:
    """Return what `name`, all experts in one tensor, would be if made of our separate ones."""
    prefix, _, kind = name.rpartition(".")
    prefix = prefix.replace(".mlp.experts", ".block_sparse_moe.experts")
    parts = ("w1", "w3") if kind == "gate_up_proj" else ("w2",)
    joined, expert = b"", 0
    while f"{prefix}.{expert}.w1.weight" in mine:
        joined += b"".join(data(mine[f"{prefix}.{expert}.{part}.weight"]) for part in parts)
        expert += 1
    return joined
