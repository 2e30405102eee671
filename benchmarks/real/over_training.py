"""Over-training: 104 models on 3 training sets, 8 evaluation sets; predict 1.4B and 6.9B."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bootlaw.runs import RunTable
from real.forecasts import Floats, Forecast, Recipe, average, forecast, misfit_or_none, rms
from real.outcome import Outcome
from real.rows import Folder, Row, run_table

FILE = "gadre_overtraining.csv"
PUBLISHED = (
    Recipe("squared losses", "over-training", {"loss": "squared", "scale": "level"}),
    Recipe("squared logs", "over-training", {"loss": "squared"}),
    Recipe("Huber 1e-3", "over-training", {"delta": 1e-3}),
)
"""The law with one exponent (Gadre et al., arXiv 2403.08540) by three usual objectives."""


@dataclass(frozen=True)
class Candidate:
    """A recipe on the runs with at least so many tokens, in units of 20 per parameter."""

    recipe: Recipe
    least_multiplier: float

    def fitted(self, rows: Sequence[Row], limit: float) -> RunTable:
        """Return the rows below `limit` parameters that this candidate is fitted to."""
        return run_table(
            [
                row
                for row in rows
                if float(row["params"]) < limit
                and float(row["chinchilla_multiplier"]) >= self.least_multiplier
            ]
        )


CANDIDATES = tuple(
    Candidate(Recipe(law, law), least)
    for law in ("over-training", "chinchilla")
    for least in (0, 0.5)
)


def outcomes(folder: Folder) -> list[Outcome]:
    """Return the forecasts of the models of 1e9 parameters and more."""
    series: dict[tuple[str, str], list[Row]] = {}
    for row in folder.read(FILE):
        series.setdefault((row["train_set"], row["eval_set"]), []).append(row)
    inner = np.concatenate([_inner(rows) for rows in series.values()], axis=1)
    choices = _choices()
    scores = [rms(inner[list(choice)].mean(axis=0)) for choice in choices]
    chosen = [CANDIDATES[index] for index in choices[int(np.argmin(scores))]]
    ours = {key: _forecast(rows, chosen) for key, rows in series.items()}
    rivals = {
        f"{one.name}, {name}": np.concatenate(
            [_published(one, rows, used) for rows in series.values()]
        )
        for one in PUBLISHED
        for name, used in (("same rows", _is_small), ("its own five runs", _is_one_of_five))
    }
    return [_outcome(ours, chosen, min(scores), rivals)]


def _choices() -> list[tuple[int, ...]]:
    """Return the candidates alone and in pairs of different laws."""
    alone = [(index,) for index in range(len(CANDIDATES))]
    return [*alone, *((one, two) for one in (0, 1) for two in (2, 3))]


def _large(rows: Sequence[Row]) -> RunTable:
    return run_table([row for row in rows if float(row["params"]) > 1e9])


def _inner(rows: Sequence[Row]) -> Floats:
    """Return the errors (candidates, n) at the largest fitted size, fitted to the others."""
    top = run_table(
        [
            row
            for row in rows
            if 3e8 < float(row["params"]) < 1e9 and float(row["chinchilla_multiplier"]) >= 1
        ]
    )
    return np.array([one.recipe.missed(one.fitted(rows, 3e8), top) for one in CANDIDATES])


def _forecast(rows: Sequence[Row], chosen: Sequence[Candidate]) -> Forecast:
    large = _large(rows)
    parts = []
    for one in chosen:
        fitted = one.fitted(rows, 1e9)
        found = misfit_or_none(one.recipe, fitted, "params")
        parts.append(forecast(one.recipe, fitted, large, [found] if found else []))
    return average(parts, large)


def _is_small(row: Row) -> bool:
    return float(row["params"]) < 1e9


def _is_one_of_five(row: Row) -> bool:
    """Return whether the published fit used this run: 20 tokens per parameter, and one of 320."""
    size, multiplier = float(row["params"]), float(row["chinchilla_multiplier"])
    return size < 1e9 and (multiplier == 1 or (multiplier == 16 and size < 2e7))


def _published(recipe: Recipe, rows: Sequence[Row], used: Callable[[Row], bool]) -> Floats:
    return recipe.missed(run_table([row for row in rows if used(row)]), _large(rows))


def _outcome(
    ours: Mapping[tuple[str, str], Forecast],
    chosen: Sequence[Candidate],
    inner: float,
    rivals: Mapping[str, Floats],
) -> Outcome:
    errors = np.concatenate([one.errors for one in ours.values()])
    best = min(rivals, key=lambda name: rms(rivals[name]))
    beat = rms(rivals[best])
    law = " and ".join(
        f"{one.recipe.name} (from {20 * one.least_multiplier:g} tokens per parameter)"
        for one in chosen
    )
    return Outcome(
        "Over-training, 3 training sets x 8 evaluation sets",
        "params < 1e9 fitted, 1.4B and 6.9B held out, each of the 24 series alone",
        f"at most 32 fitted per series, {errors.size} held out in all",
        f"{law}, geometric mean, delta auto; least RMS at the inner hold-out (411M): {inner:.2%}",
        "RMS log error",
        f"{rms(errors):.2%} (mean |.| {np.abs(errors).mean():.2%})",
        f"{beat:.2%} (the published law by {best})",
        rms(errors) <= beat,
        rms(errors) / beat,
        np.concatenate([one.covered for one in ours.values()]),
        np.concatenate([one.bare for one in ours.values()]),
        (_rivals(rivals), _in_distribution(ours), _failures(ours)),
    )


def _rivals(rivals: Mapping[str, Floats]) -> str:
    named = "; ".join(
        f"{name}: RMS {rms(errors):.2%}, mean |.| {np.abs(errors).mean():.2%}"
        for name, errors in rivals.items()
    )
    return f"the published law by {named}"


def _in_distribution(ours: Mapping[tuple[str, str], Forecast]) -> str:
    own = np.concatenate([one.errors for key, one in ours.items() if key[1] == "c4_val"])
    return (
        f"on c4_val alone: mean |log error| {np.abs(own).mean():.2%}; the 0.7 % of the paper is "
        "for single forecasts there"
    )


def _failures(ours: Mapping[tuple[str, str], Forecast]) -> str:
    missed = [(f"{train} -> {test}", (~one.covered).sum()) for (train, test), one in ours.items()]
    worst = max(ours, key=lambda key: float(np.abs(ours[key].errors).max()))
    named = ", ".join(f"{name} ({count})" for name, count in missed if count)
    return (
        f"intervals miss {named or 'nowhere'}; largest error "
        f"{np.abs(ours[worst].errors).max():.1%} at {worst[0]} -> {worst[1]}"
    )
