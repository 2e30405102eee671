"""What makes a readable run table hard to learn from: one function per kind of finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.runs.quantities import short
from bootlaw.runs.schema import BY_NAME, COLUMNS
from bootlaw.runs.table import RunTable

Severity = Literal["info", "warning"]

# Above it a loss is a perplexity or a sum: ln of the largest vocabularies in use (2^18) is 12.5.
_LARGEST_LOSS = 13.0
_LEAST_LOSS = 0.01  # below it no model of text is
# Below it counts are in thousands or millions: a single training batch has more tokens.
_FEW_TOKENS = 1000.0
_COLLINEAR = 0.95  # |correlation| of ln D1 and ln D2 above which their exponents blur


@dataclass(frozen=True)
class Finding:
    """One thing to know before fitting the table."""

    code: str
    message: str
    severity: Severity

    def to_json(self) -> dict[str, str]:
        """Return the finding as plain data."""
        return {"code": self.code, "message": self.message, "severity": self.severity}


Check = Callable[[RunTable], Iterator[Finding]]


def find_all(table: RunTable) -> tuple[Finding, ...]:
    """Return the findings of every check, warnings first."""
    findings = [finding for check in CHECKS for finding in check(table)]
    return tuple(sorted(findings, key=lambda finding: finding.severity != "warning"))


def _levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.unique(values[~np.isnan(values)])


def _two_stage(table: RunTable) -> Iterator[tuple[str, RunTable]]:
    """The rows with D1 > 0 and D2 > 0 of each method that has some."""
    keep = (table.numbers("tokens_stage1") > 0) & (table.numbers("tokens_stage2") > 0)
    methods = table.text("method")
    for method in dict.fromkeys(methods[keep]):
        yield method, table.select(keep & (methods == method))


def _mixed(table: RunTable) -> Iterator[Finding]:
    """Columns whose values make losses incomparable when they differ."""
    reasons = {
        "tokenizer": "losses per token of different tokenizers cannot be compared",
        "schedule_state": "a cooled model has a lower loss than the same model before its cooldown",
        "lr_policy": "a rewarmed and a carried learning rate give different losses",
        "eval_data": "losses on different texts cannot be fitted together",
    }
    for name, reason in reasons.items():
        if name not in table:
            continue
        # The policy of a second stage: a run from scratch has none.
        asked = table.select(table.numbers("tokens_stage1") > 0) if name == "lr_policy" else table
        counts = Counter(value or "(empty)" for value in asked.text(name))
        if len(counts) > 1:
            found = ", ".join(f"{value} ({count})" for value, count in counts.most_common(6))
            chosen = name == "eval_data" and "data2" in table  # fits then take eval_data = data2
            severity: Severity = "info" if chosen else "warning"
            yield Finding(f"mixed_{name}", f"{name} is mixed: {found}; {reason}", severity)


def _unknown_states(table: RunTable) -> Iterator[Finding]:
    allowed = {"schedule_state": ("stable", "cooled", "mid"), "lr_policy": ("rewarmed", "carried")}
    for name, known in allowed.items():
        others = sorted(set(table.text(name)) - {*known, ""}) if name in table else []
        if others:
            message = f"{name} holds {', '.join(others[:4])}; known are {', '.join(known)}"
            yield Finding(f"unknown_{name}", message, "warning")


def _design(table: RunTable) -> Iterator[Finding]:
    """Whether D1 and D2 vary, and vary independently, within each method."""
    for method, rows in _two_stage(table):
        for name in ("tokens_stage1", "tokens_stage2"):
            levels = _levels(rows.numbers(name))
            if len(levels) == 1:
                message = (
                    f"method {method}: every two-stage row has {name} = {short(levels[0])}; "
                    "its exponent cannot be fitted, add runs at other values"
                )
                yield Finding(f"one_{name}_level", message, "warning")
        yield from _collinearity(method, rows)


def _collinearity(method: str, rows: RunTable) -> Iterator[Finding]:
    log_d1, log_d2 = np.log(rows.numbers("tokens_stage1")), np.log(rows.numbers("tokens_stage2"))
    if len(rows) < 3 or np.ptp(log_d1) < 1e-9 or np.ptp(log_d2) < 1e-9:
        return
    if np.ptp(log_d2 - log_d1) < 1e-9:
        message = f"method {method}: tokens_stage2 is proportional to tokens_stage1 in every row"
    elif abs(correlation := np.corrcoef(log_d1, log_d2)[0, 1]) > _COLLINEAR:
        message = f"method {method}: ln D1 and ln D2 have correlation {correlation:.2f}"
    else:
        return
    advice = "their effects cannot be told apart, vary one at a fixed value of the other"
    yield Finding("tokens_stage2_follows_tokens_stage1", f"{message}; {advice}", "warning")


def _sizes(table: RunTable) -> Iterator[Finding]:
    if "params" not in table:
        return
    for method, rows in _two_stage(table):
        if len(levels := _levels(rows.numbers("params"))) > 1:
            found = ", ".join(short(level) for level in levels[:6])
            message = (
                f"method {method}: {len(levels)} model sizes ({found}); "
                "a law without params needs one, choose it with --where"
            )
            yield Finding("several_sizes", message, "warning")


def _rows_outside_fits(table: RunTable) -> Iterator[Finding]:
    stage1, stage2 = table.numbers("tokens_stage1"), table.numbers("tokens_stage2")
    methods = [method for method, _ in _two_stage(table)]
    if not methods:
        message = "no row has tokens_stage1 > 0 and tokens_stage2 > 0: only one-stage laws apply"
        yield Finding("no_two_stage_rows", message, "info")
    if len(methods) > 1:
        named = ", ".join(methods[:6]) + ", ..." * (len(methods) > 6)
        message = f"two-stage rows of {len(methods)} methods ({named}); a fit takes one: --method"
        yield Finding("several_methods", message, "info")
    if zero := int(np.sum(stage2 == 0)):
        message = f"{zero} rows have tokens_stage2 = 0 (before stage 2); fits leave them out"
        yield Finding("zero_tokens_stage2", message, "info")
    if mislabelled := int(np.sum((table.text("method") == "scratch") & (stage1 > 0))):
        message = (
            f"{mislabelled} rows of method scratch have tokens_stage1 > 0; scratch means no stage 1"
        )
        yield Finding("scratch_with_tokens_stage1", message, "warning")


def _duplicates(table: RunTable) -> Iterator[Finding]:
    if "run" not in table:
        return
    texts = table.text("eval_data") if "eval_data" in table else [""] * len(table)
    first: dict[tuple[str, str], int] = {}
    repeated = [
        index
        for index, key in enumerate(zip(table.text("run"), texts, strict=True))
        if key[0] and first.setdefault(key, index) != index
    ]
    if repeated:
        again = repeated[0]
        run = table.text("run")[again]
        message = (
            f"{len(repeated)} rows repeat the run and eval_data of an earlier row, first "
            f"{table.row_word} {table.row_numbers[again]} (run {run}); keep one of each"
        )
        yield Finding("duplicate_runs", message, "warning")


def _repeated_data(table: RunTable) -> Iterator[Finding]:
    if "unique_tokens" not in table:
        return
    epochs = table.numbers("tokens_stage2") / table.numbers("unique_tokens")
    if repeats := int(np.sum(epochs > 1)):
        message = (
            f"{repeats} rows have tokens_stage2 > unique_tokens (up to {np.nanmax(epochs):.3g} "
            "epochs); repeated tokens are worth less than fresh ones"
        )
        yield Finding("repeated_data", message, "warning")


def _scales(table: RunTable) -> Iterator[Finding]:
    """Numbers that are plainly in another unit."""
    if (largest := table.numbers("loss").max()) > _LARGEST_LOSS:
        message = f"loss goes up to {largest:.4g}; is it in nats per token, not a perplexity?"
        yield Finding("loss_scale", message, "warning")
    elif largest < _LEAST_LOSS:
        message = f"loss is at most {largest:.4g}; is it in nats per token, of whole models?"
        yield Finding("loss_scale", message, "warning")
    for name in ("tokens_stage1", "tokens_stage2", "params"):
        if name not in table:
            continue
        values = table.numbers(name)
        if (values > 0).any() and (top := np.nanmax(values)) < _FEW_TOKENS:
            unit = BY_NAME[name].unit
            message = f"{name} is at most {top:.4g}; if in billions of {unit}, name it {name}_B"
            yield Finding(f"{name}_scale", message, "warning")


def _own_columns(table: RunTable) -> Iterator[Finding]:
    own = [name for name in table.columns if name not in BY_NAME]
    if own:
        message = f"columns outside the schema, kept as they are: {', '.join(own)}"
        yield Finding("unknown_columns", message, "info")
    empty = [c.name for c in COLUMNS if c.name in table and _is_empty(table, c.name)]
    if empty:
        yield Finding("empty_columns", f"columns without any value: {', '.join(empty)}", "info")


def _is_empty(table: RunTable, name: str) -> bool:
    values = table.columns[name]
    return not values.any() if values.dtype == object else bool(np.isnan(values).all())


CHECKS: tuple[Check, ...] = (
    _scales,
    _mixed,
    _unknown_states,
    _duplicates,
    _sizes,
    _design,
    _repeated_data,
    _rows_outside_fits,
    _own_columns,
)
