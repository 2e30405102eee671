"""How much memory there is, and how much a check takes."""

from __future__ import annotations

import os
from pathlib import Path

_MARGIN = 1.15
"""Weights, buffers of the loader and activations, over the weights alone."""
_MIXTURE_MARGIN = 2.2
"""Of a mixture of experts, whose experts transformers puts together while it loads: 3.0 GB were
measured for 295M parameters in float32."""
_FIXED_BYTES = 600 * 2**20
"""The interpreter with torch and transformers."""
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


def available_memory() -> int | None:
    """Return the bytes that this process may still take, or none where the system does not say.

    The least of what the kernel calls available and what a control group (a container, a batch
    job) leaves.
    """
    found = [value for value in (_kernel(), *control_group_memory()) if value is not None]
    return min(found) if found else None


def check_memory(params: int, dtype: str, logits: int, mixture: bool = False) -> int:
    """Return the bytes of a check of a model of `params` parameters with `logits` logits.

    One model is in memory at a time; three copies of the batch's logits are (parent, grown,
    difference), in float64 for the difference.
    """
    margin = _MIXTURE_MARGIN if mixture else _MARGIN
    return int(params * BYTES[dtype] * margin) + logits * (2 * BYTES[dtype] + 8) + _FIXED_BYTES


def _kernel() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        # No figure for what is free; half of what is installed is a cautious one.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (OSError, ValueError, AttributeError):
        return None


def control_group_memory(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> list[int]:
    """Return the bytes left by each control group around this process that has a limit.

    A container and a batch job are such groups. What the system merely keeps in memory of files
    that were read does not count as used: it goes when it is needed.

    Parameters
    ----------
    root
        Where control groups are mounted, of either version.
    own
        The file that says which groups this process is in.
    """
    return [left for folder in _groups_around(root, own) if (left := _left(folder)) is not None]


def _groups_around(root: Path, own: Path) -> list[Path]:
    folders = {root, root / "memory"}
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        # The second version has one tree of groups, the first one for each kind of resource.
        mount = root / "memory" if kinds else root
        group = mount / path.lstrip("/")
        folders |= {group, *(each for each in group.parents if each.is_relative_to(mount))}
    return sorted(folders)


def _left(folder: Path) -> int | None:
    """Return limit less use plus the file pages that can go, of one control group."""
    for limit, usage, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most = int((folder / limit).read_text())
            used = int((folder / usage).read_text())
            lines = (folder / "memory.stat").read_text().splitlines()
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        pages = dict(line.split(" ", 1) for line in lines if " " in line)
        return max(most - used + int(pages.get(cache, 0)), 0)
    return None
