"""What the table shows without any law: gains, noise, sizes, lowest losses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.reports.findings import Ahead, Gain, Noise, Scale, Trunks
from bootlaw.reports.groups import runs_of
from bootlaw.reports.series import Runs
from bootlaw.runs import RunTable

HELD_OUT_SHARE = 0.1
"""The validation of arXiv 2510.06548 holds out the tenth of the runs with the lowest loss."""


def second_stage_gain(runs: Runs) -> Gain | None:
    """Return how much the loss falls over the second-stage lengths common to both end bases.

    None where the shortest and the longest base share fewer than two lengths.
    """
    shortest, longest = float(runs.levels_stage1[0]), float(runs.levels_stage1[-1])
    common = np.intersect1d(
        runs.at_stage1(shortest).tokens_stage2, runs.at_stage1(longest).tokens_stage2
    )
    if common.size < 2 or shortest == longest:
        return None
    first, last = float(common[0]), float(common[-1])
    return Gain(
        tokens_from=first,
        tokens_to=last,
        shortest_base=shortest,
        longest_base=longest,
        on_shortest=runs.mean_loss(shortest, first) - runs.mean_loss(shortest, last),
        on_longest=runs.mean_loss(longest, first) - runs.mean_loss(longest, last),
    )


def reuse_against_scratch(runs: Runs, scratch: Runs) -> Ahead | None:
    """Return how often reuse beat starting over at equal D2; None where no length is shared."""
    lengths = np.intersect1d(runs.levels_stage2, scratch.levels_stage2)
    differences = [
        runs.mean_loss(base, length) - float(scratch.at_stage2(length).loss.mean())
        for base in runs.levels_stage1
        for length in lengths
    ]
    seen = [difference for difference in differences if np.isfinite(difference)]
    if not seen:
        return None
    return Ahead(sum(difference < 0 for difference in seen), len(seen))


def seed_noise(table: RunTable, *pieces: Runs) -> Noise:
    """Return the pooled spread of the log loss in the cells of `pieces` with several runs."""
    squares, freedom, cells, members = 0.0, 0, 0, 0
    for runs in pieces:
        places = np.stack([runs.tokens_stage1, runs.tokens_stage2], axis=1)
        for cell in np.unique(places, axis=0):
            losses = np.log(runs.loss[(places == cell).all(axis=1)])
            if losses.size > 1:
                squares += float(((losses - losses.mean()) ** 2).sum())
                freedom += losses.size - 1
                cells, members = cells + 1, members + losses.size
    return Noise(
        n_cells=cells,
        n_runs=members,
        relative_sd=float(np.sqrt(squares / freedom)) if freedom else float("nan"),
        sampling_error=_median(table, "loss_se"),
        by_seed=bool(np.isfinite(_column(table, "seed")).any()),
    )


def lowest_losses(loss: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Return which runs are the `count` with the lowest loss."""
    mask = np.zeros(loss.size, dtype=bool)
    mask[np.argsort(loss, kind="stable")[:count]] = True
    return mask


def study_scale(table: RunTable) -> Scale:
    """Return the sizes that a table covers: parameters, tokens per parameter in both stages."""
    reuse = table.numbers("tokens_stage1") > 0
    params = _column(table, "params")
    base = np.where(
        np.isfinite(_column(table, "params_base")), _column(table, "params_base"), params
    )
    finite = params[np.isfinite(params)]
    return Scale(
        smallest_params=float(finite.min()) if finite.size else float("nan"),
        largest_params=float(finite.max()) if finite.size else float("nan"),
        tokens_per_param_stage1=_ends((table.numbers("tokens_stage1") / base)[reuse]),
        tokens_per_param_stage2=_ends((table.numbers("tokens_stage2") / params)[reuse]),
    )


def count_trunks(table: RunTable) -> Trunks:
    """Return how many trunks the runs branch off, as the fits count them."""
    numbers = trunk_numbers(table)
    named = "trunk" in table and bool((table.text("trunk") != "").all())
    return Trunks(None if numbers is None else int(np.unique(numbers).size), named)


def all_runs(table: RunTable) -> Runs:
    """Return every run of a table."""
    return runs_of(table, np.ones(len(table), dtype=bool))


def _column(table: RunTable, name: str) -> NDArray[np.float64]:
    return table.numbers(name) if name in table else np.full(len(table), np.nan)


def _median(table: RunTable, name: str) -> float:
    values = _column(table, name)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else float("nan")


def _ends(values: NDArray[np.float64]) -> tuple[float, float] | None:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None
