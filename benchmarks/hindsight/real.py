"""Decisions on published tables of real runs, the largest runs held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bootlaw import fit
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit
from bootlaw.planning.many import forecasts
from bootlaw.runs import RunTable, read_runs
from hindsight.planners import Expert, choose
from hindsight.score import Scores, regret
from real.fine_tuning import FILE as FINE_TUNING
from real.fine_tuning import LINES
from real.rows import Folder, Row, run_table

Floats = NDArray[np.float64]

SAME_TOKENIZER = {**LINES, "BART": "facebook/bart", "Phi": "microsoft/phi"}
PILOT_SAMPLES = (12_800, 51_200, 204_800)
"""Samples at which the pilots of fine-tuning end; the decision is at 1,638,400."""


def study_tables(scores: Scores, folder: Path) -> None:
    """Put the decisions of every table to every planner."""
    tables = Folder(folder)
    _fine_tuning(scores, tables)
    _over_training(scores, tables)
    _repeated_data(scores, tables)
    _two_stage(scores, tables)


def _nothing_known(_: float) -> float:
    """Tables without the curve of the best action do not say what budget was wasted."""
    return float("nan")


def _fitted(table: RunTable, laws: Sequence[str]) -> dict[str, Fit | None]:
    """Return the laws fitted to a table, None where it has no rows for one."""
    found: dict[str, Fit | None] = {}
    for law in laws:
        try:
            found[law] = fit(table, law)
        except InputError:
            found[law] = None
    return found


def _predicted(found: Fit | None, columns: dict[str, Floats]) -> Floats | None:
    if found is None or found.status != "converged":
        return None
    return forecasts(found, columns).loss


def _fine_tuning(scores: Scores, tables: Folder) -> None:
    """Which model of a family (one tokenizer) to fine-tune with the largest data."""
    for (task, family), models in _families(tables.read(FINE_TUNING)).items():
        curves = [_curve(rows) for rows in models]
        sizes = np.array([float(rows[0]["params"]) for rows in models])
        losses = np.array([curve[1][-1] for curve in curves])
        best = curves[int(np.argmin(losses))]
        for pilot in PILOT_SAMPLES:
            question = f"which model to fine-tune at 1.6M samples, pilots end at {pilot}"
            needed = _interpolated(best)

            def add(
                planner: str,
                chosen: int,
                status: str = "ok",
                question: str = question,
                needed: Callable[[float], float] = needed,
                losses: Floats = losses,
            ) -> None:
                found = regret(losses, chosen, needed, status)
                scores.add(question, planner, f"{task} {family}", found)  # noqa: B023

            largest = int(np.argmax(sizes))
            for law in ("rectified", "power"):
                ahead = [_curve_ahead(curve, law, pilot) for curve in curves]
                add(f"bootlaw, {law} law of each model", *choose(np.array(ahead), largest))
            at = [float(loss[samples <= pilot][-1]) for samples, loss in curves]
            add("the best at the largest pilot", int(np.argmin(at)))
            add("Chinchilla-only (the largest model)", largest)


def _families(rows: Sequence[Row]) -> dict[tuple[str, str], list[list[Row]]]:
    models: dict[tuple[str, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        start = SAME_TOKENIZER.get(row["family"])
        known = start is not None and row["model"].startswith(start)
        if known and float(row["finetune_samples"]) > 0:
            models[row["task"], row["family"]][row["model"]].append(row)
    return {key: list(found.values()) for key, found in models.items()}


def _curve(rows: Sequence[Row]) -> tuple[Floats, Floats]:
    ordered = sorted(rows, key=lambda row: float(row["finetune_samples"]))
    return (
        np.array([float(row["finetune_samples"]) for row in ordered]),
        np.array([float(row["loss"]) for row in ordered]),
    )


def _curve_ahead(curve: tuple[Floats, Floats], law: str, pilot: int) -> float:
    samples, loss = curve
    seen = samples <= pilot
    table = read_runs({"tokens": samples[seen], "loss": loss[seen]})
    found = _predicted(_fitted(table, [law])[law], {"tokens_stage2": samples[-1:]})
    return float("nan") if found is None else float(found[0])


def _interpolated(curve: tuple[Floats, Floats]) -> Callable[[float], float]:
    """Return the share of the largest data at which a curve first reaches a loss."""
    samples, loss = curve
    lowest = np.minimum.accumulate(loss)

    def needed(value: float) -> float:
        ln = np.interp(-value, -lowest, np.log(samples / samples[-1]))
        return float(np.exp(ln))

    return needed


def _over_training(scores: Scores, tables: Folder) -> None:
    """Which size to train at a budget, beside others that were trained at about the same."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in tables.read("gadre_overtraining.csv"):
        groups[row["train_set"], row["eval_set"]].append(row)
    for key, rows in groups.items():
        table = run_table(rows)
        flops = 6 * table.numbers("params") * table.numbers("tokens_stage2")
        laws = _fitted(table.select(flops < 1.5e19), ("over-training", "chinchilla"))
        for options in _bins(flops, 1.5e19, 1.3):
            _one_stage(
                scores, "size at a budget up to 8 times the pilots (over-training)", " ".join(key),
                laws, table.select(options), rule=20.0,
            )  # fmt: skip


