"""Numbers that are plainly in another unit than the schema's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.evidence import Diagnostic, RowsOfLaw
from bootlaw.laws.names import D1, D2
from bootlaw.runs.quantities import short
from bootlaw.runs.schema import column_named

Floats = NDArray[np.float64]

LEAST_LOSS = 0.01
"""Nats per token that no model of text is below."""

LARGEST_LOSS = 12.5
"""ln of the largest vocabularies in use (2^18): what a model that knows nothing has, nats."""

LARGEST_BITS = 18.0
"""The same in bits."""

TRAINED_LOSS = 7.5
"""What the frequencies of single tokens give with a vocabulary of 5e4, nats per token; a model
trained on `TRAINED_TOKENS` is far below it."""

TRAINED_TOKENS = 1e8

BYTE_LOSS = 5.546
"""ln 256: what a model that knows nothing has where a token is a byte."""

MANY_TOKENS = 1e17
"""Above it no run has tokens or parameters: about 1000 times all text there is."""

FEW_TOKENS = 1000.0
"""Below it counts are in thousands, millions or billions: a training batch has more tokens."""

GAP = 100.0
"""Least ratio of neighbouring levels that may be a change of unit."""

NEXT = 10.0
"""Greatest ratio of levels that are neighbours in a design."""

UNITS = {"thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}


def _counts(e: RowsOfLaw) -> dict[str, Floats]:
    """Return the values above 0 of the law's counts: tokens and parameters."""
    columns = {name: column_named(name) for name in e.law.variables}
    counts = {n: e.rows.table.numbers(n) for n, c in columns.items() if c and c.is_count}
    return {name: values[values > 0] for name, values in counts.items() if (values > 0).any()}


def _mixed_units(e: RowsOfLaw) -> Iterator[Diagnostic]:
    for name, values in _counts(e).items():
        levels = np.unique(values)
        if levels.size < 2:
            continue
        jumps = levels[1:] / levels[:-1]
        at = int(np.argmax(jumps))
        unit = _unit_between(levels[: at + 1], levels[at + 1 :]) if jumps[at] >= GAP else None
        if unit is not None:
            row = int(np.flatnonzero(e.rows.table.numbers(name) == levels[at])[0])
            yield Diagnostic(
                "mixed_units",
                f"{name} has two groups of levels, up to {short(levels[at])} "
                f"({e.rows.table.place(row)}) and from {short(levels[at + 1])}, "
                f"{jumps[at]:.3g} times as much: are some rows in {unit}? write raw counts",
                "warning",
                float(jumps[at]),
            )


def _unit_between(low: Floats, high: Floats) -> str | None:
    """Return the unit in which the low levels would continue the high ones or lie among them."""
    for unit, factor in UNITS.items():
        above, below = low.min() * factor / high.max(), high.min() / (low.max() * factor)
        if max(above, below) <= NEXT:
            return unit
    return None


def _token_scale(e: RowsOfLaw) -> Iterator[Diagnostic]:
    for name, values in _counts(e).items():
        if (most := float(values.max())) < FEW_TOKENS:
            yield Diagnostic(
                "token_scale",
                f"{name} is at most {most:.4g}: fewer than one batch has; if these are billions, "
                f"name the column {name}_B, else the coefficients are in another unit",
                "warning",
                most,
            )
        elif most > MANY_TOKENS:
            yield Diagnostic(
                "token_scale",
                f"{name} goes up to {most:.4g}, more than any run has: was a unit applied twice "
                "(raw counts in a column named in billions)? write raw counts",
                "warning",
                most,
            )


def _loss_scale(e: RowsOfLaw) -> Iterator[Diagnostic]:
    table = e.rows.table
    losses = table.numbers("loss")
    if D1 not in table or D2 not in table:  # no table of runs
        return
    if losses.max() < LEAST_LOSS:
        yield Diagnostic(
            "loss_scale",
            f"loss is at most {losses.max():.4g}, and no model of text is below {LEAST_LOSS:g} "
            "nats per token: was a unit applied, or a difference of losses taken?",
            "warning",
            float(losses.max()),
        )
        return
    tokens = np.nan_to_num(table.numbers(D1)) + np.nan_to_num(table.numbers(D2))
    limit = np.where(tokens >= TRAINED_TOKENS, TRAINED_LOSS, LARGEST_LOSS)
    if "bytes_per_token" in table:
        limit = np.where(table.numbers("bytes_per_token") == 1.0, BYTE_LOSS, limit)
    # A unit is the whole table's; single rows may have diverged, or overfitted repeated text.
    if not (losses > LARGEST_LOSS).any() and (losses > limit).mean() < 0.5:
        return
    worst = int(np.argmax(losses / limit))
    advice = (
        "a perplexity is no loss, take its logarithm"
        if losses.max() > LARGEST_BITS
        else "if they are bits, name the column loss_bits; if perplexities, take the logarithm"
    )
    yield Diagnostic(
        "loss_scale",
        f"loss is {losses[worst]:.4g} in {table.place(worst)}, above the {limit[worst]:g} nats per "
        f"token that a model there can have: {advice}",
        "warning",
        float(losses[worst]),
    )


CHECKS = (_mixed_units, _token_scale, _loss_scale)
