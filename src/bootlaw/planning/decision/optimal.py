"""The compute-optimal size of a run from scratch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.decision.setting import Setting
from bootlaw.planning.source import POINT, Source

SMALLEST, LARGEST = 1e4, 1e14
"""Parameters between which the optimum is looked for."""


def optimal_size(
    scratch: Source, setting: Setting, budget: float, at: Mapping[str, float]
) -> float:
    """Return N of the lowest loss from scratch at a budget, after arXiv 2203.15556.

    The point estimate decides; FLOPs per token grow in proportion to the parameters. A grid
    finds the valley and two finer ones narrow it to 1e-4 in ln N.
    """
    low, high = np.log(SMALLEST), np.log(LARGEST)
    for _ in range(3):
        sizes = np.exp(np.linspace(low, high, 201))
        tokens = budget / setting.per_token_of(sizes)
        others = {name: np.full((1, sizes.size), value) for name, value in at.items()}
        columns = {
            **others, N: sizes[None], D1: np.zeros((1, sizes.size)), D2: tokens[None]
        }  # fmt: skip
        best = int(np.argmin(scratch.paired_loss(POINT, columns, "scratch")[0]))
        step = np.log(sizes[1] / sizes[0])
        low, high = np.log(sizes[best]) - step, np.log(sizes[best]) + step
    return float(sizes[best])