def _repeated_data(scores: Scores, tables: Folder) -> None:
    """Which size to train at a budget on a corpus of given size, that is how often to repeat."""
    rows = [
        row
        for row in tables.read("datablations_final.csv")
        if float(row["epochs"]) <= 100 and float(row["loss"]) < 4.5
    ]
    table = run_table(rows, more=["unique_tokens"])
    flops = 6 * table.numbers("params") * table.numbers("tokens_stage2")
    unique = table.numbers("unique_tokens")
    for pilot in (3e18, 3e19):
        laws = _fitted(table.select(flops < pilot), ("repeated-data", "chinchilla"))
        for corpus in np.unique(unique):
            own = unique == corpus
            for options in _bins(np.where(own, flops, 0.0), pilot, 1.3):
                _one_stage(
                    scores, "size at a budget on a corpus of given size (data-constrained)",
                    f"{corpus:g}", laws, table.select(options), rule=20.0,
                )  # fmt: skip


def _bins(flops: Floats, above: float, width: float) -> Iterator[NDArray[np.bool_]]:
    """Yield groups of runs whose FLOPs differ by less than `width` times, `above` the pilots."""
    left = np.sort(flops[flops > above])
    while left.size:
        group = (flops >= left[0]) & (flops < left[0] * width)
        if group.sum() > 1:
            yield group
        left = left[left >= left[0] * width]


def _one_stage(
    scores: Scores, question: str, world: str, laws: Mapping[str, Fit | None], options: RunTable,
    *, rule: float,
) -> None:  # fmt: skip
    """Score the choice among the runs of a group."""
    losses = options.numbers("loss")
    per_param = options.numbers("tokens_stage2") / options.numbers("params")
    usual = int(np.argmin(np.abs(np.log(per_param / rule))))

    def add(planner: str, chosen: int, status: str = "ok") -> None:
        scores.add(question, planner, world, regret(losses, chosen, _nothing_known, status))

    for law, found in laws.items():
        names = ("params", "tokens_stage2", "unique_tokens")
        columns = {name: options.numbers(name) for name in names if name in options}
        if law != "repeated-data":
            columns.pop("unique_tokens", None)
        predicted = _predicted(found, columns)
        own = "bootlaw" if law != "chinchilla" else "Chinchilla-only"
        add(f"{own}, {law} law", *choose(predicted, usual))
    add(f"rule: {rule:g} tokens per parameter", usual)
    add("the largest model", int(np.argmax(options.numbers("params"))))
    add("the smallest model", int(np.argmin(options.numbers("params"))))


TWO_STAGE_BUDGETS = (1e6, 2e6, 4e6, 8e6)
BASE_COSTS = {"cpt": 1.0, "stack": 0.5}


def _two_stage(scores: Scores, tables: Folder) -> None:
    """Which base length and second stage (or none) at a budget; pilots cost at most half of it."""
    for method, cost in BASE_COSTS.items():
        rows = [
            r for r in tables.read("tiny_two_stage.csv") if r["method"] == method and float(r["D2"])
        ]
        d1, d2, loss = (np.array([float(r[name]) for r in rows]) for name in ("D1", "D2", "loss"))
        spent = cost * d1 + d2
        for budget in TWO_STAGE_BUDGETS:
            pilots = spent <= budget / 2 * 1.01
            table = read_runs(
                {
                    "method": ["cpt" if one else "scratch" for one in d1[pilots]],
                    "tokens_stage1": d1[pilots],
                    "tokens_stage2": d2[pilots],
                    "loss": loss[pilots],
                }
            )
            cells = np.unique(np.stack([d1, d2])[:, spent <= budget * 1.01], axis=1)
            true = np.array([loss[(d1 == a) & (d2 == b)].mean() for a, b in cells.T])
            _stages(scores, f"{method} {budget:g}", table, cells, true)


def _stages(scores: Scores, world: str, pilots: RunTable, cells: Floats, losses: Floats) -> None:
    question = "base length and second stage at a budget twice the dearest pilot (two-stage)"
    scratch = int(np.argmax(np.where(cells[0] == 0, cells[1], -1.0)))
    longest = int(np.lexsort((cells[1], cells[0]))[-1])

    def add(planner: str, chosen: int, status: str = "ok") -> None:
        scores.add(question, planner, world, regret(losses, chosen, _nothing_known, status))

    expert = Expert(pilots, holdout="largest-d2")
    for how, label in (("main", "main law"), ("compare", "law chosen by compare"),
                       ("average", "laws averaged")):  # fmt: skip
        try:
            predicted = expert.predictions(how, *cells)
        except (InputError, UndeterminedError):
            predicted = None
        add(f"bootlaw, {label}", *choose(predicted, scratch))
    add("Chinchilla-only (one stage, no base)", scratch)
    add("always reuse, the longest base", longest)
