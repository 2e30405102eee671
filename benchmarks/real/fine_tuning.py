"""Fine-tuning: 30 language models, 3 tasks, 14 sizes of the second stage each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bootlaw.fitting import Misfit
from bootlaw.laws import from_formula
from bootlaw.runs import RunTable
from real.forecasts import Forecast, Recipe, forecast, misfit_or_none, rms
from real.outcome import Outcome
from real.rows import Folder, Row, run_table

FILE = "finetune_rectified_30models.csv"
PUBLISHED_CURVES = {"rectified": 0.0080, "power": 0.0364}
"""RMS log error of a curve, averaged over the curves."""
PUBLISHED_JOINT = (0.016, 0.09)
PUBLISHED_HELD_OUT = (0.03, 0.23)

CURVES = {
    # The published number is a root mean square, so the curves are fitted by least squares.
    "rectified": Recipe("rectified", from_formula("B/(Dl + D^b) + E"), {"loss": "squared"}),
    "power": Recipe("power", from_formula("B*D^-b + E"), {"loss": "squared"}),
}
JOINT = Recipe(
    "B*N^-c/(Dl + D^b) + F*N^-g, prior of g 0 +- 0.1, 0 < b < 2",
    from_formula("B*N^-c/(Dl + D^b) + F*N^-g"),
    # The floor moves little with size; without this, two or three sizes leave g at the mercy of
    # noise, and a floor that grows as a power of N runs away.
    {"priors": {"g": (0.0, 0.1)}, "bounds": {"b": (0.0, 2.0)}},
)
LINES = {
    "Cerebras": "cerebras/Cerebras-GPT",
    "GPT2": "gpt2",
    "LaMini": "MBZUAI/LaMini-GPT",
    "OPT": "facebook/opt",
    "Switch Transformer": "google/switch-base",
}
"""Family -> start of the names of its models that share a tokenizer and a recipe and have at
least three sizes. mGPT and mT5 have other tokenizers, T5 v1.1 another recipe, BART two sizes (its
large models differ by an earlier fine-tuning), Phi two."""

Series = tuple[str, str]


def outcomes(folder: Folder) -> list[Outcome]:
    """Return the fits of single curves, the fits joint in N, and the largest size held out."""
    rows = [row for row in folder.read(FILE) if float(row["finetune_samples"]) > 0]
    lines = {key: part for key, part in _by(rows, "task", "family").items() if key[1] in LINES}
    lines = {key: _line(part, LINES[key[1]]) for key, part in lines.items()}
    return [*_curves(rows), _joint(rows, lines), _held_out(rows, lines)]


def _by(rows: Sequence[Row], *columns: str) -> dict[Series, list[Row]]:
    groups: dict[Series, list[Row]] = {}
    for row in rows:
        groups.setdefault((row[columns[0]], row[columns[1]]), []).append(row)
    return groups


def _line(rows: Sequence[Row], start: str) -> list[Row]:
    return [row for row in rows if row["model"].startswith(start)]


def _table(rows: Sequence[Row]) -> RunTable:
    return run_table(rows, tokens="finetune_samples")


def _curves(rows: Sequence[Row]) -> list[Outcome]:
    curves = [_table(part) for part in _by(rows, "task", "model").values()]
    return [
        _curve_outcome(name, np.array([CURVES[name].fitted(one).rms_log for one in curves]))
        for name in CURVES
    ]


def _curve_outcome(name: str, errors: np.ndarray) -> Outcome:
    return Outcome(
        "Fine-tuning",
        "each curve of one model and task alone, all sizes fitted",
        f"{errors.size} curves of 14 rows",
        f"{name}, squared loss",
        "RMS log error, averaged over curves",
        f"{errors.mean():.4f} (worst {errors.max():.4f})",
        f"{PUBLISHED_CURVES[name]:.4f}",
        bool(errors.mean() <= PUBLISHED_CURVES[name]),
        float(errors.mean() / PUBLISHED_CURVES[name]),
    )


def _joint(rows: Sequence[Row], lines: Mapping[Series, Sequence[Row]]) -> Outcome:
    errors = np.array([JOINT.fitted(_table(part)).rms_log for part in lines.values()])
    filed = [JOINT.fitted(_table(part)).rms_log for part in _by(rows, "task", "family").values()]
    low, high = PUBLISHED_JOINT
    return Outcome(
        "Fine-tuning",
        "joint in N, each task and line of models",
        f"{len(lines)} lines of 3 to 4 sizes x 14 rows",
        f"{JOINT.name}, delta auto",
        "RMS log error, range over lines",
        f"{errors.min():.1%} to {errors.max():.1%}, median {np.median(errors):.1%}",
        f"{low:.1%} to {high:.1%}",
        bool(errors.min() <= low and errors.max() <= high),
        float(errors.max() / high),
        notes=(
            f"families as filed, with models of other tokenizers and recipes: {min(filed):.1%} to "
            f"{max(filed):.1%}, {sum(e > high for e in filed)} of {len(filed)} above {high:.0%}",
        ),
    )


def _held_out(rows: Sequence[Row], lines: Mapping[Series, Sequence[Row]]) -> Outcome:
    tables = {key: _split(_table(part)) for key, part in lines.items()}
    seen = {key: misfit_or_none(JOINT, fitted, "params") for key, (fitted, _) in tables.items()}
    ahead = {
        key: forecast(JOINT, fitted, largest, [_misfit(key, seen, fitted)])
        for key, (fitted, largest) in tables.items()
    }
    errors = np.array([rms(one.errors) for one in ahead.values()])
    low, high = PUBLISHED_HELD_OUT
    return Outcome(
        "Fine-tuning",
        "largest N held out, each task and line of models",
        f"{len(lines)} lines of 2 to 3 sizes x 14 rows fitted, 14 rows held out",
        f"{JOINT.name}, delta auto",
        "RMS log error, range over lines",
        f"{errors.min():.1%} to {errors.max():.1%}, median {np.median(errors):.1%}",
        f"{low:.0%} to {high:.0%}",
        bool(errors.min() <= low and errors.max() <= high),
        float(errors.max() / high),
        np.concatenate([one.covered for one in ahead.values()]),
        np.concatenate([one.bare for one in ahead.values()]),
        (_failures(ahead), _as_filed(rows)),
    )


def _split(table: RunTable) -> tuple[RunTable, RunTable]:
    sizes = table.numbers("params")
    largest = sizes > 0.99 * sizes.max()
    return table.select(~largest), table.select(largest)


def _as_filed(rows: Sequence[Row]) -> str:
    """Return the errors at the largest size of whole families, other tokenizers and all."""
    missed = []
    for part in _by(rows, "task", "family").values():
        table = _table(part)
        if len(np.unique(np.round(np.log(table.numbers("params")), 2))) >= 3:
            missed.append(rms(JOINT.missed(*_split(table))))
    return (
        f"families as filed, with models of other tokenizers and recipes: {min(missed):.1%} to "
        f"{max(missed):.1%}, {sum(one > PUBLISHED_HELD_OUT[1] for one in missed)} of "
        f"{len(missed)} above {PUBLISHED_HELD_OUT[1]:.0%}"
    )


def _misfit(key: Series, seen: Mapping[Series, Misfit | None], fitted: RunTable) -> Misfit:
    """Return the misfit of the task's lines together: one line has too few sizes to tell."""
    rollouts = [
        one
        for (task, _), found in seen.items()
        if found is not None and task == key[0]
        for one in found.rollouts
    ]
    return Misfit("params", float(fitted.numbers("params").max()), tuple(rollouts))


def _failures(ahead: Mapping[Series, Forecast]) -> str:
    worst = sorted(ahead, key=lambda key: -rms(ahead[key].errors))[:3]
    missed = [
        f"{line} on {task} ({(~one.covered).sum()} of {one.covered.size})"
        for (task, line), one in ahead.items()
        if not one.covered.all()
    ]
    named = ", ".join(
        f"{line} on {task} {rms(ahead[task, line].errors):.1%}" for task, line in worst
    )
    return (
        f"largest errors: {named}; intervals miss {', '.join(missed) or 'nowhere'}: the largest "
        "OPT and Cerebras models learn far more slowly from much data than any smaller one"
    )
